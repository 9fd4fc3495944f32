"""Service manners of both programs: configuration, exit codes, reload, sd_notify, watchdog, socket
activation, health, memory."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from support.daemon import Daemon, script
from support.deadline import DEADLINE
from support.platform import Platform, child_env, until
from support.run import run


@pytest.fixture
def manager(tmp_path):
    """The service manager's end of NOTIFY_SOCKET: a function that returns all that was said."""
    address = str(tmp_path / "notify")
    end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end.bind(address)
    end.setblocking(False)
    said = []

    def read():
        while True:
            try:
                said.append(end.recv(4096).decode())
            except BlockingIOError:
                return said

    read.address = address
    yield read
    end.close()


@pytest.fixture
def ada(mcp_binary, platform, tmp_path):
    def make(*arguments, **more):
        return Daemon(mcp_binary, platform, platform.create_workspace("Ada"), tmp_path / "Ada",
                      *arguments, **more)

    return make


def has(said, text):
    return any(text in one for one in said)


def test_the_daemon_tells_how_it_is(ada, manager, tmp_path):
    handler = script(tmp_path, f"cat >/dev/null; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo ok")
    with ada("--handler", "command", "--argv", handler,
             env={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "600000"}) as daemon:
        until(lambda: has(manager(), "READY=1\nSTATUS=0 turns running, 0 messages waiting; online"))
        until(lambda: sum("WATCHDOG=1" in one for one in manager()) >= 3)
        daemon.ask("hello")
        until(lambda: has(manager(), "STATUS=1 turn running"))
        before = len(manager())
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: has(manager()[before:], "RELOADING=1\nMONOTONIC_USEC="))
        until(lambda: has(manager()[before:], "READY=1"))
        daemon.process.send_signal(signal.SIGTERM)
        until(lambda: has(manager(), "STOPPING=1"))
        until(lambda: has(manager(), "EXTEND_TIMEOUT_USEC="))
        (tmp_path / "go").touch()
        assert daemon.wait() == 0


def test_a_platform_that_is_away_is_no_reason_to_fail(ada, manager, platform):
    daemon = ada(env={"NOTIFY_SOCKET": manager.address})
    platform.stop()
    with daemon:
        until(lambda: has(manager(), "READY=1\nSTATUS="))
        ready = next(one for one in manager() if "READY=1" in one)
        assert "online" not in ready.replace("online only", ""), ready
        daemon.stop()
    platform.start()


def test_a_rejected_token_exits_3(ada):
    daemon = ada(env={"MOLECULE_WORKSPACE_TOKEN": "x" * 43})
    assert daemon.start().wait() == 3


@pytest.mark.parametrize("arguments, said", [
    (["--nonsense"], "--nonsense is no option"), (["extra"], "extra is no option"),
    (["--handler"], "needs a value"), (["--handler", "x"], "kind must be one of"),
    (["--handler", "command"], "argv is missing"), (["--deadline-secs", "soon"], "deadline_secs must"),
    (["--max-parallel", "0"], "max_parallel must"), (["--config", "/no/such"], "does not exist"),
])
def test_wrong_usage_exits_2(ada, arguments, said):
    daemon = ada(*arguments)
    assert daemon.start().wait() == 2
    assert said in daemon.log()


def test_a_wrong_file_is_refused_with_the_place(ada):
    daemon = ada(config='[handler]\nknid = "command"\n[sender."Ben"]\ndeadline_secs = "x"\n')
    assert daemon.start().wait() == 2
    log = daemon.log()
    assert "handler.knid is no key of this file: did you mean kind?" in log
    assert "sender.Ben: deadline_secs must be whole seconds" in log
    (daemon.home / ".config/molecule/daemon.toml").chmod(0o602)
    assert daemon.start().wait() == 2
    assert "can be written by every user" in daemon.log()


def test_check_prints_the_effective_configuration_and_no_secret(ada, mcp_binary):
    daemon = ada(config='[handler]\nkind = "claude"\ndeadline_secs = 60\n')
    shown = run(mcp_binary, daemon.env, "daemon", "--check", "--deadline-secs", "90")
    assert shown.returncode == 0, shown
    assert 'kind = "claude"' in shown.stdout and "deadline_secs = 90" in shown.stdout
    assert "token from MOLECULE_WORKSPACE_TOKEN" in shown.stdout
    assert daemon.workspace.token not in shown.stdout + shown.stderr
    assert not daemon.state.joinpath("inbox.db").exists()


def test_check_as_json(ada, mcp_binary):
    daemon = ada(config='[sender."Ben"]\nkind = "none"\n')
    shown = run(mcp_binary, daemon.env, "daemon", "--check", "--json", "--handler", "claude")
    read = json.loads(shown.stdout)
    assert read["workspaces"] == [{"id": daemon.workspace.id, "platform_url": daemon.platform.url,
                                   "state_folder": str(daemon.state),
                                   "token_source": "MOLECULE_WORKSPACE_TOKEN"}]
    assert read["daemon"]["handler"]["kind"] == "claude"
    assert read["daemon"]["sender"]["Ben"] == {"kind": "none"}


def test_without_a_configuration_it_names_setup(ada):
    daemon = ada(env={"PLATFORM_URL": "", "WORKSPACE_ID": ""})
    assert daemon.start().wait() == 2
    assert "PLATFORM_URL is not set" in daemon.log() and "molecule-mcp setup" in daemon.log()


# launchd starts again whatever did not exit with 0.
LABELS = ["org.molecule.molecule-mcp", "homebrew.mxcl.molecule-mcp"]


