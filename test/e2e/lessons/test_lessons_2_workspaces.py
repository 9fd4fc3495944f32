"""Several workspaces in one process (lessons.md 2.18, molecule-mcp.md 2): each has its own
credentials, state and presence; a bad token only affects its own workspace; replies leave from
the workspace that received the message."""

import contextlib
import json
import os
import resource
import threading
import uuid
from pathlib import Path

import pytest

from support.deadline import DEADLINE
from support.fake_platform import HANG, Reply, envelope
from support.platform import until
from support.run import refused, run
from e2e.molecule_platform.test_files import upload


@pytest.fixture
def several(spawn, platform, tmp_path):
    """A function that starts one process for the workspaces; `tokens` overrides some tokens."""
    def start(workspaces, tokens=None, **rest):
        entries = [{"id": w.id, "token": (tokens or {}).get(w.id, w.token)} for w in workspaces]
        return spawn({"WORKSPACE_ID": None, "MOLECULE_WORKSPACE_TOKEN": None, "PLATFORM_URL": platform.url,
                      "MOLECULE_WORKSPACES": json.dumps(entries)},
                     speed=10, secrets=[e["token"] for e in entries], **rest)
    return start


def test_lesson_2_18_one_bad_token_ends_its_own_workspace_only(several, platform, state):
    a, b, c = (platform.create_workspace(name) for name in "abc")
    child = several([a, b, c], {b.id: "wrong-" + "x" * 37})
    child.initialize()
    for good in (a, c):
        until(lambda: platform.status_of(good) == "online", what="both online")
    child.wait_stderr("rejected register for workspace " + b.id)
    assert child.stderr_text.count(a.id) == child.stderr_text.count(c.id) == 0
    peers = child.call("list_peers")
    assert not peers.failed and b.id in peers.text and "cannot be used" in peers.text
    assert f"through: {a.id}" in peers.text and f"through: {c.id}" in peers.text
    refused_call = child.call("commit_memory", content="x", source_workspace_id=b.id)
    assert refused_call.failed and "Tokens tab" in refused_call.text
    assert not child.call("commit_memory", content="x", source_workspace_id=c.id).failed
    assert platform.status_of(b) != "online"
    assert {p.name for p in state.iterdir()} == {a.id, b.id, c.id}
    secrets = {(state / w.id / ".platform_inbound_secret").read_text() for w in (a, c)}
    assert len(secrets) == 2
    child.secrets |= secrets


def owner_of(mcp_binary, child_env, workspace):
    shown = json.loads(run(mcp_binary, child_env, "status", "--json").stdout)["workspaces"]
    return next(one["owner"] for one in shown if one["workspace"] == workspace)


def test_lesson_2_18_a_disabled_workspace_is_shown_as_disabled_and_is_free(several, spawn, platform, mcp_binary,
                                                                 env):
    good, bad = platform.create_workspace("good"), platform.create_workspace("bad")
    entries = [{"id": good.id, "token": good.token}, {"id": bad.id, "token": "wrong-" + "x" * 37}]
    listed = {**env, "MOLECULE_WORKSPACES": json.dumps(entries), "PLATFORM_URL": platform.url}
    child = several([good, bad], {bad.id: entries[1]["token"]})
    child.initialize()
    child.wait_stderr("store it in MOLECULE_WORKSPACES[1].token")
    owner = until(lambda: (o := owner_of(mcp_binary, listed, bad.id))["state"] == "disabled" and o)
    assert owner["pid"] == child.pid and "rejected register for workspace " + bad.id in owner["reason"]
    shown = run(mcp_binary, listed, "status").stdout
    shown = shown[shown.index(bad.id):]
    assert f"process {child.pid}, disabled: the platform rejected" in shown and "suspended" not in shown
    checks = run(mcp_binary, listed, "doctor").stdout
    checks = checks[checks.index(bad.id):]
    assert f"process {child.pid}, disabled: the platform rejected" in checks and "CONT" not in checks
    # A process with the right token can take it over.
    other = spawn({"WORKSPACE_ID": bad.id, "MOLECULE_WORKSPACE_TOKEN": bad.token, "PLATFORM_URL": platform.url},
                  speed=10, secrets=[bad.token])
    other.initialize()
    until(lambda: platform.status_of(bad) == "online", what="online")
    owner = owner_of(mcp_binary, listed, bad.id)
    assert owner["state"] != "disabled" and owner["pid"] == other.pid


