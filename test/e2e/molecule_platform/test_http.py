"""HTTP itself: framing, hosts and origins, slow and misbehaving clients (platform-api.md 0,
issue 2)."""

import email.utils
import json
import re
import resource
import socket
import struct
import subprocess
import time

import pytest

from support.platform import Platform, child_env
from support.raw_http import RawConnection, exchange, request_text

CAP = 16 << 20


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


def still_works(platform):
    assert platform.request("GET", "/health").body == {"status": "ok"}


# --- 0 conventions ----------------------------------------------------------------------------


def test_0_unknown_paths_and_methods(platform, agent):
    for method, path in [("GET", "/nothing"), ("POST", "/health"), ("PUT", "/workspaces"),
                         ("DELETE", "/registry/register"), ("GET", "/registry/heartbeat"),
                         ("TRACE", "/health"), ("GET", "/workspaces/a/b/c/d"), ("GET", "//"),
                         ("GET", f"/workspaces/{agent.id}/nothing"), ("PROPFIND", "/workspaces"),
                         ("GET", "/../../etc/passwd"), ("GET", "/%2e%2e/%2e%2e/etc/passwd")]:
        reply = platform.request(method, path)
        assert reply.status in (301, 307, 400, 404, 405, 501), (method, path, reply)
        assert "root:" not in str(reply.body)
    missing = platform.request("GET", "/nothing")
    assert (missing.status, missing.body) == (404, "404 page not found")
    assert platform.request("PUT", "/workspaces").status == 404


def test_0_a_trailing_slash_redirects(platform):
    for method, status in (("GET", 301), ("POST", 307)):
        reply = platform.request(method, "/workspaces/", json={})
        # Relative: behind a proxy that serves it under a prefix, the prefix stays (fault C10).
        assert (reply.status, reply.headers["Location"]) == (status, "../workspaces")
    reply = platform.request("GET", "//evil.example/")
    assert not (reply.headers.get("Location") or "").startswith("//")


def test_0_json_is_read_whatever_the_content_type_says(platform, agent):
    body = json.dumps({"workspace_id": agent.id})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "a" * 2000):
        reply = platform.request("POST", "/registry/heartbeat", agent.token, body=body,
                                 headers={"Content-Type": kind})
        assert reply.status == 200, kind


def test_0_responses_are_json_with_security_headers(platform, agent):
    for reply in (platform.request("GET", f"/workspaces/{agent.id}"),
                  platform.request("GET", f"/workspaces/{agent.id}/activity"),
                  platform.admin("POST", "/workspaces", {})):
        assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_the_root_says_what_this_server_is(platform):
    reply = platform.request("GET", "/")
    assert reply.status == 200 and reply.body.startswith("<!doctype html>")


def test_0_only_the_first_json_value_counts(platform, agent):
    """The baseline reads one value and ignores the rest; rejecting is fine, reading half is not."""
    body = json.dumps({"workspace_id": agent.id})
    reply = platform.request("POST", "/registry/heartbeat", agent.token, body=body + " trailing")
    assert reply.status in (200, 400)


# --- Host and Origin (DNS rebinding) ----------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example",
                                  "localhost.evil.example:{port}", "169.254.169.254", "",
                                  "127.0.0.1@evil.example", "evil.example#127.0.0.1", "*"])
def test_a_foreign_host_is_rejected(platform, host):
    host = host.format(port=platform.port)
    reply = exchange(platform, f"GET /workspaces HTTP/1.1\r\nHost: {host}\r\n"
                               f"Authorization: Bearer {platform.admin_token}\r\n\r\n")
    assert reply.status in (400, 403), (host, reply)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "localhost", "127.0.0.1",
                                  "LOCALHOST:{port}", "[::1]:{port}"])
def test_local_names_are_accepted_as_host(platform, host):
    text = request_text(platform, "GET", "/health", host=host.format(port=platform.port))
    assert exchange(platform, text).status == 200


def test_a_missing_host_is_400(platform):
    assert exchange(platform, "GET /health HTTP/1.1\r\n\r\n").status == 400


def test_two_hosts_are_400(platform):
    own = f"{platform.host}:{platform.port}"
    for second in ("evil.example", own):
        for pair in ((own, second), (second, own)):
            text = f"GET /health HTTP/1.1\r\nHost: {pair[0]}\r\nHost: {pair[1]}\r\n\r\n"
            assert exchange(platform, text).status in (400, 403)


