"""Which session is handed which message (docs/spec/delivery.md), with real processes; by the rows of
the fault list."""

import threading
import time
import uuid

import pytest

from support.fake_platform import HANG, PEER, Reply, envelope

CHANNEL = "notifications/claude/channel"
QUEUED = Reply(200, {"delivery_mode": "poll", "method": "message/send", "status": "queued"})


@pytest.fixture
def start(spawn):
    def start(name="pytest", **options):
        child = spawn(**options)
        child.initialize("2025-11-25", name)
        return child
    return start


def waiting(mcp, seconds=30):
    id = mcp.start_tool("wait_for_message", {"timeout_secs": seconds})
    mcp.ping()
    return id


def given(mcp, id, deadline=30):
    return mcp.tool_result(id, deadline).json


def answer_of(task_id, text="forty-two", peer=PEER):
    return dict(source_id=peer,
                request_body=envelope(text, messageId=str(uuid.uuid4()), metadata={"in_reply_to": task_id}))


def delegate(mcp, fake, task="t"):
    before = len(fake.seen("a2a"))
    assert not mcp.call("delegate_task", workspace_id=PEER, task=task).failed
    return fake.seen("a2a")[before].json["params"]["message"]["messageId"]


def test_fault_A1_a_wait_is_for_what_is_new(start, fake):
    mcp = start()
    first = fake.add_message("first task of the person")
    assert mcp.call("wait_for_message", timeout_secs=20).json["activity_id"] == first
    began = time.monotonic()
    again = mcp.call("wait_for_message", timeout_secs=1).json
    assert time.monotonic() - began >= 0.9, "a real wait"
    assert again["timeout"] is True
    [open] = again["open"]
    assert open == {"activity_id": first, "kind": "canvas_user", "from": "user",
                    "text": "first task of the person"}
    id = waiting(mcp)
    stop = fake.add_message("STOP")
    got = given(mcp, id)
    assert got["activity_id"] == stop and [m["activity_id"] for m in got["open"]] == [first]
    peek = mcp.call("inbox_peek")
    assert [m["activity_id"] for m in peek.json] == [first, stop]
    assert [m["activity_id"] for m in peek.raw["structuredContent"]["open"]] == [first, stop]


def test_fault_A1_answers_first_then_the_person_then_peers(start, fake):
    fake.always("a2a", QUEUED)
    mcp = start()
    task = delegate(mcp, fake)
    ids = [fake.add_message("from a peer", source_id=PEER), fake.add_message("from the person"),
           fake.add_row(**answer_of(task))["id"]]
    mcp.wait_messages(3)
    order = [mcp.call("wait_for_message", timeout_secs=9).json["activity_id"] for _ in ids]
    assert order == list(reversed(ids))
    assert mcp.call("wait_for_message", timeout_secs=0).json["timeout"] is True


def test_fault_A2_who_waits_is_given_it_before_who_is_pushed(start, fake):
    idle = start("claude-code")
    waiter = start()
    fake.next("activity", 1)
    for i in range(3):
        id = waiting(waiter)
        sent = fake.add_message(f"message {i}")
        began = time.monotonic()
        assert given(waiter, id)["activity_id"] == sent
        assert time.monotonic() - began < 15
    assert idle.notifications(CHANNEL) == []


def test_fault_A2_a_push_without_effect_costs_15_s_and_is_told(start, fake):
    idle = start("claude-code")
    sent = fake.add_message("hello")
    idle.wait_notifications(CHANNEL)
    began = time.monotonic()
    waiter = start()
    assert given(waiter, waiting(waiter), 20)["activity_id"] == sent
    assert 5 < time.monotonic() - began < 16
    refused = idle.call("reply", activity_id=sent, text="mine")
    assert refused.failed and "another session" in refused.text
    [shown] = idle.call("inbox_peek").json
    assert shown["with_another_session"] is True
    assert fake.seen("notify") == []


def test_fault_A2_a_pushed_session_that_acts_has_it(start, fake):
    idle = start("claude-code")
    sent = fake.add_message("hello")
    idle.wait_notifications(CHANNEL)
    waiter = start()
    assert [m["activity_id"] for m in idle.call("inbox_peek").json] == [sent]
    assert waiter.call("wait_for_message", timeout_secs=16, deadline=30).json["timeout"] is True
    assert waiter.call("inbox_pop", activity_id=sent).failed


def test_fault_A2_who_is_told_that_another_session_took_it(start, fake):
    idle = start("claude-code")
    sent = fake.add_message("hello")
    idle.wait_notifications(CHANNEL)
    other = start()
    assert not other.call("reply", activity_id=sent, text="done").failed
    note = idle.call("wait_for_message", timeout_secs=3).json["note"]
    assert sent in note and "Another session" in note
    assert "note" not in idle.call("wait_for_message", timeout_secs=0).json


def test_fault_A2_a_message_of_a_killed_session_comes_back(start, fake):
    holder = start()
    sent = fake.add_message("hello")
    assert given(holder, waiting(holder))["activity_id"] == sent
    other = start()
    id = waiting(other)
    holder.kill()
    began = time.monotonic()
    assert given(other, id)["activity_id"] == sent
    assert time.monotonic() - began < 15


def test_fault_A3_answers_of_two_sessions_are_not_crossed(start, fake):
    fake.always("a2a", QUEUED)
    sessions = [start(), start()]
    tasks = [delegate(mcp, fake, f"task {i}") for i, mcp in enumerate(sessions)]
    calls = [waiting(mcp) for mcp in sessions]
    for i, task in reversed(list(enumerate(tasks))):
        fake.add_row(**answer_of(task, f"answer {i}"))
    for i, (mcp, call) in enumerate(zip(sessions, calls)):
        got = given(mcp, call)
        assert (got["kind"], got["task_id"], got["text"]) == ("delegation_result", tasks[i], f"answer {i}")


