"""The inbox: which rows are requested, and how each is handled (molecule-mcp.md 5)."""

import json
import uuid

import pytest

from support.fake_platform import PEER, Reply, envelope

GONE = Reply(410, {"error": "since_id cursor not found (row may have been pruned or belongs to a "
                            "different workspace); omit since_id to reset"})


def texts(messages):
    return [m["text"] for m in messages]


def only_message(mcp):
    messages = mcp.wait_messages(1)
    assert len(messages) == 1, messages
    return messages[0]


def wait_read(fake, id):
    """Waits until the cursor is at row `id`."""
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == id)


def test_5_without_a_cursor_the_last_ten_minutes_are_requested(spawn, fake, workspace_id):
    spawn(speed=20)
    for request in fake.wait_for("activity", 3):
        assert request.id == workspace_id
        assert request.query["type"] == "a2a_receive"
        assert request.query["since_secs"] == "600" and "since_id" not in request.query


def test_5_the_first_page_arrives_newest_first_and_is_reversed(spawn, fake, state):
    for i in range(5):
        fake.add_message(f"message {i}")
    child = spawn(speed=20)
    child.initialize()
    assert texts(child.wait_messages(5)) == [f"message {i}" for i in range(5)]
    wait_read(fake, fake.rows[4]["id"])
    later = fake.seen("activity")[-1].query
    assert "since_secs" not in later


def test_5_later_pages_arrive_oldest_first(mcp, fake):
    fake.add_message("first")
    mcp.wait_messages(1)
    wait_read(fake, fake.rows[0]["id"])
    for i in range(5):
        fake.add_message(f"message {i}")
    assert texts(mcp.wait_messages(6)) == ["first"] + [f"message {i}" for i in range(5)]


def test_5_after_a_full_page_the_next_is_fetched_at_once(spawn, fake, state):
    start = fake.add_message("read before")
    state.mkdir()
    (state / ".mcp_inbox_cursor").write_text(start)
    for i in range(520):
        fake.add_message(f"message {i}")
    child = spawn()  # in real time: six pages 5 s apart would take half a minute
    child.initialize()
    fake.wait_for("activity", where=lambda r: r.query["since_id"] == fake.rows[-1]["id"])
    seen = []
    while messages := child.call("inbox_peek", limit=100).json:
        for m in messages:
            seen.append(m["text"])
            child.call("inbox_pop", activity_id=m["activity_id"])
    assert seen == [f"message {i}" for i in range(520)]


def test_5_a_full_first_page_loses_no_older_messages(spawn, fake):
    """The platform returns the newest rows first, so the rows that do not fit are the older
    ones."""
    for i in range(450):
        fake.add_message(f"message {i}")
    child = spawn(speed=20)
    child.initialize()
    child.wait_messages(100)
    wait_read(fake, fake.rows[-1]["id"])
    assert texts(child.call("inbox_peek", limit=100).json)[0] == "message 0"


@pytest.mark.parametrize("answer", [GONE, Reply(500, {"error": "cursor lookup failed"}),
                                    Reply(400, {"error": "since_id must be a UUID"})],
                         ids=["410", "500 at B", "400"])
def test_5_a_lost_cursor_starts_over_without_returning_removed_messages(mcp, fake, answer):
    ids = [fake.add_message(f"message {i}") for i in range(3)]
    mcp.wait_messages(3)
    wait_read(fake, ids[2])
    assert mcp.call("inbox_pop", activity_id=ids[0]).json["removed"]
    fake.script("activity", answer)
    reset = fake.next("activity", where=lambda r: "since_secs" in r.query)
    assert reset.query["since_secs"] == "600" and "since_id" not in reset.query
    id = fake.add_message("message 3")
    wait_read(fake, id)
    assert texts(mcp.wait_messages(3)) == ["message 1", "message 2", "message 3"]


def test_5_another_500_keeps_the_cursor(mcp, fake):
    id = fake.add_message("hello")
    mcp.wait_messages(1)
    wait_read(fake, id)
    fake.script("activity", Reply(500, {"error": "query failed"}), Reply(503), Reply(404, "?"))
    for _ in range(5):
        assert fake.next("activity").query.get("since_id") == id


def test_5_removed_messages_stay_removed_after_a_restart(spawn, fake, state):
    ids = [fake.add_message(f"message {i}") for i in range(4)]
    first = spawn(speed=20)
    first.initialize()
    first.wait_messages(4)
    wait_read(fake, ids[3])
    for id in ids[:2]:
        first.call("inbox_pop", activity_id=id)
    first.finish()
    (state / ".mcp_inbox_cursor").unlink()
    second = spawn(speed=20)
    second.initialize()
    assert texts(second.call("inbox_peek").json) == ["message 2", "message 3"]
    fake.next("activity", 2)
    assert texts(second.call("inbox_peek").json) == ["message 2", "message 3"]
    assert second.call("inbox_pop", activity_id=ids[0]).json["removed"] is False


