"""Promises to people who run the platform among strangers (section C of the fault report)."""

import resource
import socket
import subprocess
import time

import pytest
import websocket

from support.events import EventStream
from support.mcp import is_sanitized
from support.platform import Platform, child_env
from support.raw_http import RawConnection, exchange, request_text


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


# --- C1 -----------------------------------------------------------------------------------------


def run_on(build, tmp_path, data, env=None):
    return subprocess.run(
        [str(build / "molecule-platform"), "--listen", "127.0.0.1:0", "--data", str(data)],
        env=child_env(tmp_path, env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=20)


def test_fault_C1_a_foreign_uploads_folder_is_refused_and_left_alone(build, tmp_path):
    precious = tmp_path / "data" / "uploads" / "thesis.pdf"
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    done = run_on(build, tmp_path, tmp_path / "data")
    assert done.returncode == 1 and done.stdout == ""
    assert "thesis.pdf" in done.stderr and "--data" in done.stderr
    assert precious.read_text() == "precious"


def test_fault_C1_a_linked_uploads_folder_is_refused(build, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "uploads").symlink_to(elsewhere)
    done = run_on(build, tmp_path, tmp_path / "data")
    assert done.returncode == 1 and "symbolic link" in done.stderr
    assert list(elsewhere.iterdir()) == []


# --- C2 -----------------------------------------------------------------------------------------


def test_fault_C2_accepting_goes_on_after_the_system_had_no_descriptor(build, platform):
    """The limit falls below what is open, so that every accept fails, and rises again."""
    if is_sanitized(build / "molecule-platform"):
        pytest.skip("a sanitizer's checks need descriptors of their own")
    pid = platform.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (5, before[1]))
    crowd = [socket.create_connection((platform.host, platform.port), 5) for _ in range(20)]
    time.sleep(0.5)
    assert platform.process.poll() is None
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    for _ in range(3):
        assert platform.request("GET", "/health", timeout=5).status == 200
    for client in crowd:
        client.close()


# --- C5 -----------------------------------------------------------------------------------------


def test_fault_C5_a_client_that_waits_for_100_continue_is_served(platform, agent):
    body = '{"workspace_id": "%s"}' % agent.id
    head = request_text(platform, "POST", "/registry/heartbeat",
                        [f"Authorization: Bearer {agent.token}", "Expect: 100-continue",
                         f"Content-Length: {len(body)}"])
    with RawConnection(platform, timeout=5) as connection:
        for _ in range(2):
            assert connection.send(head).read_reply().status == 100
            assert connection.send(body).read_reply().status == 200
        # Pipelined behind another request: the answers stay in order.
        connection.send(request_text(platform, "GET", "/nothing") + head)
        assert [connection.read_reply().status for _ in range(2)] == [404, 100]
        assert connection.send(body).read_reply().status == 200
    refused = request_text(platform, "POST", "/registry/heartbeat",
                           ["Expect: 100-continue", f"Content-Length: {17 << 20}"])
    with RawConnection(platform, timeout=5) as connection:
        assert connection.send(refused).read_reply().status == 413


def test_fault_C5_whole_urls_and_the_asterisk_are_served(platform):
    host = f"{platform.host}:{platform.port}"
    assert exchange(platform, request_text(platform, "GET", f"http://{host}/health")).status == 200
    ask = request_text(platform, "GET", f"http://{host}", host=host)
    assert exchange(platform, ask).status == 200
    # The URL's host counts, not the field's.
    ask = request_text(platform, "GET", "http://evil.example/health")
    assert exchange(platform, ask).status == 403
    ask = request_text(platform, "GET", f"http://{host}/health", host="evil.example")
    assert exchange(platform, ask).status == 200
    reply = exchange(platform, request_text(platform, "OPTIONS", "*"))
    assert reply.status == 204 and "PATCH" in reply.headers["allow"]
    assert exchange(platform, request_text(platform, "GET", "*")).status == 400


# --- C10 ----------------------------------------------------------------------------------------


def test_fault_C10_behind_a_proxy_that_rewrites_host(build):
    with Platform(build, env={"EXTERNAL_PLATFORM_URL": "https://Agents.Example/molecule/"}) as own:
        agent = own.create_workspace("agent")
        page = {"Origin": "https://agents.example"}
        assert own.request("POST", "/registry/heartbeat", agent.token,
                           {"workspace_id": agent.id}, headers=page).status == 200
        assert own.request("GET", "/health", headers={"Host": "agents.example"}).status == 200
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            reply = own.request("GET", "/health", headers=headers)
            assert reply.status == 403 and "EXTERNAL_PLATFORM_URL" in reply.body["error"]
            assert reply.body["code"] in ("origin_not_allowed", "host_not_allowed")


# --- C13 ----------------------------------------------------------------------------------------


def test_fault_C13_a_weak_or_readable_admin_token_is_warned_of(build):
    with Platform(build, env={"ADMIN_TOKEN": "short"}) as own:
        assert "can be guessed" in own.stderr()
        own.secrets.clear()  # five letters are in many texts
    with Platform(build, env={"ADMIN_TOKEN": "0123456789abcdef"}) as own:
        assert own.stderr() == ""
    with Platform(build) as own:
        assert own.stderr() == ""
        (own.data_dir / "admin_token").chmod(0o644)
        own.restart()
        assert "chmod 600" in own.stderr()


def test_fault_C13_a_wrong_token_waits_and_a_right_one_does_not(platform, agent):
    text = request_text(platform, "GET", "/workspaces", ["Authorization: Bearer wrong"])
    with RawConnection(platform) as connection:
        for number in range(600):  # what is free grows by five a second
            start = time.monotonic()
            assert connection.send(text).read_reply().status == 401
            if time.monotonic() - start > 0.9:
                break
        assert number >= 300, number
        assert time.monotonic() - start > 0.9
    start = time.monotonic()
    for _ in range(20):
        assert platform.admin("GET", "/workspaces").status == 200
        assert platform.heartbeat(agent).status == 200
    assert time.monotonic() - start < 5


def test_fault_C13_a_revoked_tokens_web_socket_is_closed_without_an_event(platform, agent):
    peer = platform.create_workspace("peer")
    with EventStream(platform, agent.token) as gone, EventStream(platform, peer.token) as stays:
        for row in platform.request("GET", f"/workspaces/{agent.id}/tokens", agent.token).body["tokens"]:
            assert platform.admin("DELETE", f"/workspaces/{agent.id}/tokens/{row['id']}").status < 300
        gone.socket.settimeout(5)
        with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
            while True:
                gone.socket.recv()  # what came before, and the farewell
        platform.heartbeat(peer)
        stays.wait_for("WORKSPACE_HEARTBEAT", peer.id)


def test_a_waiting_answer_does_not_hold_up_the_end(platform):
    crowd = []
    for number in range(400):
        client = socket.create_connection((platform.host, platform.port), 5)
        client.sendall(request_text(platform, "GET", "/workspaces",
                                    [f"Authorization: Bearer wrong{number}"]).encode())
        crowd.append(client)
    platform.stop()
    for client in crowd:
        client.close()
