"""The lines of the page's connect view do what they say when they are pasted."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from support.deadline import DEADLINE
from support.platform import child_env, until

SOURCE = pathlib.Path(__file__).parents[3] / "src/server/page/ui/views/connect/snippets.ts"

pytestmark = pytest.mark.skipif(not (shutil.which("esbuild") and shutil.which("node")),
                                reason="the page's lines are TypeScript, and esbuild or node is missing")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "snippets.js"
    subprocess.run(["esbuild", str(SOURCE), "--bundle", "--format=cjs", f"--outfile={out}"],
                   capture_output=True, check=True, timeout=DEADLINE)
    return out


@pytest.fixture
def waiting(platform):
    """A workspace that nobody runs yet."""
    return platform.create_workspace("builder")


@pytest.fixture
def lines(compiled, platform, waiting, mcp_binary):
    place = {"id": waiting.id, "url": platform.url, "token": waiting.token, "program": str(mcp_binary)}
    program = ("const s = require(process.argv[1]), p = JSON.parse(process.argv[2]);"
               "const all = Object.fromEntries(s.snippets.map((one) => [one.id, one.text(p)]));"
               "console.log(JSON.stringify({...all, save: s.saveToken(p)}))")
    ran = subprocess.run(["node", "-e", program, str(compiled), json.dumps(place)], capture_output=True,
                         text=True, check=True, timeout=DEADLINE)
    return json.loads(ran.stdout)


@pytest.fixture
def paste(home, no_hosts):
    def run(script, **more):
        return subprocess.run(["bash", "-e", "-c", script], env=child_env(home) | {"PATH": no_hosts},
                              capture_output=True, text=True, timeout=DEADLINE, **more)
    return run


@pytest.fixture
def started(home):
    """A function: pastes lines that go on until they are ended."""
    running = []

    def start(script):
        running.append(subprocess.Popen(["bash", "-c", script], env=child_env(home), stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True))
        return running[-1]

    yield start
    for process in running:
        os.killpg(process.pid, signal.SIGTERM)
        process.stdin.close()
        process.wait(DEADLINE)


@pytest.mark.parametrize("host,file", [("claude", ".claude.json"), ("codex", ".codex/config.toml"),
                                       ("gemini", ".gemini/settings.json"),
                                       ("opencode", ".config/opencode/opencode.jsonc")])
def test_a_host_gets_an_entry_without_a_token(lines, paste, home, waiting, host, file):
    assert waiting.token not in lines[host]
    for _ in "twice":
        ended = paste(lines["save"] + lines[host])
        assert ended.returncode == 0, ended
    text = (home / file).read_text()
    assert waiting.id in text and "MOLECULE_MCP_STAY" in text and waiting.token not in text
    hooks = {"claude": ".claude/settings.json", "codex": ".codex/hooks.json", "gemini": file}.get(host)
    assert hooks is None or f"--workspace {waiting.id}" in (home / hooks).read_text()


def test_the_service_is_set_up(lines, paste, waiting, home, mcp_binary):
    # What `service install` writes is tested where there is a service manager.
    first, second = lines["service"].splitlines()
    assert paste(lines["save"] + first).returncode == 0
    ended = paste(second + " --dry-run")
    assert ended.returncode == 0 and "daemon" in ended.stdout, ended
    assert (home / ".molecule-workspace" / ".auth_token").read_text().strip() == waiting.token


@pytest.mark.parametrize("tab", ["terminal", "python"])
def test_it_is_online_until_it_is_ended(lines, started, platform, waiting, home, tab):
    (home / "agent.py").write_text(lines[tab])
    started(lines["save"] + (lines[tab] if tab == "terminal" else "exec python3 ~/agent.py"))
    until(lambda: platform.status_of(waiting) == "online", what="online")


def test_a_host_that_passes_its_environment_on(lines, started, platform, waiting, mcp_binary):
    started(lines["save"] + lines["environment"] + f"exec {mcp_binary}")
    until(lambda: platform.status_of(waiting) == "online", what="online")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl to paste into")
def test_curl_registers_and_reads(lines, paste, platform, waiting):
    ended = paste(lines["save"] + lines["curl"])
    assert ended.returncode == 0 and '"registered"' in ended.stdout, ended
    assert platform.status_of(waiting) == "online"
