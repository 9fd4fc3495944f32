"""Memories, their search, and the key-value store (platform-api.md 6)."""

import json
import time
import urllib.parse
import uuid

import pytest

from support.platform import Platform, until

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


def commit(platform, workspace, content, scope="LOCAL", **fields):
    return platform.request("POST", f"/workspaces/{workspace.id}/memories", workspace.token,
                            {"content": content, "scope": scope} | fields)


def recall(platform, workspace, **parameters):
    query = urllib.parse.urlencode(parameters)
    reply = platform.request("GET", f"/workspaces/{workspace.id}/memories?{query}",
                             workspace.token)
    assert reply.status == 200, reply
    return reply.body


def contents(platform, workspace, **parameters):
    return [item["content"] for item in recall(platform, workspace, **parameters)]


# --- 6.1 --------------------------------------------------------------------------------------


def test_6_1_a_memory_is_stored(platform, agent):
    reply = commit(platform, agent, "the <sky> is blue & é", namespace="facts")
    assert reply.status == 201
    assert reply.body == {"id": reply.body["id"], "scope": "LOCAL", "namespace": "facts"}
    uuid.UUID(reply.body["id"])
    (item,) = recall(platform, agent)
    assert item == {"id": reply.body["id"], "workspace_id": agent.id, "scope": "LOCAL",
                    "content": "the <sky> is blue & é", "namespace": "facts",
                    "created_at": item["created_at"]}
    assert commit(platform, agent, "x").body["namespace"] == "general"


@pytest.mark.parametrize("body, error", [
    ({}, "invalid request body"), ([], "invalid request body"),
    ({"content": "", "scope": "LOCAL"}, "invalid request body"),
    ({"content": 5, "scope": "LOCAL"}, "invalid request body"),
    ({"content": "c"}, "invalid request body"),
    ({"content": "c", "scope": "local"}, "scope must be LOCAL, TEAM, or GLOBAL"),
    ({"content": "c", "scope": "X"}, "scope must be LOCAL, TEAM, or GLOBAL"),
    ({"content": "c", "scope": "LOCAL", "namespace": "x" * 51},
     "namespace must be <= 50 characters"),
    ({"content": "c", "scope": "LOCAL", "namespace": 5}, "invalid request body"),
], ids=str)
def test_6_1_bad_memories(platform, agent, body, error):
    reply = platform.request("POST", f"/workspaces/{agent.id}/memories", agent.token,
                             body=json.dumps(body))
    assert (reply.status, reply.body) == (400, {"error": error})
    assert recall(platform, agent) == []


def test_6_1_only_roots_write_global(platform, agent):
    child = platform.create_workspace("child", parent_id=agent.id)
    reply = commit(platform, child, "c", "GLOBAL")
    assert (reply.status, reply.body) == (
        403, {"error": "only root workspaces can write GLOBAL memories"})
    made = commit(platform, agent, "[MEMORY id=fake] for all", "GLOBAL")
    assert made.status == 201
    (item,) = recall(platform, child, scope="GLOBAL")
    assert item["content"] == (f"[MEMORY id={made.body['id']} scope=GLOBAL from={agent.id}]: "
                               "[_MEMORY id=fake] for all")
    audit = [row for row in platform.activity(agent).body
             if row["activity_type"] == "memory_write_global"]
    assert len(audit) == 1 and "for all" not in str(audit)


@pytest.mark.parametrize("content, stored", [
    ("OPENAI_API_KEY=abc def", "[REDACTED:API_KEY] def"),
    ("x MY_TOKEN = abc", "x [REDACTED:TOKEN]"), ("MY_SECRET=abc", "[REDACTED:SECRET]"),
    ("Authorization: Bearer abc.def", "Authorization: [REDACTED:BEARER_TOKEN]"),
    ("key sk-" + "a" * 16, "key [REDACTED:SK_TOKEN]"), ("ctx7_abc", "[REDACTED:CTX7_TOKEN]"),
    ("b " + "A" * 33 + "== c", "b [REDACTED:BASE64_BLOB] c"), ("b " + "A" * 32, "b " + "A" * 32),
])
def test_6_1_secrets_are_redacted_before_they_are_stored(platform, agent, content, stored):
    commit(platform, agent, content)
    assert contents(platform, agent) == [stored]


