"""A platform that misbehaves: the client reports it and keeps working (lessons 2.16; issue 2)."""

import itertools
import json
import socket
import threading

import pytest

from support.fake_platform import CALLS, HANG, HTML, PEER, RESET, FakePlatform, Reply

JSON = {"Content-Type": "application/json"}

FAULTS = {
    "HTML": HTML,
    "HTML called JSON": Reply(body=HTML.body, headers=JSON),
    "empty": Reply(body=b""),
    "204": Reply(204, b"", {"Content-Length": None}),
    "truncated JSON": Reply(body=b'{"id": "x", "name'),
    "truncated body": Reply(body=b'{"status": "ok", "padding": "xxxxxxxxxxxxxxxx"}', close_after=10),
    "reset": RESET,
    "closed": Reply(raw=b""),
    "garbage": Reply(raw=b"\x00\xff\x16\x03\x01 not HTTP at all\r\n\r\n" * 50),
    "endless header": Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * 2_000_000),
    "bad UTF-8": Reply(body=b'{"status": "\xff\xfe", "id": "\xc0\x80"}'),
    "number": Reply(body=b"7"), "string": Reply(body=b'"ok"'), "null": Reply(body=b"null"),
    "deep": Reply(body=b"[" * 100_000),
    "oversized": Reply(body=b'{"x":"' + b"y" * (80 << 20) + b'"}'),
    "500 HTML": Reply(500, HTML.body, {"Content-Type": "text/html"}),
    "lying length": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n{}"),
    "bad chunks": Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_tool_call_that_gets_an_invalid_response_fails(spawn, fake, fault):
    child = spawn(speed=50)
    child.initialize()
    for tool, (route, arguments) in CALLS.items():
        fake.always(route, FAULTS[fault])
        result = child.call(tool, **arguments)
        text = result.text
        # For a notification, a success without a body is complete.
        nothing_to_say = tool == "send_message_to_user" and fault in ("empty", "204")
        assert result.failed or nothing_to_say, (tool, text)
        assert 10 < len(text) < 1500 and "edge-page-marker" not in text and "\x00" not in text
    assert child.ping() < 5


@pytest.mark.parametrize("fault", FAULTS)
def test_presence_and_inbox_survive_invalid_responses(spawn, fake, fault):
    for route in ("register", "heartbeat", "activity"):
        fake.script(route, *[FAULTS[fault]] * 3)
    child = spawn(speed=100)
    child.initialize()
    fake.wait_for("heartbeat", 4)
    id = fake.add_message("after the storm")
    assert child.wait_messages(1)[0]["activity_id"] == id
    assert len(child.stderr_text.splitlines()) < 40 and "edge-page-marker" not in child.stderr_text


def test_lesson_2_16_an_html_page_is_reported_as_one(mcp, fake):
    for tool, (route, arguments) in CALLS.items():
        fake.always(route, HTML)
        text = mcp.call(tool, **arguments).text
        for word in ("URL", "Origin", "rganisation"):
            assert word in text or word.replace("s", "z") in text, (tool, text)


SHAPES = [7, "x", None, True, [], [[]], [7], ["x"], [None], [{}], {}, {"id": 7}, {"files": {}},
          {"status": 7, "delegation_id": 7}, {"scope": [], "id": {}}, {"error": {"deep": "x"}},
          {"result": 7}, {"result": None}, {"result": {"parts": "x"}}, {"result": {"parts": [7, None]}},
          [{"id": 7, "name": [], "role": {}, "status": 1.5}], [{"content": 7, "scope": None}],
          [{"delegation_id": 7, "status": []}], {"delegation_id": "\n\n", "status": "x"}]


@pytest.mark.parametrize("tool", CALLS)
def test_unexpected_json_does_not_break_a_tool(mcp, fake, tool):
    route, arguments = CALLS[tool]
    for shape in SHAPES:
        fake.always(route, Reply(body=json.dumps(shape), headers=JSON))
        result = mcp.call(tool, **arguments)
        assert result.text, shape
    assert mcp.ping() < 5


@pytest.mark.parametrize("route", ["register", "heartbeat", "activity"])
def test_unexpected_json_does_not_break_background_tasks(spawn, fake, route):
    shapes = [*SHAPES, {"status": "ok", "platform_inbound_secret": {"a": 1}}, {"auth_token": 7},
              {"rows": []}, [{"id": PEER, "request_body": {"params": {"message": {"parts": [[]]}}}}]]
    fake.script(route, *(Reply(body=json.dumps(s), headers=JSON) for s in shapes))
    child = spawn(speed=100)
    child.initialize()
    fake.wait_for("heartbeat", 5)
    fake.wait_for("activity", 8)
    assert child.process.poll() is None and child.ping() < 5