@pytest.mark.parametrize("label", LABELS)
def test_under_launchd_it_waits_until_a_wrong_configuration_is_another(ada, label):
    daemon = ada(config='[handler]\nkind = "nonsense"\n', env={"XPC_SERVICE_NAME": label})
    with daemon:
        until(lambda: "a restart would not help" in daemon.log())
        assert daemon.process.poll() is None
        (daemon.home / ".config/molecule/daemon.toml").write_text("")
        assert daemon.wait() == 2
        daemon.start()
        until(lambda: daemon.platform.status_of(daemon.workspace) == "online")


def test_under_launchd_it_waits_with_a_rejected_token(ada):
    daemon = ada(env={"MOLECULE_WORKSPACE_TOKEN": "x" * 43, "XPC_SERVICE_NAME": LABELS[0]})
    daemon.start()
    until(lambda: "a restart would not help" in daemon.log())
    assert daemon.process.poll() is None
    daemon.process.terminate()
    assert daemon.wait() == 3


def test_sighup_reads_the_handler_again(ada, tmp_path):
    one, two = (script(tmp_path, f"cat >/dev/null; echo {name}", name) for name in ("one", "two"))
    text = '[handler]\nkind = "command"\nargv = ["{}"]\n'
    with ada(config=text.format(one)) as daemon:
        daemon.ask("first")
        daemon.wait_answers(1)
        file = daemon.home / ".config/molecule/daemon.toml"
        file.write_text("kind = ")
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: "the configuration stays as it was" in daemon.log())
        file.write_text(text.format(two))
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: "the configuration was read again" in daemon.log())
        daemon.ask("second")
        assert daemon.wait_answers(2) == ["one", "two"]


def test_config_toml_is_enough(ada, tmp_path):
    daemon = ada()
    token = tmp_path / "token"
    token.write_text(daemon.workspace.token)
    token.chmod(0o600)
    folder = daemon.home / ".config" / "molecule"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'url = "{daemon.platform.url}"\nstate_folder = "{daemon.state}"\n[[workspace]]\n'
        f'id = "{daemon.workspace.id}"\nname = "Ada"\ntoken_file = "{token}"\n')
    for name in ("PLATFORM_URL", "WORKSPACE_ID", "MOLECULE_WORKSPACE_TOKEN", "CONFIGS_DIR"):
        del daemon.env[name]
    with daemon:
        until(lambda: daemon.platform.status_of(daemon.workspace) == "online")
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: daemon.log().count("the configuration was read again") == 1)
        assert "other workspaces" not in daemon.log()
        with (folder / "config.toml").open("a") as file:
            file.write('[[workspace]]\nid = "6f0c5b1e-0000-4000-8000-000000000001"\n')
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: "other workspaces are configured now: restart" in daemon.log())


def test_log_lines_have_levels_only_in_the_journal(ada):
    for journal in (True, False):
        daemon = ada("--nonsense")
        log = os.stat(daemon.home / "daemon.log")
        daemon.env["JOURNAL_STREAM"] = f"{log.st_dev}:{log.st_ino if journal else 1}"
        before = len(daemon.log())
        assert daemon.start().wait() == 2
        assert daemon.log()[before:].startswith("<3>molecule: error" if journal else "molecule: error")


def test_an_idle_daemon_is_small_and_sleeps(ada, sanitized):
    if sanitized:
        pytest.skip("sanitizers need memory of their own")
    with ada("--handler", "command", "--argv", "/bin/true") as daemon:
        until(lambda: daemon.platform.status_of(daemon.workspace) == "online")
        until(lambda: daemon.rows("SELECT 1 FROM state"))
        status = open(f"/proc/{daemon.process.pid}/status").read()
        resident = int(status.partition("VmRSS:")[2].split()[0])
        assert resident <= 16 * 1024, resident


# --- molecule-platform ---

def test_the_platform_tells_how_it_is(build, manager):
    with Platform(build, env={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "300000"}) as platform:
        until(lambda: has(manager(), f"READY=1\nSTATUS=listening on port {platform.port}"))
        until(lambda: sum("WATCHDOG=1" in one for one in manager()) >= 3)
    assert has(manager(), "STOPPING=1")


def test_health(build, platform, tmp_path):
    def health(listen):
        return subprocess.run([build / "molecule-platform", "health", "--listen", listen],
                              capture_output=True, text=True, timeout=DEADLINE,
                              env=child_env(tmp_path))

    well = health(f"127.0.0.1:{platform.port}")
    assert (well.returncode, well.stdout, well.stderr) == (0, "ok\n", "")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        refused = health(f"127.0.0.1:{silent.getsockname()[1]}")
        assert refused.returncode == 1 and "cannot reach" in refused.stderr
        silent.listen()
        before = time.monotonic()
        hung = health(f"127.0.0.1:{silent.getsockname()[1]}")
        assert hung.returncode == 1 and "no answer" in hung.stderr
        assert time.monotonic() - before >= 4
    assert not (tmp_path / "share").exists()


def test_the_platform_takes_the_managers_socket(build, tmp_path):
    """The connection is made before the program starts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        early = socket.create_connection(("127.0.0.1", port))
        launch = ("import os,sys;os.dup2(int(sys.argv[1]),3);os.set_inheritable(3,True);"
                  "os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid()));"
                  "os.execv(sys.argv[2],sys.argv[2:])")
        process = subprocess.Popen(
            [sys.executable, "-c", launch, str(listening.fileno()), build / "molecule-platform",
             "--data", tmp_path / "data"], pass_fds=[listening.fileno()],
            stdout=subprocess.PIPE, text=True, env=child_env(tmp_path))
        try:
            early.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert early.recv(100).startswith(b"HTTP/1.1 200")
            assert process.stdout.readline() == f"listening on http://127.0.0.1:{port}\n"
        finally:
            early.close()
            process.terminate()
            assert process.wait(DEADLINE) == 0
            process.stdout.close()
