"""molecule-platform as a program: arguments, data folder, admin token, exit (issue 2, item 5)."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import time
import uuid

import pytest

from support.deadline import DEADLINE
from support.platform import Platform, child_env, database_of, until


def run(build, *arguments, env=None, home, timeout=DEADLINE):
    return subprocess.run([str(build / "molecule-platform"), *arguments], capture_output=True,
                          text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                          env=child_env(home, env))


def test_help_and_version_exit_0(build, tmp_path):
    shown = run(build, "--help", home=tmp_path)
    assert shown.returncode == 0 and "--listen" in shown.stdout and "--data" in shown.stdout
    version = run(build, "--version", home=tmp_path)
    assert version.returncode == 0 and version.stdout.strip()[-1:].isdigit()


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["extra"], ["--listen"], ["--data"], ["--listen", "127.0.0.1"],
    ["--listen", "127.0.0.1:99999"], ["--listen", "127.0.0.1:-1"], ["--listen", "127.0.0.1:x"],
    ["--listen", ":0:"], ["--listen", ""],
], ids=" ".join)
def test_usage_exits_2(build, tmp_path, arguments):
    ended = run(build, *arguments, home=tmp_path)
    assert ended.returncode == 2, ended
    assert ended.stderr.strip() and not ended.stdout
    assert len(ended.stderr.splitlines()) <= 12
    assert not (tmp_path / "share").exists(), "a usage error must not create folders"


def test_the_first_line_names_the_port_and_the_server_responds(platform):
    assert platform.stdout() == f"listening on {platform.url}\n"
    assert platform.request("GET", "/health").body == {"status": "ok"}


def test_the_data_folder_and_the_admin_token_are_private(platform):
    assert stat.S_IMODE(platform.data_dir.stat().st_mode) == 0o700
    token_file = platform.data_dir / "admin_token"
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert len(platform.admin_token) >= 32
    until((platform.data_dir / "address").exists)  # written after the first line, as a file that is renamed
    for path in platform.data_dir.iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077 or path.is_dir(), path


def test_the_default_data_folder_follows_xdg(build, tmp_path):
    process = subprocess.Popen([str(build / "molecule-platform"), "--listen", "127.0.0.1:0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=child_env(tmp_path))
    try:
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        assert (tmp_path / "share" / "molecule-platform" / "admin_token").is_file()
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


def test_a_second_start_keeps_everything(build, tmp_path):
    with Platform(build, data_dir=tmp_path / "data") as platform:
        agent = platform.create_workspace("agent", role="tester")
        assert platform.register(agent).status == 200
        assert platform.send(agent, "hello").status == 200
        secret = platform.heartbeat(agent).body["platform_inbound_secret"]
        before = platform.admin("GET", "/workspaces").body
        admin_token = platform.admin_token
        platform.restart()
        assert platform.admin_token == admin_token
        assert platform.admin("GET", "/workspaces").body == before
        assert len(platform.activity(agent).body) == 1
        assert platform.heartbeat(agent).body["platform_inbound_secret"] == secret


def test_the_admin_token_may_come_from_the_environment(build, tmp_path):
    mine = "an-admin-token-of-the-operator-0123456789"
    with Platform(build, data_dir=tmp_path / "data", env={"ADMIN_TOKEN": mine}) as platform:
        assert platform.request("GET", "/workspaces", mine).status == 200
        assert platform.request("GET", "/workspaces", "x" + mine).status == 401
        stored = tmp_path / "data" / "admin_token"
        if stored.exists():
            assert stored.read_text().strip() != mine
            assert platform.request("GET", "/workspaces", stored.read_text().strip()).status == 401


def test_an_empty_admin_token_opens_nothing(build, tmp_path):
    with Platform(build, data_dir=tmp_path / "data", env={"ADMIN_TOKEN": ""}) as platform:
        assert platform.request("GET", "/workspaces").status == 401
        assert platform.request("GET", "/workspaces", "").status == 401
        assert platform.request("GET", "/workspaces", headers={"Authorization": "Bearer "}).status \
            == 401


def test_the_admin_token_may_come_as_a_credential_of_the_service_manager(build, tmp_path):
    (tmp_path / "ADMIN_TOKEN").write_text("a-credential-of-systemd\n")
    with Platform(build, data_dir=tmp_path / "data",
                  env={"CREDENTIALS_DIRECTORY": str(tmp_path)}) as platform:
        assert platform.request("GET", "/workspaces", "a-credential-of-systemd").status == 200
        assert not (tmp_path / "data" / "admin_token").exists()


def test_an_empty_credential_is_refused(build, tmp_path):
    (tmp_path / "ADMIN_TOKEN").write_text("\n")
    ended = run(build, "--data", str(tmp_path / "data"), home=tmp_path,
                env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert ended.returncode == 2, ended
    assert f"the credential {tmp_path}/ADMIN_TOKEN is empty" in ended.stderr


def test_a_file_with_the_admin_token_may_begin_with_a_byte_order_mark(build, tmp_path):
    (tmp_path / "ADMIN_TOKEN").write_bytes(b"\xef\xbb\xbfa-token-of-an-editor\r\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "admin_token").write_bytes(b"\xef\xbb\xbfanother-of-an-editor\r\n")
    with Platform(build, data_dir=tmp_path / "data",
                  env={"CREDENTIALS_DIRECTORY": str(tmp_path)}) as platform:
        assert platform.request("GET", "/workspaces", "a-token-of-an-editor").status == 200
    with Platform(build, data_dir=tmp_path / "data") as platform:
        assert platform.request("GET", "/workspaces", "another-of-an-editor").status == 200


@pytest.mark.parametrize("content", [b"\0" * 32, "ü".encode() * 16, b"one-token\nanother-token\n"])
def test_an_admin_token_that_nobody_can_send_is_refused(build, tmp_path, content):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "admin_token").write_bytes(content)
    ended = run(build, "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), home=tmp_path)
    assert ended.returncode == 1 and "listening" not in ended.stdout
    assert "admin_token holds what no header can carry" in ended.stderr
    assert "one-token" not in ended.stderr


def test_one_platform_per_data_folder(build, platform, tmp_path):
    second = run(build, "--listen", "127.0.0.1:0", "--data", str(platform.data_dir), home=tmp_path)
    assert second.returncode == 1, second
    assert str(platform.data_dir) in second.stderr and "listening" not in second.stdout
    assert platform.request("GET", "/health").status == 200


def test_a_port_in_use_exits_1_and_says_so(build, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run(build, "--listen", address, "--data", str(tmp_path / "data"), home=tmp_path)
    assert ended.returncode == 1, ended
    assert address in ended.stderr and "in use" in ended.stderr.lower()
    assert not ended.stdout


def test_a_data_folder_that_cannot_be_created_is_named(build, tmp_path):
    """/proc rejects root too; a file in the way is the other common case."""
    (tmp_path / "file").write_text("not a folder")
    for folder in ("/proc/nothing/here", str(tmp_path / "file" / "data"), str(tmp_path / "file")):
        ended = run(build, "--listen", "127.0.0.1:0", "--data", folder, home=tmp_path)
        assert ended.returncode == 1, ended
        named = [word.strip(":") for word in ended.stderr.split() if word.startswith("/")]
        assert named and folder.startswith(named[0]), ended  # the folder, or the part of it that is in the way
        assert "listening" not in ended.stdout
        assert len(ended.stderr.splitlines()) <= 4
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_an_unwritable_data_folder_is_named(build, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    ended = run(build, "--listen", "127.0.0.1:0", "--data", str(folder), home=tmp_path)
    assert ended.returncode == 1 and str(folder) in ended.stderr


@pytest.mark.sqlite
def test_a_damaged_database_is_named_and_not_touched(build, tmp_path):
    with Platform(build, data_dir=tmp_path / "data"):
        pass
    database = database_of(tmp_path / "data")
    for path in database.parent.glob(database.name + "-*"):
        path.unlink()
    database.write_bytes(b"this is no database " * 1000)
    ended = run(build, "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), home=tmp_path)
    assert ended.returncode == 1, ended
    assert str(database) in ended.stderr and "listening" not in ended.stdout
    assert database.read_bytes() == b"this is no database " * 1000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_cleanly_even_with_clients_connected(build, number):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        assert platform.send(agent, "kept").status == 200
        with socket.create_connection((platform.host, platform.port)) as idle, \
                socket.create_connection((platform.host, platform.port)) as half:
            half.sendall(b"POST /workspaces HTTP/1.1\r\nHost: x\r\nContent-Le")
            assert platform.request("GET", "/health").status == 200
            platform.stop(number)  # asserts exit 0
            assert idle.recv(1) == b""
        platform.start()
        assert len(platform.activity(agent).body) == 1


def test_the_reader_of_stdout_may_close(build, tmp_path):
    process = subprocess.Popen(
        [str(build / "molecule-platform"), "--listen", "127.0.0.1:0", "--data",
         str(tmp_path / "data")], stdout=subprocess.PIPE, env=child_env(tmp_path))
    port = int(process.stdout.readline().decode().strip().rpartition(":")[2])
    process.stdout.close()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
    process.terminate()
    assert process.wait(5) == 0


def test_tokens_are_stored_as_hashes_only(build, tmp_path):
    with Platform(build, data_dir=tmp_path / "data") as platform:
        agent = platform.create_workspace("agent")
        extra = platform.request("POST", f"/workspaces/{agent.id}/tokens", agent.token).body
    for path in (p for p in (tmp_path / "data").iterdir() if p.is_file()):
        content = path.read_bytes()
        assert agent.token.encode() not in content, path
        assert extra["auth_token"].encode() not in content, path


@pytest.mark.sqlite
def test_on_a_full_disk_requests_fail_and_nothing_is_lost(build, tmp_path):
    """The database cannot grow: requests get 503, never a 200 for data that is not stored."""
    with Platform(build, data_dir=tmp_path / "data") as platform:
        agent = platform.create_workspace("agent")
        platform.stop()
        small = tmp_path / "small"
        limited = 'trap "" XFSZ; ulimit -f 1024; exec "$0" "$@"'  # half a megabyte per file
        process = subprocess.Popen(
            ["sh", "-c", limited, str(build / "molecule-platform"), "--listen", "127.0.0.1:0",
             "--data", str(tmp_path / "data")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_env(small))
        try:
            platform.port = int(process.stdout.readline().decode().strip().rpartition(":")[2])
            kept, statuses = set(), set()
            for _ in range(60):
                message_id = str(uuid.uuid4())
                status = platform.send(agent, "x" * 20000, message_id=message_id).status
                statuses.add(status)
                kept |= {message_id} if status == 200 else set()
            assert statuses == {200, 503}
            assert platform.request("GET", "/health").status == 200
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
        platform.start()
        rows = platform.activity(agent, limit=500).body
        stored = {row["request_body"]["params"]["message"]["messageId"] for row in rows}
        assert stored == kept
        assert platform.send(agent, "again").status == 200
    connection = sqlite3.connect(database_of(tmp_path / "data"))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("level, told", [("debug", True), ("info", True), ("warning", False), (None, False)])
def test_the_log_level_decides_what_stderr_gets(build, level, told):
    env = {"MOLECULE_LOG": level} if level else {}
    with Platform(build, env=env) as platform:
        said = platform.stderr()
    assert ("molecule: info: the data folder is" in said) == told, said


def test_an_unknown_log_level_is_a_warning(build):
    with Platform(build, env={"MOLECULE_LOG": "verbose"}) as platform:
        said = platform.stderr()
    assert "verbose" in said and "debug, info, warning or error" in said, said


def test_it_ends_promptly(build):
    """Within a second, unless the machine is busy: then in one of five times."""
    measured = []
    while len(measured) < 5 and (not measured or measured[-1] > 1.0):
        with Platform(build) as platform:
            start = time.monotonic()
            platform.stop()
            measured.append(time.monotonic() - start)
    assert min(measured) <= 1.0, measured
