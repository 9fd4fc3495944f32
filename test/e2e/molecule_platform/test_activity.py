"""The activity list, its cursor, reports and notifications (platform-api.md 4, later parts of
10)."""

import datetime
import itertools
import json
import uuid

import pytest

from support.platform import text_of

NOBODY = "00000000-0000-4000-8000-000000000000"
GONE = ("since_id cursor not found (row may have been pruned or belongs to a different workspace); "
        "omit since_id to reset")
TYPES = ["a2a_send", "a2a_receive", "task_update", "agent_log", "skill_promotion", "memory_write",
         "error"]


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


def report(platform, agent, **fields):
    body = {"activity_type": "agent_log"} | fields
    return platform.request("POST", f"/workspaces/{agent.id}/activity", agent.token, body)


# --- 4.1 reading ------------------------------------------------------------------------------


def test_4_1_without_a_cursor_the_newest_row_comes_first(platform, agent):
    for number in range(5):
        platform.send(agent, f"m{number}")
    assert [text_of(row) for row in platform.activity(agent).body] == [
        "m4", "m3", "m2", "m1", "m0"]
    assert [text_of(row) for row in platform.activity(agent, limit=2).body] == ["m4", "m3"]


def test_4_1_a_cursor_pages_forward_and_misses_nothing(platform, agent):
    """Messages arrive as fast as possible, so many share a timestamp; every page size must work."""
    wanted = [f"m{number}" for number in range(40)]
    platform.send(agent, "first")
    cursor = platform.activity(agent).body[0]["id"]
    for text in wanted:
        platform.send(agent, text)
    for size in (1, 3, 7, 40, 500):
        seen, at = [], cursor
        while page := platform.activity(agent, since_id=at, limit=size, type="a2a_receive").body:
            assert len(page) <= size
            seen += [text_of(row) for row in page]
            at = page[-1]["id"]
        assert seen == wanted, size
    seqs = [row["seq"] for row in platform.activity(agent, since_id=cursor).body]
    assert seqs == sorted(set(seqs))


def test_4_1_a_cursor_need_not_match_the_filter(platform, agent):
    report(platform, agent)
    cursor = platform.activity(agent).body[0]["id"]
    platform.send(agent, "after")
    (row,) = platform.activity(agent, since_id=cursor, type="a2a_receive").body
    assert text_of(row) == "after"


def test_4_1_an_unknown_or_foreign_cursor_is_410(platform, agent):
    other = platform.create_workspace("other")
    platform.send(other, "theirs")
    foreign = platform.activity(other).body[0]["id"]
    for cursor in (NOBODY, "00000000-0000-0000-0000-000000000000", str(uuid.uuid4()), foreign):
        reply = platform.activity(agent, since_id=cursor)
        assert (reply.status, reply.body) == (410, {"error": GONE}), cursor


@pytest.mark.parametrize("cursor", ["x", "1", "'; DROP TABLE activity; --", "\x00", "é" * 100, "-1",
                                    "0" * 36, NOBODY + "0"])
def test_9_a_malformed_cursor_is_400_or_410(platform, agent, cursor):
    assert platform.activity(agent, since_id=cursor).status in (400, 410)


def test_4_1_filters(platform, agent):
    peer = platform.create_workspace("peer")
    platform.send(agent, "of the human")
    platform.send(agent, "of the peer", caller=peer)
    report(platform, agent, activity_type="error", target_id=peer.id)

    def texts(**parameters):
        return [text_of(row) for row in platform.activity(agent, **parameters).body]

    assert texts(type="a2a_receive") == ["of the peer", "of the human"]
    assert texts(type="a2a_receive", source="canvas") == ["of the human"]
    assert texts(type="a2a_receive", source="agent") == ["of the peer"]
    assert texts(type="a2a_receive", peer_id=peer.id) == ["of the peer"]
    assert len(platform.activity(agent, peer_id=peer.id).body) == 2  # source or target
    assert platform.activity(agent, type="anything").body == []
    assert len(platform.activity(agent, since_secs=600).body) == 3
    assert len(platform.activity(agent, since_secs=10**9).body) == 3


