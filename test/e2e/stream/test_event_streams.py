"""GET /workspaces/:id/events/stream (platform-api.md 2.10)."""

import http.client
import json
import socket
import time

import pytest

from support.deadline import DEADLINE
from support.platform import Platform
from support.raw_http import exchange, request_text

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


class Stream:
    def __init__(self, platform, workspace, token=None, path=None, options=()):
        self._connection = http.client.HTTPConnection(platform.host, platform.port, timeout=DEADLINE)
        self._connection.connect()
        for option in options:
            self._connection.sock.setsockopt(*option)
        self._connection.request("GET", path or f"/workspaces/{workspace.id}/events/stream",
                                 headers={"Authorization": f"Bearer {token or workspace.token}"})
        self.reply = self._connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reply.close()
        self._connection.close()

    def next(self):
        """The next comment or event, without the blank line; b"" at the end."""
        line = self.reply.readline()
        assert line == b"" or self.reply.readline() == b"\n"
        return line.rstrip(b"\n")

    def event(self):
        while (line := self.next()) == b": ping":
            pass
        assert line.startswith(b"data: "), line
        return json.loads(line[6:])

    def rest(self):
        """Reads to the end; fails if the end is not a proper one."""
        return self.reply.read()


def test_events_follow_a_comment(platform, agent):
    platform.register(agent)
    with Stream(platform, agent) as stream:
        assert stream.reply.status == 200
        assert stream.reply.headers["Content-Type"] == "text/event-stream"
        assert stream.reply.headers["Cache-Control"] == "no-cache"
        assert stream.reply.headers["X-Accel-Buffering"] == "no"
        assert stream.reply.headers["X-Content-Type-Options"] == "nosniff"
        assert stream.next() == b": ping"
        before = time.time() * 1000
        platform.send(agent, "two\nlines")
        event = stream.event()
        assert event.keys() == {"type", "timestamp", "data"}
        assert event["type"] == "ACTIVITY_LOGGED"
        assert before - 60_000 < event["timestamp"] < before + 60_000
        assert event["data"]["activity_type"] == "a2a_receive"
        # After the commit.
        assert len(platform.activity(agent).body) == 1


def test_only_events_of_the_workspace(platform, agent):
    other = platform.create_workspace("other")
    with Stream(platform, agent) as stream:
        for _ in range(3):
            platform.send(other, "not yours")
            platform.send(agent, "yours", caller=other)
        events = [stream.event() for _ in range(3)]
        assert [e["data"]["activity_type"] for e in events] == ["a2a_receive"] * 3
        platform.register(agent)
        assert [stream.event()["type"] for _ in range(2)] == ["AGENT_CARD_UPDATED", "WORKSPACE_ONLINE"]


def test_who_may_listen(platform, agent):
    other = platform.create_workspace("other")
    path = f"/workspaces/{agent.id}/events/stream"
    for token in (other.token, "nonsense"):
        with Stream(platform, agent, token) as stream:
            assert stream.reply.status == 401
    assert platform.request("GET", path).status == 401
    assert platform.admin("GET", f"/workspaces/{NOBODY}/events/stream").status == 404
    assert platform.admin("GET", "/workspaces/nonsense/events/stream").status == 400
    with Stream(platform, agent, platform.admin_token) as stream:
        assert stream.reply.status == 200 and stream.next() == b": ping"
    head = exchange(platform, request_text(platform, "HEAD", path,
                                           [f"Authorization: Bearer {agent.token}"]))
    assert head.status == 200
    platform.admin("DELETE", f"/workspaces/{agent.id}")
    assert platform.admin("GET", path).status == 404


def test_a_client_of_http_1_0_reads_to_the_end(platform, agent):
    with socket.create_connection((platform.host, platform.port), DEADLINE) as raw:
        raw.sendall(f"GET /workspaces/{agent.id}/events/stream HTTP/1.0\r\nHost: localhost\r\n"
                    f"Authorization: Bearer {agent.token}\r\n\r\n".encode())
        got = b""
        while b": ping\n\n" not in got:
            got += raw.recv(4096)
        assert b"Transfer-Encoding" not in got
        platform.admin("DELETE", f"/workspaces/{agent.id}")
        while piece := raw.recv(4096):
            got += piece
        assert b"WORKSPACE_REMOVED" in got


def test_a_stream_ends_with_its_right(platform, agent):
    tokens = platform.request("GET", f"/workspaces/{agent.id}/tokens", agent.token).body
    rows = tokens if isinstance(tokens, list) else tokens["tokens"]
    made = platform.request("POST", f"/workspaces/{agent.id}/tokens", agent.token).body
    platform.secrets.add(made["auth_token"])
    with Stream(platform, agent) as revoked, \
            Stream(platform, agent, made["auth_token"]) as kept, \
            Stream(platform, agent, platform.admin_token) as admin:
        for stream in (revoked, kept, admin):
            assert stream.next() == b": ping"
        old = rows[0]["id"]
        assert platform.admin("DELETE", f"/workspaces/{agent.id}/tokens/{old}").status < 300
        revoked.rest()  # without an event
        platform.admin("DELETE", f"/workspaces/{agent.id}")
        for stream in (kept, admin):
            assert b"WORKSPACE_REMOVED" in stream.rest()


def test_one_token_may_have_16(platform, agent):
    streams = [Stream(platform, agent) for _ in range(16)]
    assert {stream.reply.status for stream in streams} == {200}
    with Stream(platform, agent) as one_more:
        assert one_more.reply.status == 429
    with Stream(platform, agent, platform.admin_token) as person:
        assert person.reply.status == 200
    streams.pop().__exit__()
    deadline = time.monotonic() + DEADLINE
    while True:  # the platform sees the end of the connection at once, though not within this call
        with Stream(platform, agent) as again:
            if again.reply.status == 200:
                break
        assert time.monotonic() < deadline
    for stream in streams:
        stream.__exit__()


def test_a_comment_every_15_s_keeps_it_open(build, speedup):
    with Platform(build, env=speedup(20)) as platform:
        agent = platform.create_workspace("agent")
        with Stream(platform, agent) as stream:
            assert [stream.next() for _ in range(4)] == [b": ping"] * 4


def test_who_does_not_read_is_dropped_and_delays_no_other(platform, agent):
    card = {"name": "x" * 200_000}
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]
    with Stream(platform, agent, options=small) as stuck, Stream(platform, agent) as reader:
        assert stuck.next() == reader.next() == b": ping"
        for _ in range(60):
            platform.request("POST", "/registry/update-card", agent.token,
                             {"workspace_id": agent.id, "agent_card": card})
            assert reader.event()["type"] == "AGENT_CARD_UPDATED"
        received = 0
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            while piece := stuck.reply.read1(1 << 20):
                received += len(piece)
        assert received < 11_000_000, "the client was not dropped"


def test_streams_do_not_delay_the_end(build):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        with Stream(platform, agent) as stream:
            assert stream.next() == b": ping"
            platform.stop()
            assert stream.rest() == b""


def test_bytes_after_the_request_are_ignored_and_bounded(platform, agent):
    with Stream(platform, agent) as stream:
        assert stream.next() == b": ping"
        raw = stream._connection.sock or stream.reply.fp.raw._sock
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        platform.send(agent, "hello")
        assert stream.event()["type"] == "ACTIVITY_LOGGED"
        try:
            for _ in range(100):
                raw.sendall(b"x" * 4096)
        except OSError:
            pass
        with pytest.raises((http.client.IncompleteRead, OSError)):
            stream.rest()
            raise OSError("ended properly")
    assert platform.heartbeat(agent).status == 200
