"""`molecule-platform backup` while it runs, and `restore` (platform-operation.md 2)."""

import json
import os
import pty
import shutil
import sqlite3
import stat
import subprocess
import threading

import pytest

from support.deadline import DEADLINE
from support.platform import Platform, child_env, text_of

BOUNDARY = "----backup"


def command(build, home, *arguments, **popen):
    return subprocess.run([str(build / "molecule-platform"), *map(str, arguments)], text=True,
                          capture_output=True, timeout=DEADLINE, stdin=subprocess.DEVNULL,
                          env=child_env(home), **popen)


def upload(platform, workspace, name, content):
    body = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
            "Content-Type: text/plain\r\n\r\n").encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    reply = platform.request("POST", f"/workspaces/{workspace.id}/chat/uploads", platform.admin_token,
                             body=body, headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    assert reply.status == 200, reply
    return reply.body["files"][0]["uri"].rpartition("/")[2]


def content_of(platform, workspace, file):
    reply = platform.request("GET", f"/workspaces/{workspace.id}/pending-uploads/{file}/content",
                             workspace.token)
    return reply.body if reply.status == 200 else reply


def texts(platform, workspace):
    rows = platform.activity(workspace, type="a2a_receive", limit=1000).body
    return [text_of(row) for row in rows if row["method"] == "message/send"]


def test_a_running_platform_is_backed_up_and_restored_elsewhere(build, tmp_path):
    backup = tmp_path / "nightly.backup"
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        platform.register(agent)
        platform.send(agent, "before the backup")
        big = "0123456789abcdef" * (3 << 16)  # of several parts
        file, empty = upload(platform, agent, "big.txt", big.encode()), upload(platform, agent, "empty", b"")
        made = command(build, tmp_path, "backup", backup, "--data", platform.data_dir, "--json")
        assert made.returncode == 0, made
        summary = json.loads(made.stdout)
        assert (summary["workspaces"], summary["files"], summary["missing_files"]) == (1, 2, 0)
        assert summary["file"] == str(backup) and summary["bytes"] == backup.stat().st_size
        assert made.stderr == ""
        platform.send(agent, "after the backup")
        # Nothing but the backup: no log of SQLite, nothing half-made.
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
        assert {path.name for path in tmp_path.iterdir()} == {"nightly.backup"}
        leaked = [secret for secret in platform.secrets if secret.encode() in backup.read_bytes()]
        assert platform.admin_token not in leaked and agent.token not in leaked
    restored = command(build, tmp_path, "restore", backup, "--data", tmp_path / "new")
    assert restored.returncode == 0, restored
    assert restored.stdout.startswith(f"{tmp_path / 'new'}: 1 workspaces, ")
    assert not list((tmp_path / "new").glob(".*.part*"))
    with Platform(build, data_dir=tmp_path / "new") as platform:
        assert texts(platform, agent) == ["before the backup"]
        assert content_of(platform, agent, file) == big
        assert content_of(platform, agent, empty) == ""
        assert platform.heartbeat(agent).status == 200
        assert platform.send(agent, "goes on").status == 200
    with sqlite3.connect(tmp_path / "new" / "platform.db") as database:
        assert not database.execute("SELECT * FROM sqlite_schema WHERE name LIKE 'backup%'").fetchall()


def test_a_backup_is_of_one_moment_while_messages_come(build, tmp_path):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        platform.register(agent)
        acknowledged, ended = [], threading.Event()

        def write():
            number = 0
            while not ended.is_set():
                assert platform.send(agent, str(number)).status == 200
                acknowledged.append(number)
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            while len(acknowledged) < 20:
                assert writer.is_alive()
            for number in range(3):
                seen = len(acknowledged)
                made = command(build, tmp_path, "backup", tmp_path / f"{number}", "--data", platform.data_dir)
                assert made.returncode == 0, made
                with sqlite3.connect(tmp_path / f"{number}") as backup:
                    rows = backup.execute("SELECT request_body FROM activity WHERE method = 'message/send'"
                                          " ORDER BY seq").fetchall()
                found = [int(json.loads(row[0])["params"]["message"]["parts"][0]["text"]) for row in rows]
                assert found == list(range(len(found))) and len(found) >= seen
        finally:
            ended.set()
            writer.join()


def test_an_expired_or_lost_file_does_not_stop_a_backup(build, tmp_path):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        kept, lost = upload(platform, agent, "kept", b"kept"), upload(platform, agent, "lost", b"lost")
        (platform.data_dir / "uploads" / lost).unlink()
        made = command(build, tmp_path, "backup", tmp_path / "b", "--data", platform.data_dir, "--json")
        assert made.returncode == 0, made
        assert json.loads(made.stdout)["missing_files"] == 1 and lost in made.stderr
    assert command(build, tmp_path, "restore", tmp_path / "b", "--data", tmp_path / "new").returncode == 0
    with Platform(build, data_dir=tmp_path / "new") as platform:
        assert content_of(platform, agent, kept) == "kept"
        assert content_of(platform, agent, lost).status == 404


def test_restore_replaces_a_store_only_by_force_and_never_a_used_one(build, tmp_path):
    backup = tmp_path / "b"
    with Platform(build, data_dir=tmp_path / "data") as platform:
        agent = platform.create_workspace("agent")
        platform.register(agent)
        assert command(build, tmp_path, "backup", backup, "--data", platform.data_dir).returncode == 0
        platform.send(agent, "too late for the backup")
        used = command(build, tmp_path, "restore", backup, "--data", platform.data_dir, "--force")
        assert used.returncode == 1 and "another molecule-platform uses" in used.stderr
        token = platform.admin_token
        platform.kill9()  # its log stays
        refused = command(build, tmp_path, "restore", backup, "--data", platform.data_dir)
        assert refused.returncode == 1 and "--force" in refused.stderr
        platform.start()
        assert texts(platform, agent) == ["too late for the backup"]
        platform.kill9()
        done = command(build, tmp_path, "restore", backup, "--data", platform.data_dir, "--force")
        assert done.returncode == 0, done
        platform.start()
        assert texts(platform, agent) == [] and platform.admin_token == token
        assert platform.status_of(agent) == "online"


def damaged(backup, path):
    content = bytearray(backup.read_bytes())
    content[len(content) // 2:len(content) // 2 + 8192] = b"\xff" * 8192
    path.write_bytes(content)


def newer(backup, path):
    shutil.copy(backup, path)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO schema_migrations VALUES (999, 'later', 'x', 0)")


def outward(backup, path):
    shutil.copy(backup, path)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO backup_parts VALUES ('../../escaped', 0, x'00')")


@pytest.mark.parametrize(("change", "why"), [
    (damaged, "damaged|malformed"), (newer, "newer molecule-platform"), (outward, "no platform made"),
    (lambda _, path: path.write_bytes(b"a text"), "not a database"),
    (lambda _, path: sqlite3.connect(path).execute("CREATE TABLE t (x)"), "not a backup"),
    (lambda _, path: None, "cannot open|unable to open"),
], ids=["damaged", "newer", "outward", "text", "foreign", "absent"])
def test_what_is_no_whole_backup_changes_nothing(build, tmp_path, change, why):
    backup, wrong, data = tmp_path / "b", tmp_path / "wrong", tmp_path / "data"
    with Platform(build, data_dir=data) as platform:
        agent = platform.create_workspace("agent")
        platform.register(agent)
        for number in range(50):
            platform.send(agent, "x" * 1000 + str(number))
        assert command(build, tmp_path, "backup", backup, "--data", data).returncode == 0
    change(backup, wrong)
    before = (data / "platform.db").read_bytes()
    ended = command(build, tmp_path, "restore", wrong, "--data", data, "--force")
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1, ended
    assert any(part in ended.stderr for part in why.split("|")), ended
    assert (data / "platform.db").read_bytes() == before
    assert {path.name for path in data.iterdir()} == {"platform.db", "admin_token", "lock", "uploads"}
    assert not list(tmp_path.rglob("escaped"))
    nowhere = command(build, tmp_path, "restore", wrong, "--data", tmp_path / "nowhere")
    if change is not outward:
        assert nowhere.returncode == 1
        assert not (tmp_path / "nowhere" / "platform.db").exists()


def test_only_a_backup_is_replaced(build, tmp_path):
    with Platform(build) as platform:
        store = platform.data_dir / "platform.db"
        for place in (store, platform.data_dir, tmp_path / "notes.txt"):
            if not place.exists():
                place.write_text("mine")
            ended = command(build, tmp_path, "backup", place, "--data", platform.data_dir)
            assert ended.returncode == 1 and "not a backup" in ended.stderr, ended
        assert (tmp_path / "notes.txt").read_text() == "mine"
        backup = tmp_path / "b"
        for _ in range(2):
            assert command(build, tmp_path, "backup", backup, "--data", platform.data_dir).returncode == 0
        assert platform.create_workspace("still works")
    absent = command(build, tmp_path, "backup", tmp_path / "c", "--data", tmp_path / "none")
    assert absent.returncode == 1 and "there is no store" in absent.stderr
    assert not (tmp_path / "none").exists() and not (tmp_path / "c").exists()
    full = command(build, tmp_path, "backup", "/dev/full/b", "--data", tmp_path / "none")
    assert full.returncode == 1


def test_a_full_disk_leaves_the_last_backup(build, tmp_path):
    backup = tmp_path / "b"
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        assert command(build, tmp_path, "backup", backup, "--data", platform.data_dir).returncode == 0
        before = backup.read_bytes()
        upload(platform, agent, "large", b"x" * (4 << 20))
        ended = subprocess.run(
            ["sh", "-c", 'ulimit -f 4096; trap "" XFSZ; exec "$@"', "sh",
             str(build / "molecule-platform"), "backup", str(backup), "--data", str(platform.data_dir)],
            capture_output=True, text=True, env=child_env(tmp_path), timeout=DEADLINE)
        assert ended.returncode == 1 and "no backup was made" in ended.stderr, ended
    assert backup.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"b"}


def read_terminal(ours):
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # the other end is closed, and everything was read
    os.close(ours)
    return shown.decode()


def test_a_terminal_sees_the_progress(build, tmp_path):
    with Platform(build) as platform:
        ours, theirs = pty.openpty()
        ended = subprocess.run([str(build / "molecule-platform"), "backup", str(tmp_path / "b"), "--data",
                                str(platform.data_dir)], stdout=subprocess.PIPE, stderr=theirs, text=True,
                               env=child_env(tmp_path), timeout=DEADLINE)
        os.close(theirs)
        shown = read_terminal(ours)
    assert ended.returncode == 0 and ended.stdout.startswith(f"{tmp_path / 'b'}: ")
    assert "pages: 100 %" in shown and shown.endswith("\r\x1b[K"), shown


@pytest.mark.parametrize("arguments", [["backup"], ["restore"], ["backup", "a", "--force"], ["backup", ""]],
                         ids=" ".join)
def test_usage(build, tmp_path, arguments):
    ended = command(build, tmp_path, *arguments)
    assert ended.returncode == 2 and ended.stderr and not ended.stdout, ended