def test_5_repeated_rows_make_no_duplicates(mcp, fake):
    """Until the first message there is no cursor, so pages may overlap."""
    fake.add_message("one")
    fake.add_message("two")
    page = Reply(body=fake.rows[::-1])
    fake.always("activity", page)
    mcp.wait_messages(2)
    fake.next("activity", 3)
    assert texts(mcp.call("inbox_peek").json) == ["one", "two"]


def test_5_messages_from_the_user_and_from_a_peer(mcp, fake):
    human = fake.add_message("from the canvas")
    peer = fake.add_message("from a peer", source_id=PEER)
    first, second = mcp.wait_messages(2)
    assert first["activity_id"] == human and first["kind"] == "canvas_user" and not first["peer_id"]
    assert second["activity_id"] == peer and second["kind"] == "peer_agent"
    assert second["peer_id"] == PEER and second["method"] == "message/send"
    assert first["created_at"] == fake.rows[0]["created_at"]


def part(text, key="kind"):
    return {key: "text", "text": text}


BODIES = {
    "kind": (envelope("hello"), "hello"),
    "type": ({"params": {"message": {"parts": [part("hello", "type")]}}}, "hello"),
    "params.parts": ({"params": {"parts": [part("hello")]}}, "hello"),
    "parts": ({"parts": [part("hello")]}, "hello"),
    "message before the others": ({"params": {"message": {"parts": [part("hello")]},
                                              "parts": [part("b")]}, "parts": [part("c")]}, "hello"),
    "other parts are passed over": (
        {"parts": [{"kind": "file", "file": {"name": "x"}}, part("hello"), 7, None, "text",
                   {"kind": "text"}, {"kind": "text", "text": 7}]}, "hello"),
    "a string that holds JSON": (json.dumps(envelope("hello")), "hello"),
    "unicode": (envelope("Grüße 👋 事務 \u0627"), "Grüße 👋 事務 \u0627"),
    "no text: the summary": ({"params": {"message": {"parts": []}}}, "the summary"),
    "no message: the summary": ({}, "the summary"),
    "null: the summary": (None, "the summary"),
    "array: the summary": ([1, 2], "the summary"),
    "text that is no JSON: the summary": ("just text", "the summary"),
    "wrong kinds: the summary": ({"params": {"message": {"parts": {"kind": "text"}}}}, "the summary"),
}


@pytest.mark.parametrize("case", BODIES)
def test_5_text_is_found_in_every_envelope_format(mcp, fake, case):
    body, text = BODIES[case]
    fake.add_row(request_body=body, summary="the summary")
    assert only_message(mcp)["text"] == text


def test_5_several_texts_are_joined(mcp, fake):
    fake.add_row(request_body={"parts": [part("one"), part("two")]})
    text = only_message(mcp)["text"]
    assert text.startswith("one") and text.endswith("two") and len(text) <= 8


def test_5_a_message_without_text_gets_a_placeholder(mcp, fake):
    fake.add_row()
    assert only_message(mcp)["text"] == "(empty A2A message)"


def test_5_own_messages_are_skipped_and_the_cursor_passes_them(mcp, fake, workspace_id):
    fake.add_row(method="notify", summary="Agent message: hi", response_body={"result": "hi"})
    fake.add_row(source_id=workspace_id, summary="own report", request_body=envelope("own report"))
    wait_read(fake, fake.rows[1]["id"])
    assert mcp.call("inbox_peek").json == []
    fake.add_message("real")
    assert texts(mcp.wait_messages(1)) == ["real"]


def test_5_a_delegation_result_has_its_own_kind(mcp, fake, workspace_id):
    delegation = str(uuid.uuid4())
    fake.add_row(method="delegate_result", source_id=PEER, summary="Delegation completed",
                 request_body={"delegation_id": delegation},
                 response_body={"text": "the answer", "delegation_id": delegation})
    message = only_message(mcp)
    assert message["kind"] == "delegation_result" and message["method"] == "delegate_result"
    assert message["text"] == "the answer"


@pytest.mark.parametrize("body, text", [
    ({"text": "the answer"}, "the answer"), (json.dumps({"text": "the answer"}), "the answer"),
    ({"result": {"parts": [part("the answer")]}}, "the answer"), (None, "the summary")])
