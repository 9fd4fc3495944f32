"""What users of agent mailboxes ask for most (lessons.md 5, items numbered in order), on the
real platform with real sessions. Items 8 (a page for people) and 9 (hooks) have no tests yet,
because neither exists yet."""

import json
import shutil
import sqlite3
import uuid

import pytest

from support.fake_platform import envelope
from support.platform import Platform, database_of, text_of, until
from support.run import run
from e2e.molecule_platform.test_files import fetch, upload

CHANNEL = "notifications/claude/channel"


class Agent:
    """A workspace and the configuration of its sessions."""

    def __init__(self, spawn, platform, folder, name, environment):
        self.name, self.workspace = name, platform.create_workspace(name)
        self.id, self.token = self.workspace.id, self.workspace.token
        self.state = folder / name
        self.variables = {"PLATFORM_URL": platform.url, "WORKSPACE_ID": self.id,
                          "MOLECULE_WORKSPACE_TOKEN": self.token, "CONFIGS_DIR": str(self.state)}
        self.environment = {**environment, **self.variables}
        self._spawn, self._secrets = spawn, [self.token, platform.admin_token]

    def session(self, host="pytest", speed=20, **changes):
        child = self._spawn({**self.variables, **changes}, secrets=self._secrets, speed=speed)
        child.initialize("2025-06-18", host)
        return child


@pytest.fixture
def agent(spawn, platform, tmp_path, base_env):
    """A function that creates an agent on the real platform."""
    return lambda name, on=platform: Agent(spawn, on, tmp_path, name, base_env)


def heard(session):
    return session.call("wait_for_message", timeout_secs=300).json


def rows(platform, of):
    return platform.activity(of.workspace, type="a2a_receive").body


# --- 1 idle agents that get woken, with a pull path that always works -------------------------


def test_lesson_5_1_an_idle_agent_is_woken(agent, platform):
    ada = agent("Ada")
    session = ada.session("claude-code")
    platform.send(ada.workspace, "wake up")
    [push] = session.wait_notifications(CHANNEL)
    assert "wake up" in push["params"]["content"]
    [row] = rows(platform, ada)
    assert push["params"]["meta"]["activity_id"] == row["id"]


@pytest.mark.parametrize("host", ["claude-code", "a host without push"])
def test_lesson_5_1_pulling_works_with_and_without_a_push(agent, platform, host):
    """A wait that started before the message, and one that starts after it."""
    ada = agent("Ada")
    session = ada.session(host)
    waiting = session.start_tool("wait_for_message", {"timeout_secs": 300})
    session.ping()
    for text in ("first", "second"):
        platform.send(ada.workspace, text)
        message = session.tool_result(waiting).json if text == "first" else heard(session)
        assert message["text"] == text
        assert session.call("inbox_pop", activity_id=message["activity_id"]).json["removed"]
    if host != "claude-code":
        assert session.notifications(CHANNEL) == []


# --- 2 announced once, not every turn ---------------------------------------------------------


def test_lesson_5_2_a_message_is_announced_once_and_not_every_turn(agent, platform):
    """Each message arrives with a later poll than the one before, and after turns of the agent."""
    ada = agent("Ada")
    session = ada.session("claude-code")
    announced = []
    for n in range(1, 5):
        platform.send(ada.workspace, f"message {n}")
        session.wait_notifications(CHANNEL, n)
        assert len(session.call("inbox_peek").json) == n
        session.call("wait_for_message", timeout_secs=0)
        announced = [push["params"]["meta"]["activity_id"] for push in session.notifications(CHANNEL)]
        assert len(announced) == n
    assert announced == [row["id"] for row in reversed(rows(platform, ada))]


# --- 3 acknowledgement the sender can see -----------------------------------------------------


def handled_up_to(platform, who):
    """The user's view: acknowledging nothing returns the highest acknowledged number."""
    return platform.admin("POST", f"/workspaces/{who.id}/activity/ack",
                          {"acked_seq": 0}).body["last_acked_seq"]


def test_lesson_5_3_the_user_sees_what_was_received_and_what_was_handled(agent, platform):
    ada = agent("Ada")
    session = ada.session()
    for text in ("one", "two"):
        assert platform.send(ada.workspace, text).body["status"] == "queued"
    first, second = session.wait_messages(2)
    numbers = [row["seq"] for row in reversed(rows(platform, ada))]
    assert handled_up_to(platform, ada) < numbers[0], "a received message must not count as handled"
    session.call("inbox_pop", activity_id=first["activity_id"])
    until(lambda: handled_up_to(platform, ada) == numbers[1] - 1, what="the first is handled")
    session.call("inbox_pop", activity_id=second["activity_id"])
    until(lambda: handled_up_to(platform, ada) == numbers[1], what="both are handled")


