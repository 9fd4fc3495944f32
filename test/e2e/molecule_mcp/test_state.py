"""The state folder (molecule-mcp.md 3)."""

import os
import shutil
import stat

import pytest

from support.fake_platform import Reply
from support.mcp import McpProcess
from support.run import as_nobody, open_folder, refused


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def filled(child, fake):
    """Makes the child write every file that it ever writes."""
    child.initialize()
    fake.add_message("one")
    child.wait_messages(1)
    fake.wait_for("heartbeat")
    fake.wait_for("activity", where=lambda r: "since_id" in r.query)


def test_3_configs_dir_is_created_and_everything_in_it_is_private(spawn, fake, tmp_path):
    folder = tmp_path / "made" / "on demand"
    child = spawn({"CONFIGS_DIR": str(folder)}, speed=20, umask=0)
    filled(child, fake)
    child.wait_until(lambda: (folder / ".mcp_inbox_cursor").exists(), "cursor file")
    assert mode(folder) == 0o700
    names = {p.name for p in folder.iterdir()}
    assert {".platform_inbound_secret", ".mcp_inbox_cursor", "inbox.db"} <= names
    for path in folder.iterdir():
        assert mode(path) == 0o600, path.name
    assert (folder / ".platform_inbound_secret").read_text().strip() == fake.inbound_secret
    assert (folder / ".mcp_inbox_cursor").read_text() in (fake.rows[0]["id"], fake.rows[0]["id"] + "\n")


def test_3_the_default_is_in_the_home_folder(spawn, fake, base_env):
    if os.path.exists("/configs"):
        pytest.skip("this machine has /configs")
    child = spawn({"CONFIGS_DIR": None}, speed=20, umask=0)
    filled(child, fake)
    folder = os.path.join(base_env["HOME"], ".molecule-workspace")
    assert mode(folder) == 0o700
    assert mode(os.path.join(folder, "inbox.db")) == 0o600


def test_3_an_existing_folder_keeps_its_mode(spawn, fake, state):
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    filled(spawn(speed=20), fake)
    assert mode(state) == 0o755


def test_3_files_readable_by_others_become_private(spawn, fake, state):
    state.mkdir()
    for name in (".platform_inbound_secret", ".mcp_inbox_cursor"):
        (state / name).write_text("old")
        (state / name).chmod(0o644)
    child = spawn(speed=20)
    filled(child, fake)
    for name in (".platform_inbound_secret", ".mcp_inbox_cursor"):
        child.wait_until(lambda: mode(state / name) == 0o600, name, 5)


def test_3_a_folder_that_cannot_be_created_exits_2(mcp_binary, env, fake, tmp_path):
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "state")
    refused(mcp_binary, {**env, "CONFIGS_DIR": folder}, folder, "Not a directory")
    assert fake.seen("*") == []


def test_3_a_file_in_place_of_the_folder_exits_2(mcp_binary, env, tmp_path):
    (tmp_path / "file").write_text("")
    refused(mcp_binary, {**env, "CONFIGS_DIR": str(tmp_path / "file")}, str(tmp_path / "file"))


def test_3_a_folder_without_permission_exits_2(mcp_binary, env):
    with open_folder() as folder:
        for name, bits in (("read only", 0o555), ("unsearchable", 0o400)):
            (folder / name).mkdir()
            (folder / name).chmod(bits)
            (folder / name).touch()
            if os.geteuid() == 0:
                os.chown(folder / name, as_nobody()["user"], as_nobody()["group"])
            path = str(folder / name)
            refused(mcp_binary, {**env, "CONFIGS_DIR": path}, path, "ermission denied", **as_nobody())
            below = str(folder / name / "below")
            refused(mcp_binary, {**env, "CONFIGS_DIR": below}, below, "ermission denied", **as_nobody())


def test_3_no_home_and_no_configs_dir_exits_2_or_works(mcp_binary, env, fake, token):
    """Without HOME the user database names the home folder; the current folder must not be used."""
    with open_folder() as folder:
        changed = {k: v for k, v in env.items() if k not in ("HOME", "CONFIGS_DIR")}
        child = McpProcess(mcp_binary, changed, secrets={token}, cwd=str(folder), **as_nobody())
        child.close_stdin()
        child.expected_exit = child.wait_exit()[0]
        child.finish()
        assert child.expected_exit in (0, 2)
        assert list(folder.iterdir()) == []


