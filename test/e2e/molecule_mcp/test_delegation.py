"""delegate_task and delegate_task_async (molecule-mcp.md 6; lessons 2.6, 2.7)."""

import time
import uuid

import pytest

from support.fake_platform import BACKGROUND, HANG, HTML, PEER, RESET, Reply


def answer(text, key="kind"):
    return Reply(body={"jsonrpc": "2.0", "id": "1", "result": {
        "kind": "message", "role": "agent", "parts": [{key: "text", "text": text}]}})


def delegate(mcp, task="t", **more):
    return mcp.call("delegate_task", workspace_id=PEER, task=task, **more)


def message_ids(fake):
    return [r.json["params"]["message"]["messageId"] for r in fake.seen("a2a")]


def test_6_delegate_task_returns_the_reply(mcp, fake, workspace_id):
    fake.always("a2a", answer("forty-two"))
    result = delegate(mcp, "what is it?")
    assert not result.failed and result.text == "forty-two"
    request = fake.seen("a2a")[0]
    assert request.id == PEER and request.headers["x-workspace-id"] == workspace_id
    assert request.json["method"] == "message/send"
    message = request.json["params"]["message"]
    assert message["role"] == "user" and message["messageId"]
    assert [(p.get("kind", p.get("type")), p["text"]) for p in message["parts"]] == [("text", "what is it?")]


REPLIES = {
    "kind": {"result": {"parts": [{"kind": "text", "text": "yes"}]}},
    "type": {"result": {"parts": [{"type": "text", "text": "yes"}]}},
    "artifacts": {"result": {"artifacts": [{"parts": [{"kind": "text", "text": "yes"}]}]}},
    "string": {"result": "yes"},
}


@pytest.mark.parametrize("shape", REPLIES)
def test_6_the_text_of_a_reply(mcp, fake, shape):
    fake.always("a2a", Reply(body={"jsonrpc": "2.0", "id": "1", **REPLIES[shape]}))
    result = delegate(mcp)
    assert not result.failed and result.text == "yes"


QUEUED = {
    "poll": Reply(body={"delivery_mode": "poll", "method": "message/send", "status": "queued"}),
    "busy": Reply(202, {"queued": True, "queue_id": "q", "queue_depth": 1, "message": "later"}),
    "push-async": Reply(body={"status": "queued", "delivery_mode": "push-async", "method": "message/send"}),
}


@pytest.mark.parametrize("shape", QUEUED)
def test_lesson_2_7_a_queued_reply_is_not_a_failure_and_is_not_resent(mcp, fake, shape):
    fake.always("a2a", QUEUED[shape])
    result = delegate(mcp)
    assert not result.failed
    assert "queued" in result.text.lower() and "inbox" in result.text
    fake.next("heartbeat")
    assert len(fake.seen("a2a")) == 1 and fake.seen("delegate") == []


@pytest.mark.parametrize("body", [
    {"jsonrpc": "2.0", "id": "1", "error": {"code": -32000, "message": "the peer broke"}},
    {"error": "the peer broke"}])
def test_6_a_peers_error_is_a_failure(mcp, fake, body):
    fake.always("a2a", Reply(body=body))
    result = delegate(mcp)
    assert result.failed and "the peer broke" in result.text


@pytest.mark.parametrize("reply", [
    Reply(402, {"error": "workspace budget limit exceeded"}),
    Reply(403, {"error": "access denied: workspaces cannot communicate per hierarchy rules"}),
    Reply(404, {"error": "workspace not found"}), Reply(400, {"error": "invalid JSON"}), HTML])
def test_6_a_refusal_is_reported_and_not_retried(mcp, fake, reply):
    fake.always("a2a", reply)
    result = delegate(mcp)
    assert result.failed and PEER in result.text
    assert len(fake.seen("a2a")) == 1


def test_lesson_2_6_a_lost_connection_is_retried_with_the_same_message_id(spawn, fake):
    speed = 20
    child = spawn(speed=speed)
    child.initialize()
    fake.script("a2a", RESET, Reply(raw=b""), RESET, Reply(body={"x": 1}, close_after=3))
    fake.always("a2a", answer("at last"))
    assert delegate(child).text == "at last"
    tries = fake.seen("a2a")
    assert len(tries) == 5 and len(set(message_ids(fake))) == 1
    gaps = [speed * (b.time - a.time) for a, b in zip(tries, tries[1:])]
    for gap, wanted in zip(gaps, (1, 2, 4, 8)):
        assert 0.74 * wanted <= gap <= 1.26 * wanted + 2, gaps


def test_6_a_delegation_fails_after_five_attempts(mcp, fake):
    fake.always("a2a", RESET)
    result = delegate(mcp)
    assert result.failed and PEER in result.text
    assert len(fake.seen("a2a")) == 5 and len(set(message_ids(fake))) == 1


def test_6_two_delegations_have_different_message_ids(mcp, fake):
    delegate(mcp)
    delegate(mcp)
    assert len(set(message_ids(fake))) == 2