def test_lesson_5_3_a_peer_sees_that_its_task_is_queued_and_then_which_was_answered(agent):
    ada, ben = agent("Ada"), agent("Ben")
    asking, asked = ada.session(), ben.session()
    delegated = asking.call("delegate_task_async", workspace_id=ben.id, task="2 + 2?").json
    id = delegated["delegation_id"]
    assert delegated["status"] == "delegated"

    def status():
        return asking.call("check_task_status", workspace_id=ben.id, task_id=id).json["status"]

    until(lambda: status() == "queued", what="queued at the peer")
    task = heard(asked)
    assert not asked.call("reply", activity_id=task["activity_id"], text="4").failed
    answer = heard(asking)
    assert (answer["text"], answer["task_id"], answer["peer_id"]) == ("4", id, ben.id)


# --- 4 no duplicates after a retry ------------------------------------------------------------


def test_lesson_5_4_a_repeated_message_is_one_message(agent, platform):
    """The sender repeats what got no response: before it is read, after it was handled, and
    after the receiver lost its cursor."""
    ada, ben = agent("Ada"), agent("Ben")
    session = ada.session()

    def send(text, id):
        for sender in (None, ben.workspace):
            assert platform.send(ada.workspace, text, caller=sender, message_id=id).status == 200

    send("once", "m-1")
    send("once", "m-1")
    first = session.wait_messages(2)
    assert sorted(m["kind"] for m in first) == ["canvas_user", "peer_agent"]
    for message in first:
        session.call("inbox_pop", activity_id=message["activity_id"])
    send("once", "m-1")
    send("next", "m-2")
    assert [m["text"] for m in session.wait_messages(2)] == ["next"] * 2
    session.finish()
    (ada.state / ".mcp_inbox_cursor").write_text(str(uuid.uuid4()))
    again = ada.session()
    send("once", "m-1")
    send("last", "m-3")
    assert [m["text"] for m in again.wait_messages(4)] == ["next"] * 2 + ["last"] * 2
    assert len(rows(platform, ada)) == 6


# --- 5 search over history --------------------------------------------------------------------


def test_lesson_5_5_messages_and_memories_can_be_searched(agent, platform):
    """Messages by sender and time, memories by their words."""
    ada, ben, eve = agent("Ada"), agent("Ben"), agent("Eve")
    session = ada.session()
    for n in range(3):
        platform.send(ada.workspace, f"person {n}")
        for peer in (ben, eve):
            platform.send(ada.workspace, f"{peer.name} {n}", caller=peer.workspace)
    for message in session.wait_messages(9):  # handled messages are history too
        session.call("inbox_pop", activity_id=message["activity_id"])
    chat = session.call("chat_history").json["messages"]
    assert [m["content"] for m in chat] == ["person 0", "person 1", "person 2"]
    older = session.call("chat_history", before_ts=chat[2]["timestamp"], limit=1).json["messages"]
    assert [m["content"] for m in older] == ["person 1"]
    with_ben = session.call("chat_history", peer_id=ben.id).json["messages"]
    assert sorted(text_of(row) for row in with_ben) == ["Ben 0", "Ben 1", "Ben 2"]

    for content in ("The deployment runs on Tuesdays.", "The cat is called Mimi."):
        assert not session.call("commit_memory", content=content).failed
    found = session.call("recall_memory", query="tuesday running").text
    assert "Tuesdays" in found and "Mimi" not in found


# --- 6 files ----------------------------------------------------------------------------------


def test_lesson_5_6_files_go_in_both_directions_and_are_shown_in_the_chat(agent, platform):
    ada = agent("Ada")
    session = ada.session()
    file = upload(platform, ada.workspace, ("plan.txt", b"the plan")).body["files"][0]
    body = envelope("", parts=[{"kind": "text", "text": "read it"}, {"kind": "file", "file": file}])
    assert platform.admin("POST", f"/workspaces/{ada.id}/a2a", body).status == 200
    asked = heard(session)
    [received] = (ada.state / "uploads").iterdir()
    assert received.read_bytes() == b"the plan"
    assert [a["uri"] for a in asked["attachments"]] == [received.as_uri()]

    answer = ada.state / "answer.txt"
    answer.write_bytes(b"the answer")
    sent = session.call("reply", activity_id=asked["activity_id"], text="read", attachments=[str(answer)])
    assert not sent.failed, sent
    chat = platform.admin("GET", f"/workspaces/{ada.id}/chat-history").body["messages"]
    assert [(m["role"], m["content"], m["attachments"][0]["name"]) for m in chat] == [
        ("user", "read it", "plan.txt"), ("agent", "read", "answer.txt")]
    id = chat[1]["attachments"][0]["uri"].rpartition("/")[2]
    assert fetch(platform, ada.workspace, id, token=platform.admin_token)[2] == b"the answer"
    assert len(list((ada.state / "uploads").iterdir())) == 1, "its own file came back"