def test_0_5_a_foreign_origin_is_403_on_every_route(platform, agent):
    for origin in ("http://evil.example", "null", "http://127.0.0.1", f"{platform.url}/",
                   "https://evil.example:" + str(platform.port), platform.url + ".evil.example"):
        for method, path in (("GET", "/health"), ("GET", "/workspaces"),
                             ("POST", f"/workspaces/{agent.id}/a2a"), ("OPTIONS", "/workspaces")):
            reply = platform.request(method, path, platform.admin_token,
                                     headers={"Origin": origin})
            assert (reply.status, set(reply.body)) == (403, {"error", "code"}), (origin, method, path)


def test_0_5_its_own_origin_is_accepted(platform, agent):
    for scheme in ("http", "https"):
        origin = {"Origin": f"{scheme}://{platform.host}:{platform.port}"}
        assert platform.request("GET", "/health", headers=origin).status == 200
        assert platform.request("POST", "/registry/heartbeat", agent.token,
                                {"workspace_id": agent.id}, headers=origin).status == 200


def test_0_5_configured_origins_and_their_preflight(build):
    with Platform(build, env={"CORS_ORIGINS": "https://canvas.example,http://b.example"}) as own:
        for origin in ("https://canvas.example", "http://b.example"):
            reply = own.request("GET", "/health", headers={"Origin": origin})
            assert reply.status == 200
            assert reply.headers["Access-Control-Allow-Origin"] == origin
            preflight = own.request("OPTIONS", "/workspaces", headers={
                "Origin": origin, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization"})
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert own.request("GET", "/health",
                           headers={"Origin": "https://evil.example"}).status == 403


# --- malformed requests -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "nonsense\r\n\r\n", "GET\r\n\r\n", "GET /health\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET /health HTTP/1.1\r\nHost : {host}\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: {host}\r\nX : y\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: {host}\r\nAuthorization : Bearer x\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: {host}\r\nno colon\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: {host}\r\n: empty name\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "GET health HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\nContent-Length: x\r\n\r\n",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\n"
    "Content-Length: 99999999999999999999\r\n\r\n",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n"
    "Content-Length: 5\r\n\r\n{{}}{{}}{{",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n"
    "Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    "zz\r\n{{}}\r\n0\r\n\r\n",
    "POST /registry/heartbeat HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    "ffffffffffffffffff\r\n{{}}",
    "GET /health HTTP/1.1\r\nHost: {host}\r\nX-Long: " + "a" * 200_000 + "\r\n\r\n",
    "GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: {host}\r\n" + "X-A: b\r\n" * 20_000 + "\r\n",
    "\r\n" * 1000 + "x\r\n\r\n", "\x00" * 5000,
], ids=lambda text: ascii(text)[1:60])
def test_malformed_http_is_400_or_a_closed_connection(platform, text):
    data = text.format(host=f"{platform.host}:{platform.port}").encode("latin-1")
    with RawConnection(platform) as connection:
        try:
            connection.send(data)
            connection.socket.shutdown(socket.SHUT_WR)
            reply = connection.read_reply()
            assert reply.status in (400, 404, 411, 413, 414, 431, 501, 505), reply
        except (ConnectionError, OSError) as error:
            assert not isinstance(error, TimeoutError), "neither a response nor a close"
    still_works(platform)


def test_no_request_can_be_smuggled_in_a_body(platform, agent):
    """However it treats length and chunking together, the second request must not run."""
    hidden = request_text(platform, "POST", f"/workspaces/{agent.id}/notify",
                          [f"Authorization: Bearer {agent.token}"], '{"message": "smuggled"}')
    for lines in (["Content-Length: 4", "Transfer-Encoding: chunked"],
                  ["Transfer-Encoding: chunked", "Content-Length: 4"],
                  ["Transfer-Encoding: chunked, identity"], ["Transfer-Encoding : chunked"],
                  ["Transfer-Encoding: xchunked"], ["Content-Length: 5", "Content-Length: 0"]):
        text = request_text(platform, "POST", "/registry/heartbeat", lines)
        with RawConnection(platform, timeout=5) as connection:
            try:
                connection.send(text + "5\r\nhello\r\n0\r\n\r\n")
                reply = connection.read_reply()
                assert reply.status < 500 or reply.status == 501, (lines, reply)
            except (ConnectionError, OSError):
                pass
    text = request_text(platform, "POST", "/registry/heartbeat",
                        ["Content-Length: " + str(len(hidden))])
    with RawConnection(platform) as connection:
        assert connection.send(text + hidden).read_reply().status in (400, 401)
    assert platform.activity(agent).body == []
    still_works(platform)