@pytest.mark.parametrize("parameters, error", [
    ({"source": "me"}, "source must be 'canvas' or 'agent'"),
    ({"since_secs": "0"}, "since_secs must be a positive integer"),
    ({"since_secs": "-5"}, "since_secs must be a positive integer"),
    ({"since_secs": "1.5"}, "since_secs must be a positive integer"),
    ({"since_secs": "x"}, "since_secs must be a positive integer"),
    ({"since_secs": "9" * 40}, "since_secs must be a positive integer"),
    ({"peer_id": "x"}, "peer_id must be a UUID"),
    ({"since_secs": "x", "since_id": NOBODY, "source": "me"},
     "since_secs must be a positive integer"),
], ids=str)
def test_4_1_bad_filters_are_named(platform, agent, parameters, error):
    reply = platform.activity(agent, **parameters)
    assert (reply.status, reply.body) == (400, {"error": error})


def test_4_1_an_invalid_limit_means_the_default(platform, agent):
    for number in range(102):
        assert report(platform, agent, summary=str(number)).status == 200
    for limit in ("0", "-1", "x", "", "1e3", "1.5"):
        assert len(platform.activity(agent, limit=limit).body) == 100, limit
    assert len(platform.activity(agent, limit=501).body) == 102
    assert len(platform.activity(agent, limit="9" * 40).body) in (100, 102)


def test_10_before_ts_pages_back(platform, agent):
    for number in range(4):
        platform.send(agent, f"m{number}")
    rows = platform.activity(agent).body
    older = platform.activity(agent, before_ts=rows[1]["created_at"]).body
    assert [text_of(row) for row in older] == ["m1", "m0"]
    assert platform.activity(agent, before_ts="yesterday").status == 400
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    assert len(platform.activity(agent, before_ts=tomorrow.isoformat()).body) == 4


def test_10_peer_info_is_included_on_request(platform, agent):
    peer = platform.create_workspace("the peer", role="helper")
    platform.send(agent, "hi", caller=peer)
    (row,) = platform.activity(agent, include="peer_info").body
    assert (row["peer_name"], row["peer_role"]) == ("the peer", "helper")
    (row,) = platform.activity(agent).body
    assert "peer_name" not in row


def test_10_ack_is_monotonic(platform, agent):
    path = f"/workspaces/{agent.id}/activity/ack"

    def ack(value):
        return platform.request("POST", path, agent.token, {"acked_seq": value})

    assert ack(5).body == {"last_acked_seq": 5}
    assert ack(3).body == {"last_acked_seq": 5}
    for value in (-1, 1.5, "7", None, [], 10**30):
        assert ack(value).status == 400, value
    assert platform.request("POST", path, agent.token, {}).status == 400
    assert ack(0).body == {"last_acked_seq": 5}


# --- 4.2 reports ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
def test_4_2_every_type_is_accepted_and_returned(platform, agent, kind):
    reply = report(platform, agent, activity_type=kind, summary="s", method="m", status="done",
                   error_detail="d", duration_ms=5, request_body={"a": [1, None]},
                   response_body="text")
    assert (reply.status, reply.body) == (200, {"status": "logged"})
    (row,) = platform.activity(agent).body
    assert {name: row[name] for name in ("activity_type", "source_id", "summary", "method",
                                         "status", "error_detail", "duration_ms", "request_body",
                                         "response_body")} == {
        "activity_type": kind, "source_id": agent.id, "summary": "s", "method": "m",
        "status": "done", "error_detail": "d", "duration_ms": 5, "request_body": {"a": [1, None]},
        "response_body": "text"}


def test_4_2_defaults_and_metadata(platform, agent):
    report(platform, agent, metadata={"x": 1}, status="")
    (row,) = platform.activity(agent).body
    assert (row["status"], row["request_body"], row["source_id"]) == ("ok", {"x": 1}, agent.id)
    assert "response_body" not in row and "tool_trace" not in row
    assert row["target_id"] is None and row["duration_ms"] is None


@pytest.mark.parametrize("fields", [
    {"activity_type": ""}, {"activity_type": "nonsense"}, {"activity_type": None},
    {"activity_type": 5}, {"summary": 5}, {"duration_ms": 1.5}, {"duration_ms": "5"},
    {"method": []}, {"status": {}}, {"error_detail": 1}, {"source_id": 5},
], ids=str)
def test_4_2_invalid_fields_are_rejected(platform, agent, fields):
    assert report(platform, agent, **fields).status == 400
    assert platform.activity(agent).body == []


def test_4_2_a_workspace_cannot_report_for_another(platform, agent):
    reply = report(platform, agent, source_id=NOBODY)
    assert (reply.status, reply.body) == (
        403, {"error": "source_id must match authenticated workspace"})
    assert report(platform, agent, source_id=agent.id).status == 200
    assert report(platform, agent, source_id="").status == 200
    assert report(platform, agent, target_id="not-a-uuid").status in (200, 400)