# --- 7 presence -------------------------------------------------------------------------------


def test_lesson_5_7_peers_and_users_see_who_is_online(build, speedup, agent):
    with Platform(build, env=speedup(20)) as platform:
        ada, ben = agent("Ada", platform), agent("Ben", platform)

        def seen_by_peer(session):
            [line] = [x for x in session.call("list_peers").text.splitlines() if ben.id in x]
            return line

        here = ada.session()
        assert "awaiting_agent" in seen_by_peer(here)
        there = ben.session()
        until(lambda: platform.status_of(ben) == "online", what="online")
        assert "online" in seen_by_peer(here)
        there.kill()
        until(lambda: platform.status_of(ben) == "awaiting_agent", 20, "gone")
        assert "awaiting_agent" in seen_by_peer(here)
        assert platform.status_of(ada) == "online", "an active agent stays online"


# --- 10 identity that cannot be spoofed -------------------------------------------------------


def test_lesson_5_10_a_session_cannot_act_for_another_workspace(agent, platform):
    """Another's token gives no access, and its owner notices nothing."""
    ada, eve = agent("Ada"), agent("Eve")
    false = ada.session(MOLECULE_WORKSPACE_TOKEN=eve.token)
    false.expect_exit(3)
    assert ada.id in false.stderr_text and platform.status_of(ada) == "awaiting_agent"


def test_lesson_5_10_messages_cannot_be_sent_under_another_name(agent, platform):
    """What Eve sends in Ben's name is attributed to Eve or rejected."""
    ada, ben, eve = agent("Ada"), agent("Ben"), agent("Eve")
    session = ada.session()

    def post(path, body, **headers):
        return platform.request("POST", f"/workspaces/{path}", eve.token, body, headers=headers).status

    as_ben = {"X-Workspace-ID": ben.id}
    assert post(f"{ada.id}/a2a", envelope("claimed by header"), **as_ben) == 401
    assert platform.admin("POST", f"/workspaces/{ada.id}/a2a", envelope("claimed by a person"),
                          headers=as_ben).status == 401
    report = {"activity_type": "a2a_receive", "method": "message/send", "source_id": ben.id,
              "request_body": envelope("claimed by a report")}
    assert post(f"{ada.id}/activity", report) == 401
    assert post(f"{eve.id}/activity", report) == 403
    claims = {"source_id": ben.id, "metadata": {"source_id": ben.id, "from": ben.id, "peer_name": "Ben"}}
    body = envelope("claimed in the message", **claims) | {"source_id": ben.id}
    assert post(f"{ada.id}/a2a", body) == 200
    platform.send(ada.workspace, "the real one", caller=ben.workspace)
    got = [(m["text"], m["peer_id"], m["peer_name"]) for m in session.wait_messages(2)]
    assert got == [("claimed in the message", eve.id, "Eve"), ("the real one", ben.id, "Ben")]


# --- 11 loop and flood protection -------------------------------------------------------------


def test_lesson_5_11_the_agents_own_messages_do_not_return_to_it(agent, platform):
    """Its messages to the user, its reports and its tasks; and it cannot give itself a task."""
    ada, ben = agent("Ada"), agent("Ben")
    session = ada.session("claude-code")
    own = f"/workspaces/{ada.id}"
    assert not session.call("send_message_to_user", message="hello").failed
    report = {"activity_type": "a2a_receive", "method": "message/send", "summary": "own report",
              "source_id": ada.id, "request_body": envelope("own report")}
    assert platform.request("POST", f"{own}/activity", ada.token, report).status == 200
    assert not session.call("delegate_task", workspace_id=ben.id, task="a task").failed
    assert not session.call("delegate_task_async", workspace_id=ben.id, task="another").failed
    platform.admin("PATCH", f"{own}/abilities", {"broadcast_enabled": True})
    assert not session.call("broadcast_message", message="all hands").failed
    for tool in ("delegate_task", "delegate_task_async"):
        assert session.call(tool, workspace_id=ada.id, task="for myself").failed
    assert platform.request("POST", f"{own}/delegate", ada.token,
                            {"target_id": ada.id, "task": "for myself"}).status == 400
    assert {row["method"] for row in rows(platform, ada)} >= {"notify", "message/send"}
    platform.send(ada.workspace, "the only message")
    assert [m["text"] for m in session.wait_messages(1)] == ["the only message"]
    session.wait_notifications(CHANNEL)
    platform.send(ada.workspace, "by a later poll")
    assert len(session.wait_notifications(CHANNEL, 2)) == len(session.call("inbox_peek").json) == 2