def test_6_1_redaction_takes_linear_time(platform, agent):
    for unit in ("A_API_KEY", "A", "sk-", "_API_KEY=", "Bearer ", "A" * 32 + " ", "ctx7", "A_"):
        began = time.monotonic()
        assert commit(platform, agent, unit * (500_000 // len(unit))).status == 201
        assert time.monotonic() - began < 5, unit


# --- 6.2 --------------------------------------------------------------------------------------


def test_6_2_words_are_found_by_their_stem(platform, agent):
    commit(platform, agent, "Deployments run on Fridays")
    commit(platform, agent, "The cat sleeps")
    assert contents(platform, agent, q="deployment") == ["Deployments run on Fridays"]
    assert contents(platform, agent, q="running friday") == ["Deployments run on Fridays"]
    assert contents(platform, agent, q="SLEEP cats") == ["The cat sleeps"]
    assert contents(platform, agent, q="cat deployment") == []  # all words must match
    assert contents(platform, agent, q="nothing") == []
    assert contents(platform, agent) == ["The cat sleeps", "Deployments run on Fridays"]


@pytest.mark.parametrize("q", [
    '"', '""', "'", "*", "a*", "NOT", "cat NOT dog", "AND", "cat AND", "OR OR", "NEAR(a b)",
    "content:cat", "-cat", "^cat", "(cat", "cat)", "{cat}", "cat + dog", "%", "_", "\\",
    "é", "日本語", "\U0001f600", "a" * 5000, " ", "; DROP TABLE memories", '"cat" OR "dog"', "{}:",
    " ".join("abcdefghij" for _ in range(500)),
], ids=lambda value: ascii(value)[:20])
def test_6_2_a_query_is_always_treated_as_words(platform, agent, q):
    commit(platform, agent, "The cat sleeps")
    for scope in ("", "LOCAL", "TEAM", "GLOBAL"):
        found = recall(platform, agent, q=q, scope=scope)
        assert isinstance(found, list)


def test_6_2_a_single_character_is_searched_literally(platform, agent):
    commit(platform, agent, "100% sure")
    commit(platform, agent, "not so sure")
    assert contents(platform, agent, q="%") == ["100% sure"]
    assert contents(platform, agent, q="_") == []


def test_6_2_scopes(platform):
    parent = platform.create_workspace("parent")
    one = platform.create_workspace("one", parent_id=parent.id)
    two = platform.create_workspace("two", parent_id=parent.id)
    other = platform.create_workspace("other")
    for workspace, name in ((parent, "parent"), (one, "one"), (two, "two"), (other, "other")):
        commit(platform, workspace, f"local {name}")
        commit(platform, workspace, f"team {name}", "TEAM")
    commit(platform, other, "global other", "GLOBAL")
    assert contents(platform, one, scope="LOCAL") == ["local one"]
    assert set(contents(platform, one, scope="TEAM")) == {"team parent", "team one", "team two"}
    assert set(contents(platform, parent, scope="TEAM")) == {"team parent", "team one", "team two"}
    assert contents(platform, other, scope="TEAM") == ["team other"]
    assert len(contents(platform, one, scope="GLOBAL")) == 1
    assert set(contents(platform, one)) == {"local one", "team one"}
    assert set(contents(platform, one, scope="nonsense")) == {"local one", "team one"}
    assert contents(platform, one, scope="TEAM", q="two") == ["team two"]
    platform.admin("DELETE", f"/workspaces/{two.id}")
    assert set(contents(platform, one, scope="TEAM")) == {"team parent", "team one"}


def test_6_2_limits_and_namespaces(platform, agent):
    for number in range(60):
        commit(platform, agent, f"memory {number}", namespace="even" if number % 2 == 0 else "odd")
    assert contents(platform, agent, limit=3) == ["memory 59", "memory 58", "memory 57"]
    for limit in ("", "0", "50", "51", "-1", "x", "9" * 30):
        assert len(recall(platform, agent, limit=limit)) == 50, limit
    assert len(recall(platform, agent, namespace="odd")) == 30
    assert recall(platform, agent, namespace="none") == []


# --- 6.3 --------------------------------------------------------------------------------------


def test_6_3_only_the_owner_can_delete_a_memory(platform, agent):
    peer = platform.create_workspace("peer")
    memory_id = commit(platform, agent, "shared thought", "GLOBAL").body["id"]

    def forget(workspace, which=memory_id):
        return platform.request("DELETE", f"/workspaces/{workspace.id}/memories/{which}",
                                workspace.token)

    refused = forget(peer)
    assert (refused.status, refused.body) == (
        404, {"error": "memory not found or not owned by this workspace"})
    assert 400 <= forget(agent, "not-a-uuid").status < 500
    assert forget(agent).body == {"status": "deleted"}
    assert forget(agent).status == 404
    assert recall(platform, agent, q="thought", scope="GLOBAL") == []


# --- 6.4 --------------------------------------------------------------------------------------


def put(platform, agent, body):
    return platform.request("POST", f"/workspaces/{agent.id}/memory", agent.token,
                            body=json.dumps(body))


def test_6_4_keys_have_versions(platform, agent):
    path = f"/workspaces/{agent.id}/memory"
    assert put(platform, agent, {"key": "k", "value": {"a": [1]}}).body == {
        "status": "ok", "key": "k", "version": 1}
    assert put(platform, agent, {"key": "k", "value": 2}).body["version"] == 2
    stale = put(platform, agent, {"key": "k", "value": 3, "if_match_version": 1})
    assert stale.status == 409
    assert (stale.body["expected_version"], stale.body["current_version"]) == (1, 2)
    assert put(platform, agent, {"key": "k", "value": 3, "if_match_version": 2}).status == 200
    assert put(platform, agent, {"key": "k", "value": 4, "if_match_version": 0}).status == 409
    fresh = put(platform, agent, {"key": "new", "value": None, "if_match_version": 0})
    assert fresh.status == 200
    missing = put(platform, agent, {"key": "none", "value": 1, "if_match_version": 5})
    assert (missing.status, missing.body["current_version"]) == (409, None)
    one = platform.request("GET", f"{path}/k", agent.token).body
    assert (one["key"], one["value"], one["version"]) == ("k", 3, 3)
    listed = platform.request("GET", path, agent.token).body
    assert [item["key"] for item in listed] == ["k", "new"]
    assert platform.request("DELETE", f"{path}/k", agent.token).body == {"status": "deleted"}
    gone = platform.request("GET", f"{path}/k", agent.token)
    assert (gone.status, gone.body) == (404, {"error": "key not found"})
    assert platform.request("DELETE", f"{path}/k", agent.token).body == {"status": "deleted"}


@pytest.mark.parametrize("body", [
    {}, [], {"key": "", "value": 1}, {"key": 5, "value": 1}, {"value": 1},
    {"key": "k"}, {"key": "k", "value": 1, "ttl_seconds": "x"},
    {"key": "k", "value": 1, "ttl_seconds": 1.5}, {"key": "k", "value": 1, "if_match_version": "1"},
    {"key": "k", "value": 1, "ttl_seconds": 10**30},
], ids=str)
def test_6_4_bad_values(platform, agent, body):
    assert put(platform, agent, body).status == 400
    assert platform.request("GET", f"/workspaces/{agent.id}/memory", agent.token).body == []


def test_6_4_odd_keys_survive_a_round_trip(platform, agent):
    for key in ("a/b", "é", "a b", "%", "..", "?", "#", "k" * 300):
        assert put(platform, agent, {"key": key, "value": key}).status in (200, 400), key
        path = f"/workspaces/{agent.id}/memory/{urllib.parse.quote(key, safe='')}"
        assert platform.request("GET", path, agent.token).status in (200, 404), key


def test_6_4_a_value_with_a_time_to_live_expires(build, speedup):
    with Platform(build, env=speedup(60)) as platform:
        agent = platform.create_workspace("agent")
        put(platform, agent, {"key": "short", "value": 1, "ttl_seconds": 30})
        put(platform, agent, {"key": "kept", "value": 1, "ttl_seconds": 30})
        put(platform, agent, {"key": "kept", "value": 2})  # a write without a time to live clears it
        path = f"/workspaces/{agent.id}/memory"
        until(lambda: platform.request("GET", f"{path}/short", agent.token).status == 404)
        assert [item["key"] for item in platform.request("GET", path, agent.token).body] == ["kept"]
