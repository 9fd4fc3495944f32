"""Every block of docs/deploy.md, run on a machine that is made for it."""

import json
import shlex
import subprocess
import urllib.parse

import pytest

from support import postgres
from support.deadline import DEADLINE
from support.platform import until
from support.tls import Tunnel

from .document import sections
from .machine import Machine
from .visitor import Visitor

SECTIONS = sections()
ADDRESS, LOGIN, PATH = "Tell it its address", "Log in, and connect an agent", "Below a path"
BACKUP, UPGRADE, SEVERAL = "Back up and restore", "Upgrade", "Several instances"
SERVERS = {"nginx": "Behind nginx", "caddy": "Behind Caddy"}


@pytest.fixture
def machine(build, tmp_path):
    with Machine(build, tmp_path / "machine") as made:
        yield made


def commands(heading):
    return [block for block in SECTIONS[heading] if block.language == "sh"]


def configuration(heading, language):
    (block,) = [block for block in SECTIONS[heading] if block.language == language]
    return block


def test_every_block_is_in_a_section_that_is_run():
    assert set(SECTIONS) == {ADDRESS, LOGIN, PATH, BACKUP, UPGRADE, SEVERAL, *SERVERS.values()}
    assert {block.language for blocks in SECTIONS.values() for block in blocks} <= {"sh", "ini", *SERVERS}
    assert all(block.file or block.language == "sh" for blocks in SECTIONS.values() for block in blocks)


@pytest.mark.parametrize("server", SERVERS)
def test_behind(machine, server):
    getattr(machine, f"prepare_{server}")()
    machine.run(*commands(ADDRESS))
    machine.write(configuration(SERVERS[server], server))
    assert machine.run(*commands(SERVERS[server])).endswith('{"status":"ok"}')
    visitor = Visitor("https://agents.example.org", machine.tls_port, machine.authority)
    login, agent = commands(LOGIN)
    visitor.log_in(machine.run(login).strip())
    visitor.use_everything(machine.platform)
    connect_an_agent(machine, agent)


def connect_an_agent(machine, block):
    """With a proxy that takes the public name to this machine, as its own network would."""
    folder = machine.folder / "agent"
    folder.mkdir()
    (folder / "admin_token").write_text(machine.platform.admin_token)
    tunnel = Tunnel(machine.tls_port)
    try:
        shown = machine.run(block, cwd=folder, HTTPS_PROXY=tunnel.url, SSL_CERT_FILE=str(machine.authority))
    finally:
        tunnel.close()
    assert machine.platform.admin_token not in shown
    agents = machine.platform.admin("GET", "/workspaces").body
    assert "researcher" in [agent["name"] for agent in agents]


@pytest.mark.parametrize("server", SERVERS)
def test_below_a_path(machine, server):
    getattr(machine, f"prepare_{server}")()
    machine.run(*commands(PATH))
    machine.write(configuration(PATH, server))
    machine.systemctl("reload", server)
    url = "https://www.example.org/agents"
    visitor = Visitor(url, machine.tls_port, machine.authority)
    login = commands(LOGIN)[0]
    visitor.log_in(machine.run(login).strip())
    visitor.use_everything(machine.platform)
    # Without the slash the page's own files would be looked for beside it.
    status, _, headers = visitor.request("GET", "")
    assert status == 301 and urllib.parse.urljoin(url, headers["Location"]).endswith("/agents/")
    elsewhere = Visitor("https://www.example.org", machine.tls_port, machine.authority)
    assert elsewhere.request("GET", "/")[1] == b"another site"
    assert elsewhere.request("GET", "/agentsmith")[1] == b"another site"


def test_a_path_that_the_web_server_cuts_off_is_served_too(machine):
    machine.run(*commands(PATH))
    for path in ("/health", "/agents/health"):
        assert machine.platform.request("GET", path).body == {"status": "ok"}
    assert machine.platform.request("GET", "/agents/agents/health").status == 404


@pytest.mark.parametrize("server", SERVERS)
def test_several_instances(build, tmp_path, server):
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.Server() as database, Machine(build, tmp_path / "machine", database) as machine:
        getattr(machine, f"prepare_{server}")()
        create, share, enable, dump, restore = commands(SEVERAL)
        machine.run(create)
        machine.run(share)
        machine.write(configuration(SEVERAL, "ini"))
        machine.run(enable)
        machine.write(configuration(SEVERAL, server))
        machine.systemctl("reload", server)
        first, *others = machine.instances.values()
        visitor = Visitor("https://agents.example.org", machine.tls_port, machine.authority)
        visitor.log_in_with(first.admin_token)
        for instance in others:
            instance.secrets = first.secrets
        visitor.use_everything(first)
        # Whoever is killed, the others go on with the same login.
        first.kill9()
        until(lambda: visitor.request("GET", "/session", Cookie=visitor.cookie)[0] == 200, what="the others")
        machine.systemctl("start", "molecule-platform@8081")
        machine.run(dump)
        names = [agent["name"] for agent in first.admin("GET", "/workspaces").body]
        others[0].create_workspace("too late")
        machine.run(restore)
        assert [agent["name"] for agent in others[1].admin("GET", "/workspaces").body] == names


def run_unit(machine, block):
    """Runs the service as systemd would."""
    (line,) = [line for line in machine.localized(block.text).splitlines() if line.startswith("ExecStart=")]
    subprocess.run(shlex.split(line.removeprefix("ExecStart=")), check=True, timeout=DEADLINE,
                   env=machine.environment(), stdout=subprocess.DEVNULL)


def test_backup_and_restore(machine):
    first, enable, back = commands(BACKUP)
    service, timer = (block for block in SECTIONS[BACKUP] if block.language == "ini")
    agent = machine.platform.create_workspace("agent")
    assert "1 workspaces" in machine.run(first)
    backup = machine.folder / "backups" / "molecule" / "platform.backup"
    before = backup.stat().st_ino
    for block in (service, timer):
        machine.write(block)
    machine.run(enable)
    assert machine._enabled == ["molecule-backup.timer"]
    run_unit(machine, service)
    assert backup.stat().st_ino != before
    machine.platform.create_workspace("too late")
    machine.run(back)
    assert [one["name"] for one in machine.platform.admin("GET", "/workspaces").body] == ["agent"]
    assert machine.platform.register(agent).status == 200


def test_upgrade(machine):
    (machine.folder / "backups" / "molecule").mkdir(parents=True)
    agent = machine.platform.create_workspace("agent")
    (block,) = commands(UPGRADE)
    shown = machine.run(block)
    assert "molecule-platform_" in shown and shown.endswith("ok\n")
    assert machine.platform.register(agent).status == 200
    assert (machine.folder / "backups" / "molecule" / "before-upgrade.backup").exists()
    assert json.dumps(machine.platform.admin("GET", "/workspaces").body)
