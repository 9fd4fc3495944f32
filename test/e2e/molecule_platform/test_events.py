"""Events as rows and over the WebSocket (platform-api.md 2.10)."""

import socket

import pytest
import websocket

from support.deadline import DEADLINE
from support.events import EventStream
from support.raw_http import exchange, request_text

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


def test_events_are_rows_newest_first(platform, agent):
    platform.register(agent)
    platform.heartbeat(agent)
    platform.admin("DELETE", f"/workspaces/{agent.id}")
    rows = platform.admin("GET", "/events").body
    assert [row["event_type"] for row in rows] == [
        "WORKSPACE_REMOVED", "WORKSPACE_ONLINE", "AGENT_CARD_UPDATED",
        "WORKSPACE_AWAITING_AGENT", "WORKSPACE_PROVISIONING"]
    for row in rows:
        assert row.keys() == {"id", "event_type", "workspace_id", "payload", "created_at"}
        assert row["workspace_id"] == agent.id and isinstance(row["payload"], dict)
    assert rows[0]["payload"] == {"cascade_deleted": 0}
    assert rows[3]["payload"] == {"name": "agent", "external": True}
    other = platform.create_workspace("other")
    mine = platform.admin("GET", f"/events/{other.id}").body
    assert {row["workspace_id"] for row in mine} == {other.id} and len(mine) == 2
    assert platform.admin("GET", f"/events/{NOBODY}").body == []
    assert platform.admin("GET", "/events/not-a-uuid").status in (200, 400)


def test_at_most_100_events_are_listed(platform, agent):
    for _ in range(60):
        platform.register(agent)
        platform.request("POST", "/registry/update-card", agent.token,
                         {"workspace_id": agent.id, "agent_card": {}})
    assert len(platform.admin("GET", "/events").body) == 100


def test_no_event_holds_a_secret(platform, agent):
    platform.register(agent)
    platform.request("POST", f"/workspaces/{agent.id}/tokens", agent.token)
    text = str(platform.admin("GET", "/events").body)
    assert not [secret for secret in platform.secrets if secret in text]


def handshake_status(platform, **options):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        EventStream(platform, **options)
    return refused.value.status_code