def test_two_authorization_fields_are_not_combined(platform, agent):
    for pair in ((agent.token, "x"), ("x", agent.token)):
        fields = [f"Authorization: Bearer {token}" for token in pair]
        text = request_text(platform, "GET", f"/workspaces/{agent.id}/activity", fields)
        reply = exchange(platform, text)
        assert reply.status in (200, 400, 401), reply
    text = request_text(platform, "GET", f"/workspaces/{agent.id}/activity",
                        ["Authorization: Bearer x", "Authorization: Bearer y"])
    assert exchange(platform, text).status in (400, 401)


# --- bodies -----------------------------------------------------------------------------------


def chunked(body, size):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts) + "0\r\n\r\n"


def test_chunked_bodies_are_read(platform, agent):
    body = json.dumps({"workspace_id": agent.id, "current_task": "in chunks"})
    for size in (1, 7, 4096):
        text = request_text(platform, "POST", "/registry/heartbeat",
                            [f"Authorization: Bearer {agent.token}", "Transfer-Encoding: chunked"])
        assert exchange(platform, text + chunked(body, size)).status == 200
    assert platform.admin("GET", "/workspaces").body[0]["current_task"] == "in chunks"


def test_a_request_may_arrive_byte_by_byte(platform, agent):
    body = json.dumps({"workspace_id": agent.id})
    text = request_text(platform, "POST", "/registry/heartbeat",
                        [f"Authorization: Bearer {agent.token}"], body)
    with RawConnection(platform) as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in text:
            connection.send(byte)
        assert connection.read_reply().status == 200


def assert_413(reply):
    assert reply.status == 413, reply
    body = reply.json()
    assert body["truncated"] is True and body["max_bytes"] == CAP and body["error"]


@pytest.mark.parametrize("path", ["/registry/heartbeat", "/workspaces", "/workspaces/x/a2a",
                                  "/workspaces/x/memories", "/workspaces/x/notify"])
def test_10_a_body_over_the_limit_is_413_before_it_arrives(platform, path):
    for size in (CAP + 1, 2**40):
        text = request_text(platform, "POST", path, [f"Content-Length: {size}"])
        assert_413(exchange(platform, text + "x" * 1000))
    still_works(platform)


def test_10_a_chunked_body_over_the_limit_is_413(platform):
    text = request_text(platform, "POST", "/registry/heartbeat",
                        ["Transfer-Encoding: chunked",
                         f"Authorization: Bearer {platform.admin_token}"])
    chunk = "100000\r\n" + "x" * 0x100000 + "\r\n"
    assert_413(exchange(platform, text + chunk * 18 + "0\r\n\r\n"))
    still_works(platform)


@pytest.mark.parametrize("path", ["/registry/register", "/workspaces/x/a2a", "/nothing"])
def test_10_only_known_senders_may_send_more_than_64_kib(platform, agent, path):
    for field in ([], ["Authorization: Bearer nonsense"]):
        text = request_text(platform, "POST", path, [f"Content-Length: {(64 << 10) + 1}", *field])
        assert exchange(platform, text).status == 401  # no part of the body was sent
        text = request_text(platform, "POST", path, ["Transfer-Encoding: chunked", *field])
        chunk = "8000\r\n" + "x" * 0x8000 + "\r\n"
        assert exchange(platform, text + chunk * 3).status == 401
    text = request_text(platform, "POST", path, [f"Authorization: Bearer {agent.token}"],
                        "x" * (1 << 20))
    assert exchange(platform, text).status in (400, 403, 404)
    still_works(platform)