# --- 4.3 notify -------------------------------------------------------------------------------


def notify(platform, agent, body):
    return platform.request("POST", f"/workspaces/{agent.id}/notify", agent.token,
                            body=json.dumps(body))


def test_4_3_a_notification_appears_in_the_chat(platform, agent):
    reply = notify(platform, agent, {"message": "done"})
    assert (reply.status, reply.body) == (200, {"status": "sent"})
    (row,) = platform.activity(agent, source="canvas").body
    assert (row["activity_type"], row["method"], row["source_id"], row["target_id"],
            row["summary"], row["response_body"], row["status"]) == (
        "a2a_receive", "notify", None, None, "Agent message: done", {"result": "done"}, "ok")
    assert "request_body" not in row


def test_4_3_attachments_are_included(platform, agent):
    files = [{"uri": "file:///a", "name": "a", "mimeType": "text/plain", "size": 5},
             {"uri": "any thing", "name": "b", "size": 0}]
    assert notify(platform, agent, {"message": "files", "attachments": files}).status == 200
    (row,) = platform.activity(agent).body
    assert row["response_body"] == {"result": "files", "parts": [
        {"kind": "file", "file": files[0]},
        {"kind": "file", "file": {"uri": "any thing", "name": "b"}}]}


@pytest.mark.parametrize("text", ["é" * 100, "日本語" * 50, "\U0001f600" * 40, "x" * 79 + "é" + "x"])
def test_4_3_the_summary_is_cut_at_a_character_boundary(platform, agent, text):
    assert notify(platform, agent, {"message": text}).status == 200
    (row,) = platform.activity(agent).body
    assert row["response_body"]["result"] == text
    summary = row["summary"].removeprefix("Agent message: ")
    assert summary.endswith("…") and text.startswith(summary[:-1])
    assert 70 <= len(summary[:-1].encode()) <= 80


@pytest.mark.parametrize("body, error", [
    ({}, "message is required"), ({"message": ""}, "message is required"),
    ({"message": 5}, "message is required"), ([], "message is required"),
    ({"message": None}, "message is required"),
    ({"message": "m", "attachments": "x"}, "message is required"),
    ({"message": "m", "attachments": [{"uri": "u"}]}, "attachment[0]: uri and name are required"),
    ({"message": "m", "attachments": [{"uri": "u", "name": "n"}, {"uri": "", "name": "n"}]},
     "attachment[1]: uri and name are required"),
], ids=str)
def test_4_3_bad_notifications(platform, agent, body, error):
    reply = notify(platform, agent, body)
    assert (reply.status, reply.body) == (400, {"error": error})
    assert platform.activity(agent).body == []


def test_a_notification_repeated_with_its_id_is_one_row(platform, agent):
    for _ in range(2):
        reply = notify(platform, agent, {"message": "done", "messageId": "m-1"})
        assert (reply.status, reply.body) == (200, {"status": "sent"})
    platform.restart()
    assert notify(platform, agent, {"message": "done", "messageId": "m-1"}).status == 200
    assert len(platform.activity(agent).body) == 1


def test_4_3_notify_of_unknown_workspaces(platform):
    for workspace_id in (NOBODY, "not-a-uuid"):
        reply = platform.admin("POST", f"/workspaces/{workspace_id}/notify", {"message": "m"})
        assert (reply.status, reply.body) == (404, {"error": "workspace not found"})


# --- hostile values ---------------------------------------------------------------------------


def test_parameters_in_odd_combinations_never_break_the_list(platform, agent):
    platform.send(agent, "here")
    names = ["type", "source", "limit", "since_secs", "since_id", "peer_id", "before_ts", "include"]
    values = ["", "0", "-1", NOBODY, "canvas", "\x00", "é", "%", "a" * 4000, "2026-01-01T00:00:00Z"]
    for name, value in itertools.product(names, values):
        reply = platform.activity(agent, **{name: value})
        assert reply.status in (200, 400, 410), (name, value, reply)
        if reply.status == 200:
            assert isinstance(reply.body, list)
    for query in ("%", "%zz", "=&=&", "limit=1&limit=2", "a[]=1", "&&&", "limit=%00", "%ff=%ff"):
        path = f"/workspaces/{agent.id}/activity?{query}"
        assert platform.request("GET", path, agent.token).status in (200, 400)
