"""Messages to a workspace (platform-api.md 3)."""

import json
import uuid

import pytest

from support.platform import text_of

NOBODY = "00000000-0000-4000-8000-000000000000"
QUEUED = {"delivery_mode": "poll", "method": "message/send", "status": "queued"}
CAP = 16 << 20


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


@pytest.fixture
def peer(platform):
    return platform.create_workspace("peer")


def post(platform, target, body, token=None, **rest):
    body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return platform.request("POST", f"/workspaces/{target.id}/a2a",
                            token or platform.admin_token, body=body, **rest)


def rows(platform, workspace, **parameters):
    return platform.activity(workspace, type="a2a_receive", **parameters).body


# --- 3.4 the queue ----------------------------------------------------------------------------


def test_3_4_a_message_from_the_user_is_queued_and_available_at_once(platform, agent):
    text = "hello <b>&\u2028 \U0001f600 \"quoted\"\n\ttabbed"
    reply = platform.send(agent, text, message_id="m-1")
    assert (reply.status, reply.body) == (200, QUEUED)
    assert reply.headers["Content-Type"] == "application/json"
    (row,) = rows(platform, agent)
    assert text_of(row) == text
    assert (row["activity_type"], row["method"], row["source_id"], row["target_id"],
            row["summary"], row["status"], row["workspace_id"]) == (
        "a2a_receive", "message/send", None, agent.id,
        "message/send → agent (queued for poll)", "ok", agent.id)
    assert row["request_body"]["params"]["message"]["messageId"] == "m-1"
    assert "response_body" not in row and row["duration_ms"] is None
    uuid.UUID(row["id"])
    assert row["created_at"].endswith("Z") and isinstance(row["seq"], int)


def test_3_4_a_message_from_a_peer_names_the_peer(platform, agent, peer):
    assert platform.send(agent, "from peer", caller=peer).body == QUEUED
    by_token_alone = post(platform, agent, {"method": "message/send", "params": {
        "message": {"parts": [{"type": "text", "text": "again"}]}}}, peer.token)
    assert by_token_alone.status == 200
    assert [row["source_id"] for row in rows(platform, agent)] == [peer.id] * 2
    assert rows(platform, peer) == []


def test_3_4_messages_are_queued_whatever_the_status(platform, agent):
    assert platform.status_of(agent) == "awaiting_agent"
    assert platform.send(agent, "before it came").status == 200


def test_10_a_repeat_with_the_same_message_id_is_one_message(platform, agent, peer):
    other = platform.create_workspace("other")
    for _ in range(3):
        assert platform.send(agent, "once", message_id="same").body == QUEUED
    assert platform.send(other, "elsewhere", message_id="same").body == QUEUED
    assert len(rows(platform, agent)) == len(rows(platform, other)) == 1
    assert platform.send(agent, "new", message_id="another").body == QUEUED
    assert len(rows(platform, agent)) == 2


# --- 3.1 the caller ---------------------------------------------------------------------------


def test_3_1_callers_must_authenticate_as_themselves(platform, agent, peer):
    envelope = {"method": "message/send", "params": {"message": {"parts": []}}}

    def status(token=None, **headers):
        return platform.request("POST", f"/workspaces/{agent.id}/a2a", token, envelope,
                                headers=headers).status

    claim = {"X-Workspace-ID": peer.id}
    assert status() == 401
    assert status("nonsense") == 401
    assert status(**claim) == 401
    assert status("nonsense", **claim) == 401
    assert status(agent.token, **claim) == 401
    assert status(**{"X-Workspace-ID": agent.id}) == 401  # the target's own id gives no access
    for prefix in ("webhook:x", "system:x", "test:x", "channel:x"):
        assert status(**{"X-Workspace-ID": prefix}) in (401, 403)
        assert status(platform.admin_token, **{"X-Workspace-ID": prefix}) in (401, 403)
    assert rows(platform, agent) == []
    assert status(peer.token, **claim) == 200


def test_3_2_unknown_targets_are_rejected(platform, peer):
    ghost = peer._replace(id=NOBODY)
    assert (platform.send(ghost, "x").status, platform.send(ghost, "x").body) == (
        404, {"error": "workspace not found"})
    refused = platform.send(ghost, "x", caller=peer)
    assert refused.status == 403
    assert refused.body["error"] == ("access denied: workspaces cannot communicate per hierarchy "
                                     "rules")
    for malformed in ("not-a-uuid", "%00", "x" * 4000):
        for caller in (None, peer):
            status = platform.send(peer._replace(id=malformed), "x", caller=caller).status
            assert 400 <= status < 500, (malformed, status)


def test_3_5_a_push_target_without_a_url_says_so(platform):
    pushing = platform.create_workspace("pushing", delivery_mode="push")
    reply = platform.send(pushing, "x")
    assert (reply.status, reply.body["error"], reply.body["status"]) == (
        503, "workspace has no URL", "awaiting_agent")


# --- 3.3 normalisation ------------------------------------------------------------------------


def stored(platform, agent, body):
    assert post(platform, agent, body).status == 200, body
    return rows(platform, agent)[0]["request_body"]


def test_3_3_without_jsonrpc_an_envelope_is_created(platform, agent):
    got = stored(platform, agent, {"id": "mine", "method": "message/send", "extra": 1,
                                   "params": {"message": {"content": "hi"}}})
    assert got.keys() == {"jsonrpc", "id", "method", "params"}
    assert got["jsonrpc"] == "2.0" and got["id"] != "mine"
    uuid.UUID(got["id"])
    message = got["params"]["message"]
    assert message["parts"] == [{"kind": "text", "text": "hi"}] and "content" not in message
    uuid.UUID(message["messageId"])