def test_3_an_update_replaces_the_file_by_rename(spawn, fake, state):
    child = spawn(speed=40)
    path = state / ".platform_inbound_secret"
    child.wait_until(path.exists, "the secret")
    with open(path) as before:
        fake.inbound_secret, first = "rotated-" + "s" * 40, fake.inbound_secret
        child.wait_until(lambda: path.read_text().strip() == fake.inbound_secret, "the new secret")
        assert before.read().strip() == first  # the old file is intact, not rewritten in place
    assert mode(path) == 0o600
    assert {p.name for p in state.iterdir()} <= {
        ".platform_inbound_secret", ".mcp_inbox_cursor", "inbox.db", "inbox.db-wal", "inbox.db-shm",
        "sessions.lock", "status.json", ".workspace_id"}


def test_3_the_cursor_of_the_python_runtime_is_taken_over(spawn, fake, state):
    for text in ("before", "before too"):
        fake.add_message(text)
    fake.add_message("after")
    state.mkdir()
    (state / ".mcp_inbox_cursor").write_text(fake.rows[1]["id"])
    child = spawn(speed=20)
    child.initialize()
    assert [m["text"] for m in child.wait_messages(1)] == ["after"]
    assert fake.seen("activity")[0].query["since_id"] == fake.rows[1]["id"]


def test_3_a_cursor_moved_by_the_python_runtime_is_followed(spawn, fake, state):
    fake.add_message("ours")
    first = spawn(speed=20)
    first.initialize()
    first.wait_messages(1)
    first.wait_until((state / ".mcp_inbox_cursor").exists, "cursor")
    first.finish()
    theirs = fake.add_message("seen by the other runtime")
    fake.add_message("new")
    (state / ".mcp_inbox_cursor").write_text(theirs)
    second = spawn(speed=20)
    second.initialize()
    assert [m["text"] for m in second.wait_messages(2)] == ["ours", "new"]


@pytest.mark.parametrize("content", [b"", b"garbage\n", b"\xff\xfe\x00", b"../../x", b"x" * 100_000,
                                     b"11111111-2222-4333-8444-555555555555\nmore\n"])
def test_3_a_corrupt_cursor_file_starts_over(spawn, fake, state, content):
    fake.add_message("hello")
    state.mkdir()
    (state / ".mcp_inbox_cursor").write_bytes(content)
    fake.script("activity", lambda r: Reply(500, {"error": "cursor lookup failed"})
                if "since_id" in r.query else fake._activity(r))
    child = spawn(speed=20)
    child.initialize()
    assert [m["text"] for m in child.wait_messages(1)] == ["hello"]


def test_3_a_corrupt_inbox_is_reported_and_left_alone(spawn, fake, state):
    state.mkdir()
    (state / "inbox.db").write_bytes(b"this is not a database\n" * 500)
    child = spawn(speed=20)
    child.initialize()
    result = child.call("inbox_peek")
    assert result.failed and "inbox.db" in result.text
    fake.wait_for("heartbeat", 2)  # presence does not depend on the inbox
    assert child.ping() < 5
    child.wait_stderr("inbox.db")
    assert (state / "inbox.db").read_bytes().startswith(b"this is not a database")


@pytest.mark.parametrize("name", [".platform_inbound_secret", ".mcp_inbox_cursor"])
def test_3_an_unwritable_file_stops_nothing(spawn, fake, state, name):
    """A folder in place of the file makes every write fail, even for root."""
    (state / name / "inside").mkdir(parents=True)
    child = spawn(speed=40)
    child.initialize()
    fake.wait_for("heartbeat", 3)
    id = fake.add_message("arrives")
    assert child.wait_messages(1)[0]["activity_id"] == id
    child.call("inbox_pop", activity_id=id)
    fake.add_message("second")
    assert [m["text"] for m in child.wait_messages(1)] == ["second"]
    child.wait_stderr(name)


def test_3_a_folder_that_becomes_read_only_does_not_stop_the_heartbeat(mcp_binary, env, fake, token, speedup):
    with open_folder() as outer:
        faster = speedup(40)
        faster["LD_PRELOAD"] = shutil.copy(faster["LD_PRELOAD"], outer)  # pytest's folder is private
        folder = outer / "state"
        folder.mkdir()
        folder.chmod(0o777)
        changed = {**env, "CONFIGS_DIR": str(folder), **faster}
        child = McpProcess(mcp_binary, changed, secrets={token, fake.inbound_secret}, **as_nobody())
        try:
            fake.wait_for("heartbeat")
            child.wait_until((folder / ".platform_inbound_secret").exists, "secret")
            folder.chmod(0o555)
            fake.inbound_secret = "rotated-" + "s" * 40
            child.secrets.add(fake.inbound_secret)
            fake.next("heartbeat", 3)
            child.wait_stderr(".platform_inbound_secret")
        finally:
            folder.chmod(0o777)
            child.finish()
