"""Delegation through the platform (platform-api.md 5)."""

import datetime
import json
import uuid

import pytest

from support.events import EventStream
from support.platform import text_of

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def pair(platform):
    return platform.create_workspace("agent"), platform.create_workspace("peer")


def delegate(platform, source, body):
    return platform.request("POST", f"/workspaces/{source.id}/delegate", source.token,
                            body=json.dumps(body))


def delegations(platform, source):
    reply = platform.request("GET", f"/workspaces/{source.id}/delegations", source.token)
    assert reply.status == 200
    return reply.body


def test_5_1_a_task_reaches_the_peers_inbox(platform, pair):
    agent, peer = pair
    with EventStream(platform, platform.admin_token) as events:
        reply = delegate(platform, agent, {"target_id": peer.id, "task": "count to ten"})
        assert reply.status == 202
        assert (reply.body["status"], reply.body["target_id"]) == ("delegated", peer.id)
        delegation_id = reply.body["delegation_id"]
        uuid.UUID(delegation_id)
        sent = events.wait_for("DELEGATION_SENT", agent.id)["payload"]
        assert sent == {"delegation_id": delegation_id, "target_id": peer.id,
                        "task_preview": "count to ten"}
        events.wait_for("DELEGATION_STATUS", agent.id)
    (row,) = platform.activity(peer, type="a2a_receive").body
    assert text_of(row) == "count to ten" and row["source_id"] == agent.id
    message = row["request_body"]["params"]["message"]
    assert message["messageId"] == delegation_id
    assert message["metadata"]["delegation_id"] == delegation_id
    assert platform.activity(agent, type="a2a_receive").body == []  # the sender must not receive it
    mine = [item for item in delegations(platform, agent) if item["type"] == "delegation"
            or item.get("delegation_id") == delegation_id]
    assert mine and {item["target_id"] for item in mine} == {peer.id}
    assert "completed" not in {item["status"] for item in mine}, "a queued task must not be completed"


def test_5_1_an_idempotency_key_makes_one_delegation(platform, pair):
    agent, peer = pair
    body = {"target_id": peer.id, "task": "once", "idempotency_key": "k"}
    first, second = delegate(platform, agent, body), delegate(platform, agent, body)
    assert (first.status, second.status) == (202, 200)
    assert second.body["idempotent_hit"] is True
    assert second.body["delegation_id"] == first.body["delegation_id"]
    assert len(platform.activity(peer, type="a2a_receive").body) == 1
    other = delegate(platform, agent, body | {"idempotency_key": "other"})
    assert other.status == 202 and other.body["delegation_id"] != first.body["delegation_id"]
    assert delegate(platform, peer, body | {"target_id": agent.id}).status == 202  # keys are per workspace


@pytest.mark.parametrize("body, error", [
    ([], "invalid delegation request"), ({}, "invalid delegation request"),
    ({"target_id": "x"}, "invalid delegation request"),
    ({"task": "t"}, "invalid delegation request"),
    ({"target_id": NOBODY, "task": ""}, "invalid delegation request"),
    ({"target_id": NOBODY, "task": 5}, "invalid delegation request"),
    ({"target_id": 5, "task": "t"}, "invalid delegation request"),
    ({"target_id": NOBODY, "task": "t", "idempotency_key": 5}, "invalid delegation request"),
    ({"target_id": "not-a-uuid", "task": "t"}, "target_id must be a valid UUID"),
], ids=str)
def test_5_1_bad_requests(platform, pair, body, error):
    reply = delegate(platform, pair[0], body)
    assert (reply.status, reply.body) == (400, {"error": error})
    assert delegations(platform, pair[0]) == []


def test_5_1_a_workspace_cannot_delegate_to_itself(platform, pair):
    reply = delegate(platform, pair[0], {"target_id": pair[0].id, "task": "t"})
    assert (reply.status, reply.body) == (400, {"error": "self-delegation not permitted"})