def test_fault_A3_an_answer_is_free_when_its_session_has_ended(start, fake):
    fake.always("a2a", QUEUED)
    first, second = start(), start()
    task = delegate(first, fake)
    answer = fake.add_row(**answer_of(task))["id"]
    first.wait_messages(1)
    assert second.call("wait_for_message", timeout_secs=2).json["timeout"] is True
    first.kill()
    assert given(second, waiting(second))["activity_id"] == answer


def test_fault_A4_a_polling_peers_answer_is_a_result(start, fake):
    fake.always("a2a", QUEUED)
    mcp = start()
    task = delegate(mcp, fake)
    answer = fake.add_row(**answer_of(task))["id"]
    got = given(mcp, waiting(mcp))
    assert (got["activity_id"], got["kind"], got["task_id"]) == (answer, "delegation_result", task)
    sent = len(fake.seen("a2a"))
    refused = mcp.call("reply", activity_id=answer, text="thanks")
    assert refused.failed and "needs none" in refused.text and len(fake.seen("a2a")) == sent
    status = mcp.call("check_task_status", workspace_id=PEER, task_id=task).json
    assert (status["status"], status["response"], status["activity_id"]) == ("completed", "forty-two", answer)
    assert mcp.call("inbox_pop", activity_id=answer).json["removed"] is True
    assert mcp.call("check_task_status", workspace_id=PEER, task_id=task).json["status"] == "completed"


def test_fault_F5_a_queued_task_is_not_completed(start, fake):
    fake.always("a2a", QUEUED)
    mcp = start()
    task = delegate(mcp, fake)
    receipt = '{"delivery_mode":"poll","method":"message/send","status":"queued"}'
    fake.always("delegations", Reply(200, [{"delegation_id": task, "status": "completed",
                                            "response_preview": receipt}]))
    status = mcp.call("check_task_status", workspace_id=PEER, task_id=task).json
    assert status["status"] == "queued" and "the answer comes to the inbox" in status["note"]


def test_fault_A8_a_pop_spares_what_another_session_works_on(start, fake):
    first, second = start(), start()
    sent = fake.add_message("hello")
    assert given(first, waiting(first))["activity_id"] == sent
    refused = second.call("inbox_pop", activity_id=sent)
    assert refused.failed and "another session" in refused.text
    assert not first.call("reply", activity_id=sent, text="done").failed
    assert second.call("inbox_pop", activity_id=sent).json["removed"] is False


@pytest.fixture
def slow_peer(fake):
    slow = Reply(200, {"jsonrpc": "2.0", "id": "1", "result": {"parts": [{"kind": "text", "text": "late"}]}})
    slow.delay = 5
    fake.always("a2a", slow)


def cancel(mcp, fake, task="t"):
    id = mcp.start_tool("delegate_task", {"workspace_id": PEER, "task": task})
    fake.wait_for("a2a")
    mcp.notify("notifications/cancelled", {"requestId": id, "reason": "timeout"})
    mcp.ping()
    return id


def test_fault_A9_a_late_answer_lands_in_the_inbox(start, fake, slow_peer):
    mcp = start()
    id = cancel(mcp, fake)
    got = given(mcp, waiting(mcp))
    task = fake.seen("a2a")[0].json["params"]["message"]["messageId"]
    assert (got["kind"], got["task_id"], got["text"], got["task"]) == ("delegation_result", task, "late", "t")
    assert mcp.answers(id) == []
    # The same call again finds it, and sends nothing.
    assert mcp.call("delegate_task", workspace_id=PEER, task="t").text == "late"
    assert len(fake.seen("a2a")) == 1
    assert mcp.call("inbox_peek").json == []


def test_fault_A9_the_answer_to_a_task_of_a_killed_session_is_a_result(start, fake):
    """What was asked is in the inbox before it is sent, so that a later session knows the answer."""
    fake.always("a2a", HANG)
    first = start()
    first.start_tool("delegate_task", {"workspace_id": PEER, "task": "t"})
    fake.wait_for("a2a")
    task = fake.seen("a2a")[0].json["params"]["message"]["messageId"]
    first.kill()
    second = start()
    assert second.call("check_task_status", workspace_id=PEER, task_id=task).json["status"] == "queued"
    fake.add_row(**answer_of(task, "later"))
    got = given(second, waiting(second))
    assert (got["kind"], got["task_id"], got["text"], got["task"]) == ("delegation_result", task, "later", "t")


def test_fault_A9_an_answer_at_the_moment_of_the_cancel_is_not_lost(start, fake):
    mcp = start()
    for number in range(12):
        prompt = Reply(200, {"jsonrpc": "2.0", "id": "1", "result": {
            "parts": [{"kind": "text", "text": f"answer {number}"}]}})
        prompt.delay = 0.03
        fake.always("a2a", prompt)
        id = mcp.start_tool("delegate_task", {"workspace_id": PEER, "task": f"task {number}"})
        threading.Event().wait(0.026 + 0.001 * number)
        mcp.notify("notifications/cancelled", {"requestId": id, "reason": "timeout"})
        mcp.ping()
        if mcp.answers(id):
            continue
        got = given(mcp, waiting(mcp))
        assert (got["kind"], got["text"]) == ("delegation_result", f"answer {number}")
        assert mcp.call("inbox_pop", activity_id=got["activity_id"]).json["removed"] is True


def test_fault_A9_the_repetition_joins_the_task_under_way(start, fake, slow_peer):
    mcp = start()
    cancel(mcp, fake)
    assert mcp.call("delegate_task", workspace_id=PEER, task="t").text == "late"
    assert len(fake.seen("a2a")) == 1
    assert mcp.call("inbox_peek").json == []