def test_lesson_2_18_processes_with_the_same_bad_token_each_try_it_once(spawn, fake, token):
    good, bad = str(uuid.uuid4()), str(uuid.uuid4())
    fake.always("register", lambda r: Reply(401, {"error": "invalid workspace auth token"})
                if r.json["id"] == bad else fake._register(r))
    entries = [{"id": one, "token": token} for one in (good, bad)]
    children = [spawn({"WORKSPACE_ID": None, "MOLECULE_WORKSPACE_TOKEN": None,
                       "MOLECULE_WORKSPACES": json.dumps(entries)}, speed=10) for _ in range(3)]
    for child in children:
        child.initialize()
    for child in children:
        child.wait_stderr("rejected register for workspace " + bad)
    fake.next("heartbeat", 3)
    assert len([r for r in fake.seen("register") if r.json["id"] == bad]) == len(children)
    assert all(child.stderr_text.count("rejected") == 1 for child in children)


def test_lesson_2_18_replies_leave_from_the_workspace_that_received(several, platform):
    a, b, friend = (platform.create_workspace(name) for name in ("a", "b", "friend"))
    child = several([a, b])
    child.initialize()
    until(lambda: platform.status_of(b) == "online", what="online")
    platform.send(b, "from the user")
    got = child.call("wait_for_message", timeout_secs=300).json
    assert got["text"] == "from the user" and got["arrival_workspace_id"] == b.id
    assert not child.call("send_message_to_user", message="hello", workspace_id=b.id).failed
    shown = platform.activity(b).body
    assert any("hello" in json.dumps(row) for row in shown)
    assert not any("hello" in json.dumps(row) for row in platform.activity(a).body)
    assert child.call("inbox_pop", activity_id=got["activity_id"]).json["removed"]

    platform.send(b, "from a peer", caller=friend)
    got = child.call("wait_for_message", timeout_secs=300).json
    assert got["peer_id"] == friend.id and got["arrival_workspace_id"] == b.id
    child.call("delegate_task", workspace_id=friend.id, task="an answer")
    rows = platform.activity(friend, type="a2a_receive").body
    assert [row["source_id"] for row in rows] == [b.id]


def test_lesson_2_18_all_problems_of_the_list_are_reported_at_once(mcp_binary, env, workspace_id):
    entries = [{"id": workspace_id[:8], "token": "t"}, 5, {"id": workspace_id},
               {"id": workspace_id, "token": "ROTATE_TO_REVEAL_TOKEN", "platform_url": "ftp://x"}]
    changed = {**env, "WORKSPACE_ID": "", "MOLECULE_WORKSPACES": json.dumps(entries)}
    refused(mcp_binary, changed, "MOLECULE_WORKSPACES[0].id", "MOLECULE_WORKSPACES[1]",
            "MOLECULE_WORKSPACES[2].token", "MOLECULE_WORKSPACES[3].id", "[3].platform_url", "[3].token")


def test_lesson_2_18_an_unknown_workspace_is_named_with_the_known_ones(several, platform, workspace_id):
    a, b = platform.create_workspace("a"), platform.create_workspace("b")
    child = several([a, b])
    child.initialize()
    result = child.call("send_message_to_user", message="x", workspace_id=workspace_id)
    assert result.failed and a.id in result.text and b.id in result.text
    tools = {t["name"]: t for t in child.request("tools/list")["result"]["tools"]}
    for name in ("send_message_to_user", "delegate_task"):
        assert "source_workspace_id" in tools[name]["inputSchema"]["properties"]


def many(fake, token, count):
    """The variables for `count` workspaces on the fake platform."""
    entries = [{"id": str(uuid.uuid4()), "token": token} for _ in range(count)]
    return {"WORKSPACE_ID": None, "MOLECULE_WORKSPACE_TOKEN": None,
            "MOLECULE_WORKSPACES": json.dumps(entries)}


