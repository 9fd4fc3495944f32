"""molecule-mcp status (molecule-mcp.md 1): what the state folders record, without network
access."""

import json
import signal
import uuid
from datetime import datetime, timezone

import pytest

from support.fake_platform import Reply
from support.platform import until
from support.run import run


@pytest.fixture
def status(mcp_binary, env):
    """A function: the workspaces in `status --json`."""

    def ask(changes=None):
        ended = run(mcp_binary, {**env, **(changes or {})}, "status", "--json")
        assert ended.returncode == 0 and ended.stderr == "", ended
        return json.loads(ended.stdout)["workspaces"]

    return ask


@pytest.fixture
def shown(mcp_binary, env):
    """A function: the lines of `status` in its text form, by their labels."""

    def ask():
        ended = run(mcp_binary, env, "status")
        assert ended.returncode == 0 and ended.stderr == "", ended
        return {line[:13].strip(): line[13:].strip() for line in ended.stdout.splitlines()}

    return ask


def recent(time):
    ago = datetime.now(timezone.utc) - datetime.fromisoformat(time.replace("Z", "+00:00"))
    return abs(ago.total_seconds()) < 30


def content(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*")
            if p.is_file() and not p.name.endswith("-shm")}


def test_1_status_before_the_first_start(status, shown, fake, state, workspace_id):
    assert status() == [{"workspace": workspace_id, "state_folder": str(state),
                         "owner": {"state": "none"}, "last_heartbeat": None, "last_poll": None,
                         "inbox": {"new": 0, "handed_out": 0}, "cursor": None, "last_error": None}]
    lines = shown()
    assert lines["owner"].startswith("none") and lines["heartbeat"] == "none yet"
    assert not state.exists()
    assert fake.seen("*") == []


def test_1_status_of_a_running_session(status, shown, spawn, fake, workspace_id):
    child = spawn()
    child.initialize()
    for text in ("one", "two", "three"):
        fake.add_message(text)
    child.wait_messages(3)
    fake.wait_for("heartbeat")
    first = child.call("wait_for_message").json["activity_id"]
    (found,) = until(lambda: (s := status()) and s[0]["last_heartbeat"] and s[0]["last_poll"] and s)
    assert found["workspace"] == workspace_id
    assert found["owner"]["state"] == "active" and found["owner"]["pid"] == child.pid
    assert recent(found["owner"]["since"]) and recent(found["last_heartbeat"])
    assert recent(found["last_poll"])
    # A push also hands messages out: what was not handed out is new.
    inbox = found["inbox"]
    assert inbox["new"] + inbox["handed_out"] == 3 and inbox["handed_out"] >= 1
    assert found["cursor"] == fake.rows[-1]["id"] and found["last_error"] is None
    lines = shown()
    assert lines["owner"].startswith(f"process {child.pid}, for ")
    assert lines["heartbeat"].endswith(" s ago") and lines["poll"].endswith(" s ago")
    assert lines["cursor"] == fake.rows[-1]["id"] and lines["last error"] == "none"
    assert child.call("inbox_pop", activity_id=first).json["removed"]
    (found,) = status()
    assert found["inbox"]["new"] + found["inbox"]["handed_out"] == 2


@pytest.mark.parametrize("ending", ["clean", "killed"])
def test_1_status_after_the_end_of_the_session_changes_nothing(status, spawn, fake, state, ending):
    child = spawn()
    child.initialize()
    fake.add_message("one")
    child.wait_messages(1)
    child.call("wait_for_message")
    fake.wait_for("heartbeat")
    until(lambda: status()[0]["last_heartbeat"])
    child.finish() if ending == "clean" else child.kill()
    before = content(state)
    seen = len(fake.seen("*"))
    (found,) = status()
    assert content(state) == before and len(fake.seen("*")) == seen
    assert found["owner"] == {"state": "none"}
    assert recent(found["last_heartbeat"])
    # Messages handed out to a session that has ended are new again.
    assert found["inbox"] == {"new": 1, "handed_out": 0}