FLOOD = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
INSERT INTO activity (id, workspace_id, activity_type, method, request_body, created_at)
SELECT printf('00000000-0000-4000-8000-%012x', n), workspace_id, activity_type, method,
       replace(request_body, 'before the flood', 'flood ' || n), created_at + n
FROM numbers, (SELECT * FROM activity WHERE workspace_id = '{id}' AND method = 'message/send')
"""


def test_lesson_5_11_a_flood_fills_no_disk_here_and_loses_nothing(agent, platform, mcp_binary):
    """With more than 10,000 messages, fetching stops until some are removed; the platform keeps
    the rest, and all arrive in order."""
    ada = agent("Ada")
    session = ada.session()
    platform.send(ada.workspace, "before the flood")
    assert heard(session)["text"] == "before the flood"
    count = 10_300
    with sqlite3.connect(database_of(platform.data_dir), timeout=20) as store:
        store.execute(FLOOD.format(count=count, id=ada.id))

    def depth():
        ended = run(mcp_binary, ada.environment, "status", "--json")
        return sum(json.loads(ended.stdout)["workspaces"][0]["inbox"].values())

    session.wait_stderr("inbox: ")
    full = depth()
    assert 10_000 <= full < count, full
    assert "wait to be removed" in session.stderr_text
    popped = 0
    while popped < 400:
        page = session.call("inbox_peek", limit=100).json
        texts = [m["text"] for m in page]
        wanted = ["before the flood"] * (popped == 0) + [f"flood {popped + n}" for n in range(100)]
        assert texts == [text for text in wanted if text != "flood 0"][:100], (popped, texts[:3])
        ids = [session.start_tool("inbox_pop", {"activity_id": m["activity_id"]}) for m in page]
        assert all(session.tool_result(id).json["removed"] for id in ids)
        popped += len(page)
    until(lambda: depth() == count + 1 - popped, 20, "all that is left")
    assert session.ping() < 5


# --- 12 few tools, little text ----------------------------------------------------------------


def test_lesson_5_12_the_tools_are_few_and_their_texts_are_short(agent):
    """What an agent's context pays before it does anything, in bytes of JSON."""
    session = agent("Ada").session()
    listed = session.start("tools/list")
    tools = session.wait_answer(listed)["result"]["tools"]
    assert len(tools) <= 20
    line = next(x for x in session.lines if b'"tools":[' in x)
    assert len(line) < 12 << 10, len(line)
    assert max(len(tool["description"]) for tool in tools) <= 400


# --- 13 one binary with doctor and status -----------------------------------------------------


def test_lesson_5_13_one_binary_serves_and_has_doctor_and_status(agent, platform, mcp_binary, tmp_path):
    """Copied alone to a folder of its own, with nothing else installed."""
    ada = agent("Ada")
    folder = tmp_path / "alone"
    folder.mkdir()
    alone = shutil.copy(mcp_binary, folder)
    doctor = run(alone, ada.environment, "doctor")
    assert doctor.returncode == 0 and doctor.stdout.splitlines()[-1] == "no failures", doctor.stdout
    session = ada.session(speed=1)
    platform.send(ada.workspace, "hello")
    session.wait_messages(1)

    def status():
        ended = run(alone, ada.environment, "status", "--json")
        assert ended.returncode == 0, ended
        return json.loads(ended.stdout)["workspaces"][0]

    found = until(lambda: (s := status())["last_heartbeat"] and s, what="a heartbeat")
    assert found["owner"]["pid"] == session.pid and sum(found["inbox"].values()) == 1
    broken = run(alone, {**ada.environment, "MOLECULE_WORKSPACE_TOKEN": "x" * 43}, "doctor")
    assert broken.returncode == 1 and "[FAIL]" in broken.stdout
    assert [path.name for path in folder.iterdir()] == [mcp_binary.name]
