"""Rotated tokens and removed workspaces (lessons.md 2.14, 2.15; molecule-mcp.md 2)."""

import contextlib
import json
import secrets
import signal
import uuid

import pytest

from support.fake_platform import FakePlatform, Reply

UNAUTHORIZED = Reply(401, {"error": "invalid workspace auth token"})


def accept_only(fake, token, *routes):
    for route in routes:
        fake.always(route, lambda r: getattr(fake, "_" + r.route)(r)
                    if r.headers.get("authorization") == f"Bearer {token}" else UNAUTHORIZED)


def test_lesson_2_14_a_rotated_token_takes_effect_at_once_in_every_process(spawn, fake, token, tmp_path):
    """Even in a process that sends neither heartbeats nor polls, and without a failed call."""
    path = tmp_path / "token"
    path.write_text(token)
    rotated = secrets.token_urlsafe(32)
    changes = {"MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": str(path)}
    owner = spawn(changes, speed=10, secrets=[rotated])
    owner.initialize()
    fake.wait_for("heartbeat")
    other = spawn(changes, speed=10, secrets=[rotated])
    other.initialize()
    assert not other.call("list_peers").failed
    accept_only(fake, rotated, "heartbeat", "activity", "peers", "register")
    path.write_text(rotated)
    for child in (other, owner):
        result = child.call("list_peers")
        assert not result.failed, result.text
    fake.next("heartbeat", 2, where=lambda r: r.headers["authorization"] == f"Bearer {rotated}")
    fake.next("activity", 2, where=lambda r: r.headers["authorization"] == f"Bearer {rotated}")
    assert owner.stderr_text == other.stderr_text == ""
    fake.assert_keeps_secrets([rotated])


def test_lesson_2_15_a_removed_workspace_stops_with_one_clear_message(spawn, fake, workspace_id):
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("heartbeat")
    fake.wait_for("activity")
    removed = {"error": "workspace removed", "id": workspace_id, "removed_at": "2026-05-01T10:00:00Z",
               "hint": "Regenerate workspace and token"}
    fake.always("info", Reply(410, removed))
    for route in ("heartbeat", "activity", "peers", "commit", "register"):
        fake.always(route, UNAUTHORIZED)
    child.wait_stderr("was removed from the platform at 2026-05-01T10:00:00Z")
    heartbeats, polls = len(fake.seen("heartbeat")), len(fake.seen("activity"))
    for name, arguments in (("list_peers", {}), ("commit_memory", {"content": "x"}),
                            ("send_message_to_user", {"message": "x"})):
        result = child.call(name, **arguments)
        assert result.failed and workspace_id in result.text, (name, result.text)
    info = child.call("get_workspace_info")
    assert info.failed and "2026-05-01T10:00:00Z" in info.text
    fake.always("info", None)
    other = spawn({"MOLECULE_MCP_DISABLE_HEARTBEAT": "1", "MOLECULE_MCP_DISABLE_INBOX": "1"}, speed=20)
    other.initialize()
    other.call("wait_for_message", timeout_secs=0)
    assert other.ping() < 5 and child.ping() < 5
    assert len(fake.seen("heartbeat")) == heartbeats and len(fake.seen("activity")) <= polls + 1
    assert child.stderr_text.count("was removed") == 1


@pytest.mark.parametrize("changes", [{}, {"MOLECULE_MCP_DISABLE_HEARTBEAT": "1"}])
@pytest.mark.parametrize("refusal", [UNAUTHORIZED, Reply(410, {"error": "workspace removed"})])
def test_lesson_2_15_a_removed_workspace_is_noticed_although_its_heartbeats_succeed(
        spawn, fake, workspace_id, changes, refusal):
    """Only the poll and the workspace's own route show it (platform-api.md 1.2)."""
    fake.add_message("hello")
    child = spawn(changes, speed=20)
    child.initialize()
    child.wait_messages(1)
    fake.always("info", Reply(410, {"error": "workspace removed", "id": workspace_id,
                                    "removed_at": None}))
    fake.always("activity", refusal)
    child.wait_stderr(f"workspace {workspace_id} was removed from the platform")
    with contextlib.closing(FakePlatform()) as elsewhere:
        spawn({"PLATFORM_URL": elsewhere.url, "CONFIGS_DIR": None}, speed=20).initialize()
        # What was on its way at the removal has arrived after one beat of another process.
        elsewhere.wait_for("heartbeat", 1)
        before = len(fake.requests)
        elsewhere.wait_for("heartbeat", 4)
        elsewhere.wait_for("activity", 4)
    assert len(fake.requests) == before
    assert child.ping() < 5 and child.stderr_text.count("was removed") == 1


