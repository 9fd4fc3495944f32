"""Connections that rest between two requests: nobody notices but who pays for the memory."""

import contextlib
import re
import resource

import pytest

from support.mcp import is_sanitized
from support.platform import until
from support.raw_http import RawConnection, request_text


def value_of(platform, name):
    text = platform.admin("GET", "/metrics").body
    return int(re.search(rf"^molecule_{name} (\d+)$", text, re.M)[1])


def wait_resting(platform, count):
    # The connection of the question itself does not rest.
    until(lambda: value_of(platform, "http_connections_resting") == count)


def test_a_connection_that_rests_goes_on_with_its_next_request(platform):
    asked = request_text(platform, "GET", "/health")
    with RawConnection(platform) as connection, RawConnection(platform) as other:
        for first, second in ((asked[:1], asked[1:]), (asked + asked[:9], asked[9:])):
            connection.send(asked)
            assert connection.read_reply().status == 200
            wait_resting(platform, 2)
            connection.send(first)
            wait_resting(platform, 1)
            connection.send(second)
            assert connection.read_reply().status == 200
        assert connection.read_reply().status == 200
        wait_resting(platform, 2)
        other.send(asked + asked)
        assert [other.read_reply().status for _ in range(2)] == [200, 200]
        wait_resting(platform, 2)
        connection.send("NONSENSE\r\n\r\n")
        assert connection.read_reply().status == 400 and connection.closed()
        wait_resting(platform, 1)
    wait_resting(platform, 0)
    until(lambda: value_of(platform, "http_connections_active") == 1)


def test_a_connection_that_rests_becomes_an_event_stream(platform):
    agent = platform.create_workspace("agent")
    with RawConnection(platform) as connection:
        connection.send(request_text(platform, "GET", "/health"))
        assert connection.read_reply().status == 200
        wait_resting(platform, 1)
        connection.send(request_text(platform, "GET", f"/workspaces/{agent.id}/events/stream",
                                     [f"Authorization: Bearer {agent.token}"]))
        until(lambda: value_of(platform, "event_streams_active") == 1)
        assert platform.send(agent, "hello").status == 200
        received = b""
        while b"ACTIVITY_LOGGED" not in received:
            received += (part := connection.socket.recv(4096))
            assert part, received


def test_kept_connections_cost_little_while_they_rest(build, platform):
    if is_sanitized(build / "molecule-platform"):
        pytest.skip("sanitizers need memory of their own")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    together, rounds = 100, 10
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    asked = request_text(platform, "GET", "/health")
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # A few at a time: memory that all needed at once is not given back, but used again.
        for number in range(1, rounds + 2):
            if number == 2:
                before = platform.resident_bytes()
            opened = [stack.enter_context(RawConnection(platform)) for _ in range(together)]
            for connection in opened:
                connection.send(asked)
                assert connection.read_reply().status == 200
            wait_resting(platform, together * number)
        assert (platform.resident_bytes() - before) / (together * rounds) < 2500