def test_1_status_shows_the_last_error(status, shown, spawn, fake, token):
    fake.always("activity", Reply(503, {"error": f"down, and {token} too"}))
    child = spawn()
    child.initialize()
    (found,) = until(lambda: (s := status())[0]["last_error"] and s)
    assert recent(found["last_error"]["at"])
    assert found["last_error"]["text"].startswith("inbox: ") and "503" in found["last_error"]["text"]
    assert token not in json.dumps(found)
    assert "ago: inbox: " in shown()["last error"]


def test_1_status_of_a_suspended_owner(status, shown, spawn, fake):
    child = spawn()
    child.initialize()
    until(lambda: status()[0]["owner"]["state"] == "active")
    child.signal(signal.SIGSTOP)
    try:
        until(lambda: status()[0]["owner"]["state"] == "suspended", 30)
        assert shown()["owner"].endswith(", suspended")
    finally:
        child.signal(signal.SIGCONT)
    until(lambda: status()[0]["owner"]["state"] == "active", 30)


def test_1_status_follows_a_takeover(status, spawn, fake):
    first = spawn()
    first.initialize()
    until(lambda: status()[0]["owner"].get("pid") == first.pid)
    second = spawn()
    second.initialize()
    second.call("inbox_peek")
    assert status()[0]["owner"]["pid"] == first.pid
    first.kill()
    until(lambda: status()[0]["owner"].get("pid") == second.pid, 30)


def test_1_status_of_a_damaged_inbox(status, shown, state):
    state.mkdir()
    (state / "inbox.db").write_bytes(b"no database" * 500)
    (found,) = status()
    assert found["inbox"] is None and "inbox.db" in found["problem"]
    assert "inbox.db" in shown()["inbox"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff" * 2048, b'{"session":"x","pid":{}}',
                                  b'{"session":7,"pid":8,"since":"soon","last_error":"\\u001b[31m"}'])
def test_1_status_of_an_invalid_record(status, shown, state, text):
    state.mkdir()
    (state / "status.json").write_bytes(text)
    assert status()[0]["owner"] == {"state": "none"}
    assert "\x1b" not in str(shown())


def test_1_status_needs_only_the_state_folder(status, env, state):
    unset = {"WORKSPACE_ID": None, "PLATFORM_URL": None, "MOLECULE_WORKSPACE_TOKEN": None}
    assert status(unset)[0]["state_folder"] == str(state)


def test_1_status_of_several_workspaces(status, spawn, fake, token, workspace_id, state):
    other = str(uuid.uuid4())
    listed = json.dumps([{"id": workspace_id, "token": token}, {"id": other, "token": token}])
    child = spawn({"MOLECULE_WORKSPACES": listed})
    child.initialize()
    found = until(lambda: (s := status({"MOLECULE_WORKSPACES": listed})) and
                  all(w["last_heartbeat"] for w in s) and s)
    assert [w["workspace"] for w in found] == [workspace_id, other]
    assert {w["owner"]["pid"] for w in found} == {child.pid}
    assert found[1]["state_folder"] == str(state / other)


@pytest.mark.parametrize("listed", ["[", "[7]", '[{"id":"x","token":"t"}]'])
def test_1_status_fails_if_the_state_folders_are_unknown(mcp_binary, env, listed):
    ended = run(mcp_binary, {**env, "MOLECULE_WORKSPACES": listed}, "status", "--json")
    assert ended.returncode == 2 and ended.stdout == "" and "MOLECULE_WORKSPACES" in ended.stderr


@pytest.mark.parametrize("args", [["status", "--yaml"], ["status", "x"], ["status", "--json", "-v"]])
def test_1_wrong_usage_of_status(mcp_binary, env, args):
    ended = run(mcp_binary, env, *args)
    assert ended.returncode == 2 and ended.stdout == "" and "molecule-mcp help status" in ended.stderr


def test_1_doctor_names_the_process_that_serves_the_workspace(mcp_binary, env, spawn, status):
    child = spawn()
    child.initialize()
    until(lambda: status()[0]["owner"]["state"] == "active")
    checks = json.loads(run(mcp_binary, env, "doctor", "--json").stdout)["checks"]
    (owner,) = [c for c in checks if c["name"] == "owner"]
    assert owner["status"] == "OK" and f"process {child.pid} " in owner["detail"]