def test_5_1_a_delegation_to_an_unreachable_target_is_recorded_as_failed(platform, pair):
    agent, peer = pair
    hidden = platform.create_workspace("hidden", parent_id=peer.id)
    body = {"target_id": hidden.id, "task": "t", "idempotency_key": "k"}
    with EventStream(platform, platform.admin_token) as events:
        first = delegate(platform, agent, body)
        assert first.status == 202
        events.wait_for("DELEGATION_FAILED", agent.id)
    assert {item["status"] for item in delegations(platform, agent)} == {"failed"}
    assert platform.activity(hidden).body == []
    again = delegate(platform, agent, body)  # a failed delegation may be repeated
    assert again.status == 202 and again.body["delegation_id"] != first.body["delegation_id"]
    assert delegate(platform, agent, {"target_id": NOBODY, "task": "t"}).status == 202
    assert "failed" in {item["status"] for item in delegations(platform, agent)}


def test_5_2_items(platform, pair):
    agent, peer = pair
    delegate(platform, agent, {"target_id": peer.id, "task": "x" * 1000})
    for item in delegations(platform, agent):
        assert {"id", "type", "source_id", "target_id", "summary", "status", "created_at"} \
            <= item.keys()
        assert item["source_id"] == agent.id
        assert len(item.get("response_preview") or "") <= 303


def test_5_2_at_most_50_newest_first(platform, pair):
    agent, peer = pair
    for number in range(60):
        assert delegate(platform, agent, {"target_id": peer.id, "task": f"{number}"}).status == 202
    listed = delegations(platform, agent)
    assert len(listed) == 50
    times = [datetime.datetime.fromisoformat(item["created_at"].replace("Z", "+00:00"))
             for item in listed]
    assert times == sorted(times, reverse=True)


def test_5_3_and_5_4_record_and_update(platform, pair):
    agent, peer = pair
    base = f"/workspaces/{agent.id}/delegations"
    delegation_id = str(uuid.uuid4())
    body = {"target_id": peer.id, "task": "t", "delegation_id": delegation_id}
    recorded = platform.request("POST", f"{base}/record", agent.token, body)
    assert (recorded.status, recorded.body) == (
        202, {"delegation_id": delegation_id, "status": "recorded"})
    for left_out in body:
        partial = {name: value for name, value in body.items() if name != left_out}
        assert platform.request("POST", f"{base}/record", agent.token, partial).status == 400

    with EventStream(platform, platform.admin_token) as events:
        done = platform.request("POST", f"{base}/{delegation_id}/update", agent.token,
                                {"status": "completed", "response_preview": "the answer"})
        assert (done.status, done.body) == (
            200, {"status": "completed", "delegation_id": delegation_id})
        complete = events.wait_for("DELEGATION_COMPLETE", agent.id)["payload"]
        assert complete["delegation_id"] == delegation_id
        assert complete["response_preview"] == "the answer"
    listed = delegations(platform, agent)
    assert "completed" in {item["status"] for item in listed}
    assert "the answer" in {item.get("response_preview") for item in listed}

    for wrong in ({"status": "done"}, {}, {"status": 5}, [], {"status": "failed", "error": 5}):
        reply = platform.request("POST", f"{base}/{delegation_id}/update", agent.token,
                                 body=json.dumps(wrong))
        assert reply.status == 400, wrong
    unknown = platform.request("POST", f"{base}/{uuid.uuid4()}/update", agent.token,
                               {"status": "failed", "error": "e"})
    assert unknown.status in (200, 404)


def test_5_4_a_workspace_cannot_update_anothers_delegation(platform, pair):
    agent, peer = pair
    delegation_id = delegate(platform, agent, {"target_id": peer.id, "task": "t"}).body[
        "delegation_id"]
    platform.request("POST", f"/workspaces/{peer.id}/delegations/{delegation_id}/update",
                     peer.token, {"status": "failed", "error": "mine now"})
    statuses = {item["status"] for item in delegations(platform, agent)
                if item["type"] == "delegation"}
    assert "failed" not in statuses
