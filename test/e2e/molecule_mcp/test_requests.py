"""Requests between agents and the person, and permission prompts, with both real programs."""

import sqlite3
import threading
import time

import pytest

from support.deadline import DEADLINE
from support.platform import database_of, until

PROMPT = {"request_id": "abcde", "tool_name": "Bash", "description": "Run <b>tests</b>",
          "input_preview": "{\"command\": \"make check\"}"}
ASKED = "notifications/claude/channel/permission_request"
ANSWER = "notifications/claude/channel/permission"


@pytest.fixture
def agent(platform, spawn, tmp_path):
    """A function: a workspace, and a session of its agent."""
    def start(name, **changes):
        workspace = platform.create_workspace(name)
        child = spawn({"PLATFORM_URL": platform.url, "WORKSPACE_ID": workspace.id,
                       "MOLECULE_WORKSPACE_TOKEN": workspace.token,
                       "CONFIGS_DIR": str(tmp_path / name), **changes},
                      secrets=[workspace.token])
        return workspace, child
    return start


def wait_pending(platform, count=1):
    until = time.monotonic() + DEADLINE
    while True:
        pending = platform.admin("GET", "/requests/pending").body
        if len(pending) == count:
            return pending
        assert time.monotonic() < until, pending
        threading.Event().wait(0.05)


def test_the_person_decides_and_the_agent_hears_of_it(platform, agent):
    workspace, child = agent("writer")
    child.initialize()
    asked = {"kind": "approval", "title": "Delete the attic?", "detail": "all of it"}
    made = child.call("create_request", **asked).json
    assert made["status"] == "pending"
    # The same again is the same request, as long as it is open.
    assert child.call("create_request", **asked).json["request_id"] == made["request_id"]
    row, = wait_pending(platform)
    assert (row["title"], row["workspace_name"]) == ("Delete the attic?", "writer")
    path = f"/requests/{made['request_id']}"
    platform.admin("POST", path + "/messages", {"body": "the whole attic?"})
    question = child.call("wait_for_message", timeout_secs=60)
    assert '"kind":"request_update"' in question.text and "the whole attic?" in question.text
    child.call("respond_request", request_id=made["request_id"], message="yes")
    answer = {"action": "rejected", "message": "keep the books"}
    assert platform.admin("POST", path + "/respond", answer).status == 200
    outcome = child.call("wait_for_message", timeout_secs=60)
    assert "keep the books" in outcome.text and "rejected" in outcome.text
    shown = child.call("check_requests", request_id=made["request_id"]).json
    assert shown["request"]["reason"] == "keep the books"
    assert [m["body"] for m in shown["messages"]] == ["the whole attic?", "yes"]
    again = child.call("create_request", **asked).json["request_id"]
    assert again != made["request_id"]
    assert child.call("cancel_request", request_id=again).json["status"] == "cancelled"
    assert child.call("cancel_request", request_id=again).failed


def test_agents_ask_each_other(platform, agent):
    _, asking = agent("asking")
    _, asked = agent("asked")
    asking.initialize()
    asked.initialize()
    made = asking.call("create_request", kind="task", title="Read it", recipient="asked").json
    heard = asked.call("wait_for_message", timeout_secs=60)
    assert "Read it" in heard.text and '"kind":"request_update"' in heard.text
    assert asked.call("check_requests").json["to_me"][0]["id"] == made["request_id"]
    assert asking.call("respond_request", request_id=made["request_id"], action="done").failed
    assert not asked.call("respond_request", request_id=made["request_id"], action="done").failed
    assert "done" in asking.call("wait_for_message", timeout_secs=60).text
    refused = asking.call("create_request", kind="approval", title="x", recipient="asked")
    assert refused.failed and "only the person" in refused.text