def test_lesson_2_14_a_standby_that_takes_over_with_a_rejected_token_recovers(spawn, fake):
    owner = spawn(speed=10)
    owner.initialize()
    fake.wait_for("heartbeat")
    standby = spawn(speed=10)
    standby.initialize()
    assert not standby.call("list_peers").failed
    for route in ("register", "heartbeat", "activity"):
        fake.always(route, UNAUTHORIZED)
    registered = len(fake.seen("register"))
    owner.kill()
    fake.wait_for("register", registered + 1)
    standby.wait_stderr("rejected in a row")
    assert standby.stderr_text.count("rejected the token") >= 2
    assert standby.ping() < 5 and not standby.call("list_peers").failed


@pytest.mark.parametrize("source", ["variable", "file", "state"])
def test_lesson_2_14_a_rejection_names_the_source_of_the_token(spawn, fake, token, tmp_path, state, source):
    fake.always("register", UNAUTHORIZED)
    path = state / ".auth_token" if source == "state" else tmp_path / "token"
    state.mkdir(mode=0o700)
    path.write_text(token)
    named = {"variable": "MOLECULE_WORKSPACE_TOKEN and", "state": f"{path} and",
             "file": f"MOLECULE_WORKSPACE_TOKEN_FILE ({path}) and"}[source]
    child = spawn({"MOLECULE_WORKSPACE_TOKEN": token if source == "variable" else None,
                   "MOLECULE_WORKSPACE_TOKEN_FILE": str(path) if source == "file" else None})
    child.initialize()
    child.expect_exit(3)
    assert f"store it in {named} restart" in child.stderr_text


def test_lesson_2_14_sighup_reloads_the_token_and_exits_if_it_is_unchanged(spawn, fake, token, tmp_path):
    path = tmp_path / "token"
    path.write_text(token)
    rotated = secrets.token_urlsafe(32)
    child = spawn({"MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": str(path),
                   "MOLECULE_MCP_VERBOSE": "1"}, speed=10, secrets=[rotated])
    child.initialize()
    fake.wait_for("heartbeat")
    path.write_text(rotated)
    child.signal(signal.SIGHUP)
    child.wait_stderr(f"continues with the token of MOLECULE_WORKSPACE_TOKEN_FILE ({path})")
    fake.next("heartbeat", where=lambda r: r.headers["authorization"] == f"Bearer {rotated}")
    assert not child.call("list_peers").failed
    child.signal(signal.SIGHUP)
    child.expect_exit(0)
    fake.assert_keeps_secrets([rotated])


@pytest.mark.parametrize("found_by_a_call", [False, True])
def test_lesson_2_14_sighup_reenables_a_disabled_workspace(spawn, fake, token, state, found_by_a_call):
    """One of several workspaces, in a process that is still running."""
    good, bad = str(uuid.uuid4()), str(uuid.uuid4())
    (state / bad).mkdir(parents=True)
    (state / bad / ".auth_token").write_text("wrong-" + "x" * 37)
    accept_only(fake, token, "register", "heartbeat", "activity", "info")
    child = spawn({"WORKSPACE_ID": None, "MOLECULE_WORKSPACE_TOKEN": None,
                   "MOLECULE_WORKSPACES": json.dumps([{"id": good, "token": token}, {"id": bad}])},
                  speed=10)
    child.initialize()
    child.wait_stderr(f"store it in {state / bad / '.auth_token'}")
    (state / bad / ".auth_token").write_text(token)
    if found_by_a_call:
        child.call("get_workspace_info", source_workspace_id=bad)
        assert fake.seen("info")[-1].headers["authorization"] == f"Bearer {token}"
    child.signal(signal.SIGHUP)
    fake.wait_for("heartbeat", 2, where=lambda r: r.json["workspace_id"] == bad)
    fake.wait_for("activity", 2, where=lambda r: r.id == bad)
    assert not child.call("list_peers").failed