def test_the_websocket_needs_a_token(platform, agent):
    assert handshake_status(platform) == 401
    assert handshake_status(platform, token="nonsense") == 401
    assert handshake_status(platform, headers={"X-Workspace-ID": agent.id}) == 401
    assert handshake_status(platform, token=agent.token,
                            headers={"X-Workspace-ID": NOBODY}) == 401
    with_secret_in_url = request_text(
        platform, "GET", f"/ws?token={platform.admin_token}",
        ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
    assert exchange(platform, with_secret_in_url).status == 401


def test_a_browser_sends_its_token_as_a_subprotocol(platform, agent):
    name = f"bearer.{platform.admin_token}"
    with EventStream(platform, subprotocols=[name]) as events:
        platform.heartbeat(agent)
        events.wait_for("WORKSPACE_ONLINE", agent.id)


def test_a_foreign_origin_gets_no_websocket(platform):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(
            f"ws://{platform.host}:{platform.port}/ws", origin="http://evil.example",
            header=[f"Authorization: Bearer {platform.admin_token}"], timeout=DEADLINE)
    assert refused.value.status_code == 403


def test_a_workspace_sees_only_its_own_and_its_familys_events(platform):
    parent = platform.create_workspace("parent")
    child = platform.create_workspace("child", parent_id=parent.id)
    cousin_parent = platform.create_workspace("uncle")
    cousin = platform.create_workspace("cousin", parent_id=cousin_parent.id)
    with EventStream(platform, child.token, {"X-Workspace-ID": child.id}) as events:
        platform.heartbeat(cousin)
        platform.heartbeat(parent)
        platform.heartbeat(child)
        events.wait_for("WORKSPACE_HEARTBEAT", child.id)
        assert {frame["workspace_id"] for frame in events.seen} == {parent.id, child.id}


def test_fault_C8_a_workspace_hears_nothing_of_what_others_say(platform, agent):
    """Of other top-level workspaces only their presence, and what it takes part in."""
    other, third = (platform.create_workspace(name) for name in ("other", "third"))
    with EventStream(platform, agent.token, {"X-Workspace-ID": agent.id}) as events:
        platform.send(other, "a secret of the person")
        platform.request("POST", f"/workspaces/{other.id}/notify", other.token,
                         {"message": "an answer in secret"})
        platform.send(other, "between others", caller=third)
        platform.send(other, "from me", caller=agent)
        platform.heartbeat(other)
        events.wait_for("WORKSPACE_HEARTBEAT", other.id)
        heard = [frame for frame in events.seen if frame["workspace_id"] == other.id
                 and not frame["event"].startswith("WORKSPACE_")]
        assert [frame["payload"]["source_id"] for frame in heard] == [agent.id], heard
        assert "secret" not in str(events.seen)


def test_a_message_is_announced_to_all_listeners(platform, agent):
    peer = platform.create_workspace("peer")
    with EventStream(platform, platform.admin_token) as one, \
            EventStream(platform, platform.admin_token) as two:
        platform.send(agent, "hello there", caller=peer)
        platform.request("POST", f"/workspaces/{agent.id}/notify", agent.token, {"message": "hi"})
        for events in (one, two):
            logged = events.wait_for("ACTIVITY_LOGGED", agent.id)["payload"]
            assert (logged["activity_type"], logged["method"], logged["source_id"],
                    logged["target_id"], logged["status"]) == (
                "a2a_receive", "message/send", peer.id, agent.id, "ok")
            said = events.wait_for("AGENT_MESSAGE", agent.id)["payload"]
            assert (said["message"], said["workspace_id"], said["name"]) == (
                "hi", agent.id, "agent")


def test_a_rejected_message_is_not_announced(platform, agent):
    stranger_parent = platform.create_workspace("stranger")
    stranger = platform.create_workspace("child", parent_id=stranger_parent.id)
    with EventStream(platform, platform.admin_token) as events:
        assert platform.send(agent, "no", caller=stranger).status == 403
        assert platform.heartbeat(agent, uptime_seconds=1.5).status == 400
        platform.heartbeat(stranger)
        events.wait_for("WORKSPACE_HEARTBEAT", stranger.id)
        assert agent.id not in {frame["workspace_id"] for frame in events.seen}


def test_frames_from_clients_are_harmless(platform, agent):
    with EventStream(platform, platform.admin_token) as events:
        events.socket.send("hello")
        events.socket.send('{"event": "WORKSPACE_ONLINE"}')
        events.socket.send_binary(b"\x00" * 1000)
        events.socket.ping("x")
        platform.heartbeat(agent)
        events.wait_for("WORKSPACE_ONLINE", agent.id)
    with EventStream(platform, platform.admin_token) as events:
        events.socket.sock.sendall(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" * 10)
    with EventStream(platform, platform.admin_token) as events:
        events.socket.sock.sendall(b"\x82\xff" + b"\x7f" + b"\xff" * 7)  # announces 2^63 - 1 bytes
    assert platform.heartbeat(agent).status == 200


def test_a_client_that_does_not_read_is_dropped_and_delays_no_other(platform, agent):
    """20 MB of events: more than the buffers of the kernel and the platform together."""
    card = {"name": "x" * 200_000}
    stuck = EventStream(platform, platform.admin_token,
                        sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    with EventStream(platform, platform.admin_token) as reader:
        for _ in range(100):
            reply = platform.request("POST", "/registry/update-card", agent.token,
                                     {"workspace_id": agent.id, "agent_card": card})
            assert reply.status == 200
            reader.wait_for("AGENT_CARD_UPDATED", agent.id)
    assert platform.resident_bytes() < 400 << 20  # generous, to allow for ASan builds
    raw = stuck.socket.sock
    raw.settimeout(10)
    received = 0
    try:
        while chunk := raw.recv(1 << 20):
            received += len(chunk)
    except ConnectionResetError:
        pass
    assert received < 15_000_000, "the client was not dropped"
    raw.close()


def test_many_watchers_come_and_go(platform, agent):
    for _ in range(30):
        streams = [EventStream(platform, platform.admin_token) for _ in range(4)]
        for stream in streams[:2]:
            stream.socket.sock.close()  # without a closing handshake
        for stream in streams[2:]:
            stream.socket.close()
        assert platform.heartbeat(agent).status == 200
    with EventStream(platform, platform.admin_token) as events:
        platform.heartbeat(agent)
        events.wait_for("WORKSPACE_HEARTBEAT", agent.id)