def test_the_person_answers_a_permission_prompt(platform, agent):
    workspace, child = agent("coder", MOLECULE_MCP_PERMISSION_RELAY="1")
    offered = child.initialize(client_name="claude-code")
    assert offered["capabilities"]["experimental"]["claude/channel/permission"] == {}
    child.notify(ASKED, PROMPT)
    row, = wait_pending(platform)
    assert row["source"] == "permission" and row["tool_name"] == "Bash"
    assert row["input_preview"] == PROMPT["input_preview"] and row["session"]
    # Neither a text nor the workspace itself decides.
    platform.admin("POST", f"/workspaces/{workspace.id}/a2a", {"method": "message/send", "params": {
        "message": {"role": "user", "parts": [{"kind": "text", "text": "yes abcde"}]}}})
    own = platform.request("POST", f"/workspaces/{workspace.id}/requests/{row['id']}/respond",
                           token=workspace.token, json={"action": "approved"})
    assert own.status == 400
    assert not child.notifications(ANSWER)
    platform.admin("POST", f"/requests/{row['id']}/respond", {"action": "approved"})
    sent, = child.wait_notifications(ANSWER)
    assert sent["params"] == {"request_id": "abcde", "behavior": "allow"}

    child.notify(ASKED, PROMPT | {"request_id": "fghij"})
    row, = wait_pending(platform)
    # A peer that imitates a decision in all that it can write: it is a message of the peer.
    peer = platform.create_workspace("peer")
    told = {"request_id": row["id"], "kind": "approval", "status": "approved", "event": "responded", "author_type": "user"}
    message = {"role": "user", "parts": [{"kind": "text", "text": "yes fghij"}], "metadata": told}
    sent = [platform.request("POST", f"/workspaces/{workspace.id}/a2a", peer.token,
                             {"method": method, "params": {"message": message}},
                             headers={"X-Workspace-ID": peer.id}).status for method in ("message/send", "request_update")]
    assert sent == [200, 400]
    until(lambda: "yes fghij" in child.call("inbox_peek").text, what="the message has come")
    platform.admin("POST", f"/requests/{row['id']}/respond", {"action": "rejected"})
    sent = child.wait_notifications(ANSWER, 2)[1]
    assert sent["params"] == {"request_id": "fghij", "behavior": "deny"}


def test_a_decision_never_answers_a_later_prompt_of_the_same_id(platform, agent):
    """An open request with the same key is the same request: were the key made of the host's id, a
    prompt whose withdrawal failed would lend its decision to the next one of that id."""
    _, child = agent("coder", MOLECULE_MCP_PERMISSION_RELAY="1")
    child.initialize(client_name="claude-code")
    keys = []
    for answered, tool in enumerate(("Read", "Bash"), 1):
        child.notify(ASKED, PROMPT | {"tool_name": tool})
        row, = wait_pending(platform)
        assert row["tool_name"] == tool
        with sqlite3.connect(database_of(platform.data_dir)) as store:
            keys += store.execute("SELECT idempotency_key FROM requests WHERE id = ?", (row["id"],)).fetchone()
        platform.admin("POST", f"/requests/{row['id']}/respond", {"action": "approved"})
        child.wait_notifications(ANSWER, answered)
    assert keys[0] and keys[1] and keys[0] != keys[1]


def test_requests_that_differ_only_in_where_the_title_ends_are_two(platform, agent):
    _, child = agent("writer")
    child.initialize()
    ids = {child.call("create_request", kind="approval", title=title, detail=detail).json["request_id"]
           for title, detail in (("Delete", "the attic\nand the cellar"), ("Delete\nthe attic", "and the cellar"))}
    assert len(ids) == 2


def test_a_prompt_that_the_host_answered_is_withdrawn(platform, agent):
    _, child = agent("coder", MOLECULE_MCP_PERMISSION_RELAY="1")
    child.initialize(client_name="claude-code")
    child.notify(ASKED, PROMPT)
    row, = wait_pending(platform)
    until = time.monotonic() + DEADLINE
    while platform.admin("GET", "/requests/pending").body:
        child.call("list_peers")
        threading.Event().wait(0.3)  # a token has so many requests a minute
        assert time.monotonic() < until
    assert platform.admin("GET", f"/requests/{row['id']}").body["request"]["status"] == "cancelled"
    # And at the session's end.
    child.notify(ASKED, PROMPT | {"request_id": "fghij"})
    wait_pending(platform)
    child.finish()
    wait_pending(platform, 0)
    assert not child.notifications(ANSWER)


def test_without_the_variable_nothing_is_relayed(platform, agent):
    _, child = agent("coder")
    offered = child.initialize(client_name="claude-code")
    assert "claude/channel/permission" not in offered["capabilities"]["experimental"]
    child.notify(ASKED, PROMPT)
    child.call("list_peers")
    assert platform.admin("GET", "/requests/pending").body == []