def test_6_a_task_is_not_resent_to_a_peer_that_times_out(spawn, fake):
    speed = 100
    child = spawn(speed=speed)
    child.initialize()
    fake.always("a2a", HANG)
    start = time.monotonic()
    result = delegate(child)
    passed = speed * (time.monotonic() - start)
    assert result.failed and 280 <= passed <= 500
    assert "may have received the task" in result.text and "within ten minutes" in result.text
    assert len(fake.seen("a2a")) == 1
    fake.wait_hung_up()
    fake.always("a2a", answer("done"))
    assert delegate(child).text == "done"
    assert len(fake.seen("a2a")) == 2 and len(set(message_ids(fake))) == 1


def test_6_a_slow_peer_is_waited_for(spawn, fake):
    child = spawn(speed=100)
    child.initialize()
    slow = answer("thought about it")
    slow.delay = 2.5  # 250 s in the child's time
    fake.always("a2a", slow)
    assert delegate(child).text == "thought about it"
    assert len(fake.seen("a2a")) == 1


@pytest.mark.parametrize("tool", ["delegate_task", "delegate_task_async"])
def test_6_self_delegation_is_rejected_before_any_io(mcp, fake, workspace_id, tool):
    for id in (workspace_id, workspace_id.upper()):
        result = mcp.call(tool, workspace_id=id, task="t")
        assert result.failed and "workspace_id" in result.text or "self" in result.text or "own" in result.text
    assert {r.route for r in fake.seen("*")} <= BACKGROUND


def test_6_a_delegation_is_reported_with_a_bounded_summary(mcp, fake):
    fake.always("a2a", answer("done"))
    assert not delegate(mcp, "ä" * 5000).failed
    for report in fake.wait_for("report"):
        assert report.json["activity_type"] in ("a2a_send", "task_update", "agent_log")
        summary = report.json.get("summary") or ""
        assert len(summary) <= 256 and "\ufffd" not in summary
        assert report.json.get("source_id") in (None, "") or report.json["source_id"] == report.id


def test_6_a_failed_delegation_is_reported_with_a_bounded_detail(mcp, fake):
    fake.always("a2a", Reply(500, {"error": "ä" * 50_000}))
    assert delegate(mcp).failed
    reports = fake.wait_for("report", where=lambda r: r.json.get("status") not in (None, "", "ok"))
    detail = reports[0].json.get("error_detail") or ""
    assert detail and len(detail) <= 4096 and "\ufffd" not in detail


@pytest.mark.parametrize("reply", [Reply(500), HANG, RESET, HTML],
                         ids=["500", "hang", "reset", "HTML"])
def test_6_a_failed_report_does_not_fail_the_delegation(spawn, fake, reply):
    child = spawn()
    child.initialize()
    fake.always("report", reply)
    fake.always("a2a", answer("done"))
    start = time.monotonic()
    assert delegate(child).text == "done"
    assert time.monotonic() - start < 5


def test_6_a_cancelled_delegation_goes_on_unanswered(mcp, fake):
    """Its answer comes to the inbox (delivery.md 5); the call itself is answered no more."""
    fake.always("a2a", HANG)
    id = mcp.start_tool("delegate_task", {"workspace_id": PEER, "task": "t"})
    fake.wait_for("a2a")
    mcp.notify("notifications/cancelled", {"requestId": id, "reason": "changed my mind"})
    mcp.ping()
    assert mcp.answers(id) == [] and fake.hung_up == 0
    assert len(fake.seen("a2a")) == 1
    mcp.close_stdin()
    mcp.expect_exit(0)
    fake.wait_hung_up()


def test_6_delegate_task_async(mcp, fake, workspace_id):
    id = str(uuid.uuid4())
    fake.always("delegate", Reply(202, {"delegation_id": id, "status": "delegated", "target_id": PEER}))
    result = mcp.call("delegate_task_async", workspace_id=PEER, task="count").json
    assert set(result) == {"delegation_id", "workspace_id", "status", "note"}
    assert result["delegation_id"] == id and result["workspace_id"] == PEER
    assert result["status"] == "delegated" and result["note"]
    request = fake.seen("delegate")[0]
    assert request.id == workspace_id
    assert request.json["target_id"] == PEER and request.json["task"] == "count"
    assert fake.seen("a2a") == []


def test_lesson_2_6_an_idempotent_repeat_succeeds(mcp, fake):
    id = str(uuid.uuid4())
    fake.always("delegate", Reply(200, {"delegation_id": id, "status": "dispatched", "target_id": PEER,
                                        "idempotent_hit": True}))
    result = mcp.call("delegate_task_async", workspace_id=PEER, task="count").json
    assert set(result) == {"delegation_id", "workspace_id", "status", "note"}
    assert result["delegation_id"] == id and result["status"] == "delegated"


def test_6_repeating_the_same_async_delegation_uses_the_same_key(mcp, fake):
    for task in ("count", "count", "sort"):
        mcp.call("delegate_task_async", workspace_id=PEER, task=task)
    keys = [r.json["idempotency_key"] for r in fake.seen("delegate")]
    assert keys[0] == keys[1] != keys[2]
    assert all(len(k) <= 128 for k in keys) and "count" not in keys[0]