def test_every_response_has_a_date(platform):
    for text in (request_text(platform, "GET", "/health"), request_text(platform, "GET", "/none"),
                 "NONSENSE\r\n\r\n"):
        date = exchange(platform, text).headers["date"]
        assert abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time()) < 30
        assert re.fullmatch(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT", date)


def test_expect_100_continue_is_answered(platform, agent):
    body = json.dumps({"workspace_id": agent.id})
    text = request_text(platform, "POST", "/registry/heartbeat",
                        [f"Authorization: Bearer {agent.token}", "Expect: 100-continue"], body)
    assert exchange(platform, text).status == 200


# --- connections ------------------------------------------------------------------------------


def test_a_connection_is_kept_alive(platform, agent):
    with RawConnection(platform) as connection:
        for number in range(50):
            path = "/health" if number % 2 else f"/workspaces/{agent.id}"
            connection.send(request_text(platform, "GET", path))
            assert connection.read_reply().status == 200
        connection.send(request_text(platform, "GET", "/health", ["Connection: close"]))
        assert connection.read_reply().status == 200
        assert connection.closed()


def test_http_1_0_is_answered_and_closed(platform):
    with RawConnection(platform) as connection:
        host = f"{platform.host}:{platform.port}"
        connection.send(f"GET /health HTTP/1.0\r\nHost: {host}\r\n\r\n")
        assert connection.read_reply().status == 200
        assert connection.closed()


def test_pipelined_requests_are_answered_in_order(platform, agent):
    paths = ["/health", "/nothing", f"/workspaces/{agent.id}", "/workspaces"] * 25
    heartbeat = json.dumps({"workspace_id": agent.id})
    with RawConnection(platform) as connection:
        text = "".join(request_text(platform, "GET", path) for path in paths)
        text += request_text(platform, "POST", "/registry/heartbeat",
                             [f"Authorization: Bearer {agent.token}"], heartbeat)
        connection.send(text)
        statuses = [connection.read_reply().status for _ in range(len(paths) + 1)]
    assert statuses == [200, 404, 200, 401] * 25 + [200]


def test_head_has_no_body(platform):
    with RawConnection(platform) as connection:
        connection.send(request_text(platform, "HEAD", "/health"))
        assert connection.read_reply(head_only=True).status in (200, 404)
        connection.send(request_text(platform, "GET", "/health"))
        assert connection.read_reply().json() == {"status": "ok"}


def test_slow_clients_delay_no_other(platform, agent):
    """Two hundred clients stall: within a line, the headers, or a body, or after sending
    nothing."""
    whole = request_text(platform, "POST", "/registry/heartbeat",
                         [f"Authorization: Bearer {agent.token}"],
                         json.dumps({"workspace_id": agent.id, "current_task": "late"}))
    half = [RawConnection(platform) for _ in range(200)]
    try:
        for number, connection in enumerate(half):
            connection.send(whole[:number * len(whole) // 200])
        for _ in range(20):
            reply = platform.request("GET", f"/workspaces/{agent.id}")
            assert reply.status == 200
        for number, connection in enumerate(half[100:], 100):  # they can still finish
            connection.send(whole[number * len(whole) // 200:])
            assert connection.read_reply().status == 200
    finally:
        for connection in half:
            connection.socket.close()
    assert platform.admin("GET", "/workspaces").body[0]["current_task"] == "late"


def test_clients_that_reset_are_harmless(platform, agent):
    whole = request_text(platform, "GET", f"/workspaces/{agent.id}")
    for number in range(200):
        connection = RawConnection(platform)
        connection.send(whole[:number % (len(whole) + 1)] if number % 3 else whole * 50)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
    still_works(platform)


def test_a_client_that_never_reads_costs_bounded_memory(platform, agent):
    for number in range(20):
        platform.send(agent, "x" * 500_000)
    ask = request_text(platform, "GET", f"/workspaces/{agent.id}/activity?limit=500",
                       [f"Authorization: Bearer {agent.token}"])
    before = platform.resident_bytes()
    with RawConnection(platform, timeout=2) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            connection.send(ask * 200)  # 2 GB of responses, if all were produced
        except OSError:
            pass
        assert platform.request("GET", "/health").status == 200
        assert platform.resident_bytes() - before < 400 << 20
    still_works(platform)


def test_more_clients_than_descriptors(build, tmp_path):
    """Without free descriptors it waits for some; it must not spin or exit."""
    process = subprocess.Popen(
        [str(build / "molecule-platform"), "--listen", "127.0.0.1:0", "--data",
         str(tmp_path / "data")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=child_env(tmp_path),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    try:
        port = int(process.stdout.readline().decode().strip().rpartition(":")[2])
        crowd = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(150)]
        for client in crowd:
            client.close()
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.settimeout(15)
            client.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 200"
    finally:
        process.terminate()
        assert process.wait(5) == 0