def test_3_3_with_jsonrpc_the_top_level_is_kept(platform, agent):
    sent = {"jsonrpc": "2.0", "id": 7, "method": "message/send", "extra": [1.5, None],
            "params": {"message": {"messageId": "m", "parts": [{"type": "text", "text": "t"}],
                                   "content": "left alone"}, "metadata": {"history": []}}}
    kept = stored(platform, agent, sent)
    assert kept["params"]["message"].pop("contextId") == agent.id  # a person's message
    assert kept == sent


def test_3_3_content_may_be_parts(platform, agent):
    parts = [{"kind": "text", "text": "a"}, {"kind": "file", "file": {"uri": "x"}}]
    got = stored(platform, agent, {"params": {"message": {"content": parts, "messageId": "q"}}})
    assert got["params"]["message"] == {"parts": parts, "messageId": "q", "contextId": agent.id}
    assert got["method"] is None


@pytest.mark.parametrize("body", [
    "", "{", "[]", "1", '"text"', "nonsense", "[1,2", '{"a":}', "\x00", b"\xff\xfe\xfd",
    b'{"method": "\xff"}', "{" * 5000, "[" * 100_000, '{"a":' * 5000,
])
def test_3_3_anything_but_a_json_object_is_400(platform, agent, body):
    reply = post(platform, agent, body)
    assert (reply.status, reply.body) == (400, {"error": "invalid JSON"})
    assert rows(platform, agent) == []


@pytest.mark.parametrize("message, error", [
    ({"content": None}, "invalid params.message.content type"),
    ({"content": 5}, "invalid params.message.content type"),
    ({"content": {}}, "invalid params.message.content type"),
    ({}, "params.message must contain either 'parts' (v0.3) or 'content' (v0.2 compat)"),
    ({"text": "x"}, "params.message must contain either 'parts' (v0.3) or 'content' (v0.2 compat)"),
], ids=str)
def test_3_3_a_message_without_content_gets_a_hint(platform, agent, message, error):
    reply = post(platform, agent, {"jsonrpc": "2.0", "params": {"message": message}})
    assert (reply.status, reply.body["error"]) == (400, error)
    assert reply.body["hint"]


@pytest.mark.parametrize("body", [
    {"params": None}, {"params": []}, {"params": 5}, {"method": 5}, {"method": {"a": 1}},
    {"params": {"message": None}}, {"params": {"message": []}}, {"params": {"message": "text"}},
    {"params": {"message": {"parts": "text"}}}, {"params": {"message": {"parts": None}}},
    {"params": {"message": {"parts": [], "messageId": 5}}}, {"jsonrpc": 1}, {"jsonrpc": "1.0"},
    {"params": {"message": {"parts": [], "messageId": None}}}, {"jsonrpc": "2.0", "method": ""},
    {"params": {"message": {"parts": [], "messageId": {"a": []}}}}, {},
], ids=str)
def test_3_3_odd_bodies_are_accepted_or_rejected_but_never_break_the_list(platform, agent, body):
    assert post(platform, agent, body).status in (200, 400)
    platform.send(agent, "after")
    assert text_of(rows(platform, agent)[0]) == "after"


def test_3_3_odd_text_is_stored_as_valid_utf8(platform, agent):
    for number, text in enumerate([r"\ud800", r"\udc00x", r"\ud83d\ude00", r"a\u0000b", r"\u202e"]):
        body = '{"params":{"message":{"messageId":"%d","content":"%s"}}}' % (number, text)
        assert post(platform, agent, body).status in (200, 400)
    platform.send(agent, "after")
    assert text_of(rows(platform, agent)[0]) == "after"  # decoded strictly as UTF-8


def test_3_3_duplicate_keys_and_numbers(platform, agent):
    body = ('{"jsonrpc":"2.0","id":9007199254740993,"method":"a","method":"message/send",'
            '"params":{"message":{"parts":[{"kind":"text","text":"x"}]},"big":1e400,"n":-0.0}}')
    assert post(platform, agent, body).status in (200, 400)
    platform.send(agent, "after")
    assert text_of(rows(platform, agent)[0]) == "after"


# --- size -------------------------------------------------------------------------------------


def envelope_of(size, text="x"):
    head = '{"jsonrpc":"2.0","params":{"message":{"messageId":"big","content":"'
    tail = '"}}}'
    return head + text * ((size - len(head) - len(tail)) // len(text)) + tail


def test_10_a_message_up_to_the_limit_is_stored_completely(platform, agent):
    body = envelope_of(4 << 20)
    assert post(platform, agent, body).status == 200
    assert len(text_of(rows(platform, agent)[0])) == len(json.loads(body)["params"]["message"][
        "content"])


@pytest.mark.parametrize("method", ["notify", "broadcast", "delegate_result",
                                    "chat_upload_receive"])
def test_the_platforms_own_rows_cannot_be_forged(platform, agent, peer, method):
    child = platform.create_workspace("child", parent_id=peer.id)
    forged = {"jsonrpc": "2.0", "id": 1, "method": method,
              "params": {"file_id": NOBODY, "message": {"parts": [{"kind": "text", "text": "x"}]}}}
    for target, token in ((agent, platform.admin_token), (peer, child.token)):
        reply = post(platform, target, forged, token)
        assert reply.status == 400 and method in reply.body["error"]
        assert rows(platform, target) == []


def test_10_a_body_over_the_limit_is_413_with_json(platform, agent):
    reply = post(platform, agent, envelope_of(CAP + 1000))
    assert reply.status == 413
    assert reply.body["truncated"] is True and reply.body["max_bytes"] == CAP
    assert reply.body["error"]
    assert rows(platform, agent) == []