def test_a_hanging_platform_delays_nothing_else(spawn, fake):
    fake.always_everything(HANG)
    child = spawn()
    child.initialize()
    child.start_tool("list_peers")
    child.start_tool("recall_memory")
    fake.wait_for("recall")
    assert child.ping() < 2
    assert child.call("inbox_peek").json == []
    assert child.call("wait_for_message", timeout_secs=0).json["timeout"] is True


def test_every_background_request_times_out(spawn, fake):
    """10 s for a poll; nothing may hang forever."""
    fake.always_everything(HANG)
    child = spawn(speed=40)
    child.initialize()
    fake.wait_hung_up(4)
    fake.always_everything(None)
    id = fake.add_message("finally")
    assert child.wait_messages(1)[0]["activity_id"] == id
    fake.next("heartbeat")


def test_a_trickling_response_times_out(spawn, fake):
    """A body that arrives one byte per second must not keep a request open forever."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection):
        try:
            while not stop.wait(0.02):
                connection.sendall(b" ")
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    child = spawn({"PLATFORM_URL": f"http://127.0.0.1:{listener.getsockname()[1]}"}, speed=40)
    child.initialize()
    try:
        result = child.call("list_peers")
        assert result.failed
    finally:
        stop.set()
        listener.close()


def unreachable_url():
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("url", ["refused", "http://name.invalid"])
def test_an_unreachable_platform(spawn, url):
    url = unreachable_url() if url == "refused" else url
    child = spawn({"PLATFORM_URL": url}, speed=50)
    child.initialize()
    for tool, (_, arguments) in CALLS.items():
        result = child.call(tool, **arguments)
        assert result.failed and "PLATFORM_URL" in result.text, (tool, result)
    assert child.call("inbox_peek").json == []
    child.wait_stderr("molecule")


def test_a_platform_that_returns_is_used_again(spawn, fake):
    url = unreachable_url()
    port = int(url.rsplit(":", 1)[1])
    child = spawn({"PLATFORM_URL": url}, speed=20)
    child.initialize()
    child.wait_stderr("regist")
    late = FakePlatform(port)
    try:
        late.wait_for("register")
        late.wait_for("heartbeat")
        late.add_message("hello again")
        child.wait_messages(1)
    finally:
        late.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(spawn, fake, status):
    """Neither with the token nor without it."""
    other = FakePlatform()
    try:
        moved = lambda r: Reply(status, b"", {"Location": other.url + r.target})
        for route in ("peers", "notify", "a2a", "heartbeat", "activity", "register"):
            fake.always(route, moved)
        child = spawn(speed=20)
        child.initialize()
        for tool in ("list_peers", "send_message_to_user", "delegate_task"):
            assert child.call(tool, **CALLS[tool][1]).failed
        fake.wait_for("heartbeat", 2)
        fake.wait_for("activity", 2)
        assert other.connections == 0
        assert len(fake.seen("a2a")) == 1
    finally:
        other.close()


def test_a_token_echoed_by_the_platform_is_not_printed(spawn, fake, token):
    """`spawn` searches both outputs for it."""
    echo = Reply(400, {"error": f"bad token {token}", "hint": f"Bearer {token}"})
    for route in ("peers", "info", "notify", "commit", "recall", "delegate", "delegations", "a2a",
                  "heartbeat", "activity"):
        fake.always(route, echo)
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=50)
    child.initialize()
    for tool, (_, arguments) in CALLS.items():
        assert child.call(tool, **arguments).failed
    fake.wait_for("heartbeat", 4)


def test_a_token_echoed_by_a_rejected_register_is_not_printed(spawn, fake, token):
    fake.always("register", Reply(401, {"error": f"no such token: {token}"}))
    spawn().expect_exit(3)


def test_responses_split_anywhere(spawn, fake):
    body = json.dumps([{"id": PEER, "name": "é👋", "role": None, "status": "online"}]).encode()
    whole = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
             b"Connection: close\r\n\r\n" % len(body)) + body
    child = spawn()
    child.initialize()
    for cut in itertools.chain(range(1, 20), range(90, len(whole), 7)):
        fake.script("peers", Reply(raw=[whole[:cut], whole[cut:]]))
        assert "é👋" in child.call("list_peers").text


def test_interim_responses_and_chunks(spawn, fake):
    child = spawn()
    child.initialize()
    for raw in (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1;x=y\r\n]\r\n0\r\nT: x\r\n\r\n",
                b"HTTP/1.0 200 OK\r\n\r\n[]"):
        fake.script("peers", Reply(raw=raw))
        assert not child.call("list_peers").failed, raw