def test_5_the_text_of_a_delegation_result(mcp, fake, body, text):
    fake.add_row(method="delegate_result", source_id=PEER, summary="the summary", response_body=body)
    message = only_message(mcp)
    assert message["kind"] == "delegation_result" and message["text"] == text


def test_5_an_upload_row_is_not_a_message(mcp, fake):
    fake.add_row(method="chat_upload_receive", request_body={
        "file_id": str(uuid.uuid4()), "name": "x.txt", "mimeType": "text/plain", "size": 3,
        "uri": "platform-pending:x/y"})
    fake.add_message("see the file")
    wait_read(fake, fake.rows[1]["id"])
    assert texts(mcp.wait_messages(1)) == ["see the file"]


BAD_ROWS = [
    7, None, "row", [], {}, {"id": None}, {"id": 7, "method": "message/send"}, {"id": ""},
    {"id": "not-a-uuid", "request_body": {"parts": [{"kind": "text", "text": "bad id"}]}},
    {"id": "../../../etc/passwd"}, {"id": "x" * 100_000},
    {"id": "11111111-2222-4333-8444-555555555555\n", "summary": "newline"},
]


def test_5_malformed_rows_do_not_stop_the_page(mcp, fake):
    fake.rows.extend([])
    before, after = fake.add_message("before"), fake.add_message("after")
    rows = [fake.rows[1], *BAD_ROWS, fake.rows[0]]
    fake.script("activity", Reply(body=rows))
    messages = mcp.wait_messages(2)
    assert [m["activity_id"] for m in messages] == [before, after]
    fake.next("activity")
    assert len(mcp.call("inbox_peek").json) == 2


@pytest.mark.parametrize("fields", [
    {"source_id": 7}, {"source_id": "nobody"}, {"method": None}, {"method": 7}, {"method": ["x"]},
    {"created_at": None}, {"created_at": 7}, {"created_at": "yesterday"}, {"summary": {"a": 1}},
    {"request_body": 7}, {"status": None}, {"activity_type": "broadcast_receive"},
    {"method": "x" * 10_000}], ids=str)
def test_5_a_row_with_an_unexpected_field_is_still_a_message(mcp, fake, fields):
    fake.add_row(**{"request_body": envelope("hello"), **fields})
    message = only_message(mcp)
    assert message["activity_id"] == fake.rows[0]["id"]
    for key, value in message.items():
        assert value is None or isinstance(value, str), key
    assert len(message["method"] or "") < 10_000


def test_5_a_very_long_message_arrives_complete(mcp, fake):
    text = "ä" * 1_000_000
    fake.add_message(text)
    [whole] = mcp.wait_messages(1)
    assert whole["text"] == text
    first = mcp.call("wait_for_message", timeout_secs=60).json
    read, offset = first["text"], first["next_offset"]
    while offset:
        [part] = mcp.call("inbox_peek", activity_id=first["activity_id"], offset=offset).json
        read, offset = read + part["text"], part.get("next_offset")
    assert read == text and first["total_bytes"] == len(text.encode())


def test_5_waiting_and_peeking_consume_nothing(mcp, fake):
    id = fake.add_message("stays")
    assert mcp.call("wait_for_message", timeout_secs=60).json["activity_id"] == id
    for _ in range(3):
        assert mcp.call("wait_for_message", timeout_secs=0).json["open"][0]["activity_id"] == id
        assert [m["activity_id"] for m in mcp.call("inbox_peek").json] == [id]
    assert mcp.call("inbox_pop", activity_id=id).json == {"removed": True, "activity_id": id}
    assert mcp.call("inbox_peek").json == []


def test_5_a_full_inbox_stops_fetching_and_reports_it(spawn, fake, state):
    """With more than 10,000 messages the platform keeps the rest; nothing is dropped."""
    start = fake.add_message("read before")
    state.mkdir()
    (state / ".mcp_inbox_cursor").write_text(start)
    fake.page_size = 500
    for i in range(11_500):
        fake.add_message(f"message {i}")
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("activity", 20, where=lambda r: "since_id" in r.query)
    child.wait_stderr("inbox")
    polls = len(fake.seen("activity"))
    fake.next("heartbeat", 3)  # 60 s: time for 12 polls
    assert len(fake.seen("activity")) <= polls + 1
    assert child.stderr_text.count("\n") <= 2
    for _ in range(2):
        page = child.call("inbox_peek", limit=100).json
        ids = [child.start_tool("inbox_pop", {"activity_id": m["activity_id"]}) for m in page]
        for id in ids:
            assert child.tool_result(id).json["removed"]
    fake.wait_for("activity", polls + 1)