def open_files(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_lesson_2_18_many_workspaces_raise_the_limit_of_open_files(spawn, fake, token):
    child = spawn(many(fake, token, 40), preexec_fn=open_files(64, 1024))
    child.initialize()
    fake.wait_for("heartbeat", 40)
    fake.wait_for("activity", 40)
    assert resource.prlimit(child.pid, resource.RLIMIT_NOFILE) == (1024, 1024)
    assert child.stderr_text == ""


def test_lesson_2_18_a_limit_of_open_files_that_is_too_low_is_reported(spawn, fake, token, sanitized):
    if sanitized:
        pytest.skip("without a free descriptor UBSan takes valid objects for invalid ones")
    child = spawn(many(fake, token, 40), preexec_fn=open_files(64, 64))
    child.initialize()
    child.wait_stderr("40 workspaces need about 400 open files, but the limit is 64")
    fake.wait_for("heartbeat")
    assert child.ping() < 5


def test_lesson_2_18_no_workspace_has_more_open_files_than_assumed(several, platform, state):
    workspaces = [platform.create_workspace(name) for name in "ab"]
    child = several(workspaces)
    child.initialize()
    for one in workspaces:
        file = upload(platform, one, ("plan.txt", b"text")).body["files"][0]
        body = envelope("", parts=[{"kind": "file", "file": file}])
        assert platform.admin("POST", f"/workspaces/{one.id}/a2a", body).status == 200
    child.wait_messages(2)
    opened = []
    for entry in Path(f"/proc/{child.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # files being read come and go
            opened.append(os.readlink(entry))
    for one in workspaces:
        assert 5 < len([path for path in opened if path.startswith(str(state / one.id))]) <= 9, opened


@pytest.fixture
def twins(platform):
    """Two workspaces whose ids share the first eight characters; no route creates such ids."""
    made = [platform.create_workspace(name) for name in ("twin", "other twin")]
    alike = [w._replace(id=made[0].id[:8] + str(uuid.uuid4())[8:]) for w in made]
    changes = []
    for old, new in zip(made, alike):
        changes += [f"UPDATE workspaces SET id = '{new.id}' WHERE id = '{old.id}'",
                    f"UPDATE workspace_tokens SET workspace_id = '{new.id}' WHERE workspace_id = '{old.id}'"]
    platform.change_database(*changes)
    return alike


def test_lesson_2_18_ids_with_the_same_prefix_share_no_folder_secret_cursor_or_file(
        several, twins, platform, state):
    a, b = twins
    child = several(twins)
    child.initialize()
    for workspace in twins:
        file = upload(platform, workspace, ("plan.txt", workspace.id.encode())).body["files"][0]
        body = envelope("", parts=[{"kind": "text", "text": "see"}, {"kind": "file", "file": file}])
        assert platform.admin("POST", f"/workspaces/{workspace.id}/a2a", body).status == 200
    messages = {m["arrival_workspace_id"]: m for m in child.wait_messages(2)}
    assert set(messages) == {a.id, b.id}
    folders = {w.id: state / w.id for w in twins}
    assert {p.name for p in state.iterdir()} == set(folders)
    for id, folder in folders.items():
        [path] = (folder / "uploads").iterdir()
        assert path.read_text() == id
        assert messages[id]["attachments"][0]["uri"] == path.as_uri()
        assert (folder / ".mcp_inbox_cursor").read_text().strip() == messages[id]["activity_id"]
    kept = {id: (folder / ".platform_inbound_secret").read_text().strip()
            for id, folder in folders.items()}
    assert kept == {w.id: platform.heartbeat(w).body["platform_inbound_secret"] for w in twins}
    assert len(set(kept.values())) == 2
    child.call("inbox_pop", activity_id=messages[a.id]["activity_id"])
    child.finish()

    again = several(twins)  # each continues at its own cursor
    again.initialize()
    for workspace in twins:
        platform.send(workspace, "later")
    texts = [(m["arrival_workspace_id"], m["text"]) for m in again.wait_messages(3)]
    assert sorted(texts) == sorted([(a.id, "later"), (b.id, "later"), (b.id, "see")])
    child.secrets |= set(kept.values())


def test_lesson_2_18_all_workspaces_register_concurrently(spawn, fake, token):
    """The platform responds to no register before the last of them has arrived."""
    count = 8
    together = threading.Barrier(count, timeout=DEADLINE)

    def answer(request):
        together.wait()
        return Reply(body={"status": "registered", "delivery_mode": "poll"})

    fake.script("register", *[answer] * count)
    child = spawn(many(fake, token, count))
    child.initialize()
    fake.wait_for("heartbeat", count)
    assert not together.broken
    registered = [r.json["id"] for r in fake.seen("register")]
    assert len(registered) == len(set(registered)) == count


def test_lesson_2_18_a_hanging_register_delays_no_other_workspace(spawn, fake, token):
    variables = many(fake, token, 3)
    slow, *others = (entry["id"] for entry in json.loads(variables["MOLECULE_WORKSPACES"]))
    registered = Reply(body={"status": "registered", "delivery_mode": "poll"})
    fake.always("register", lambda r: HANG if r.json["id"] == slow else registered)
    child = spawn(variables)
    child.initialize()
    for id in others:
        fake.wait_for("heartbeat", where=lambda r: r.json["workspace_id"] == id)
        fake.wait_for("activity", where=lambda r: r.id == id)
    assert fake.hung_up == 0, "only after that register was given up"
