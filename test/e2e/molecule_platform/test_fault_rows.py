"""Faults that people and attackers found, by their numbers: what others of the kind would try."""

import urllib.parse

import pytest

from support.platform import Platform


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


TEXTS = {
    "chinese": ("会议改到星期五下午三点", "星期五"),
    "japanese": ("明日の会議は東京で行います", "東京"),
    "korean": ("내일회의는서울에서합니다", "서울에서"),
    "thai": ("การประชุมเลื่อนไปเป็นวันศุกร์", "วันศุกร์"),
    "accents": ("Änderung der Straße", "änderung"),
    "greek": ("ΟΔΥΣΣΕΥΣ comes home", "οδυσσευς"),
}


@pytest.mark.parametrize("text, word", TEXTS.values(), ids=TEXTS)
def test_fault_B6_memories_are_found_in_every_script(platform, agent, text, word):
    stored = platform.request("POST", f"/workspaces/{agent.id}/memories", agent.token,
                              {"content": text, "scope": "LOCAL"})
    assert stored.status == 201
    found = platform.request(
        "GET", f"/workspaces/{agent.id}/memories?q={urllib.parse.quote(word)}", agent.token)
    assert [item["content"] for item in found.body] == [text]
    other = urllib.parse.quote("zebra 不存在")
    assert platform.request("GET", f"/workspaces/{agent.id}/memories?q={other}",
                            agent.token).body == []


@pytest.mark.parametrize("name, query", [
    ("ÉCLAIR", "éclair"), ("Straßenbahn", "STRASSENBAHN"), ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Доклад", "ДОКЛАД"), ("会議室", "会議"),
])
def test_fault_B6_peers_are_found_whatever_their_letters_case(platform, agent, name, query):
    child = platform.create_workspace(name, parent_id=agent.id)
    found = platform.request(
        "GET", f"/registry/{agent.id}/peers?q={urllib.parse.quote(query)}", agent.token,
        headers={"X-Workspace-ID": agent.id})
    assert [peer["id"] for peer in found.body] == [child.id]


@pytest.mark.parametrize("key", ["a/b", "a b", "ä/ö", "100%", "a%2Fb", "..", "q?x=1#y", "a+b"])
def test_fault_B7_every_key_that_is_stored_can_be_read(platform, agent, key):
    path = f"/workspaces/{agent.id}/memory"
    assert platform.request("POST", path, agent.token, {"key": key, "value": 1}).status == 200
    one = f"{path}/{urllib.parse.quote(key, safe='')}"
    read = platform.request("GET", one, agent.token)
    assert (read.status, read.body["key"], read.body["value"]) == (200, key, 1)
    assert platform.request("DELETE", one, agent.token).status == 200
    assert platform.request("GET", one, agent.token).status == 404


@pytest.mark.parametrize("field, value", [
    ("parent_id", None), ("parent_id", "other"), ("budget_limit", 1),
    ("broadcast_enabled", True), ("talk_to_user_enabled", False),
])
def test_fault_C8_a_workspace_does_not_change_what_is_the_persons(platform, agent, field, value):
    other = platform.create_workspace("other")
    child = platform.create_workspace("child", parent_id=agent.id)
    path = f"/workspaces/{child.id}"
    before = platform.admin("GET", path).body
    body = {field: other.id if value == "other" else value}
    for target in (path, f"{path}/budget", f"{path}/abilities"):
        reply = platform.request("PATCH", target, child.token, body)
        # Members that the route does not know are ignored, as the hosted platform does.
        assert reply.status in (400, 401, 403, 404) or reply.body == {"status": "updated"}, reply
    assert platform.admin("GET", path).body == before
    if field == "parent_id":
        assert platform.request("PATCH", path, child.token, body).status == 403


@pytest.mark.parametrize("method", [
    "notify", "NOTIFY", " notify", "notify\u00a0", "no\u200btify", "\u3000notify\ufeff",
    "delegate_result ", "Delegate_Result", "delegate_result\u0000",
])
def test_fault_C12_a_reserved_method_is_none_in_any_spelling(platform, agent, method):
    peer = platform.create_workspace("peer")
    body = {"jsonrpc": "2.0", "id": "1", "method": method,
            "params": {"message": {"role": "user", "messageId": "m",
                                   "parts": [{"kind": "text", "text": "hi"}]}}}
    reply = platform.request("POST", f"/workspaces/{agent.id}/a2a", peer.token, body,
                             headers={"X-Workspace-ID": peer.id})
    assert reply.status == 400, reply
    assert platform.activity(agent).body == []


def test_fault_C7_one_noisy_workspace_is_limited_and_others_are_not(build, tmp_path):
    limits = ["message-bytes=64K", "key-value-bytes=64K", "memory-bytes=64K"]
    with Platform(build, args=[part for limit in limits for part in ("--limit", limit)]) as platform:
        noisy, quiet = platform.create_workspace("noisy"), platform.create_workspace("quiet")
        peer = platform.create_workspace("peer")
        kinds = {
            "message": lambda who, n: platform.send(who, "m" * 4000, caller=peer),
            "key": lambda who, n: platform.request(
                "POST", f"/workspaces/{who.id}/memory", who.token,
                {"key": f"k{n}", "value": "v" * 4000}),
            "memory": lambda who, n: platform.request(
                "POST", f"/workspaces/{who.id}/memories", who.token,
                {"content": "c " * 2000, "scope": "LOCAL"}),
        }
        for kind, write in kinds.items():
            statuses = [write(noisy, n).status for n in range(40)]
            refused = [status for status in statuses if status >= 400]
            assert refused and set(refused) <= {413, 429, 507}, (kind, statuses)
            assert write(quiet, 0).status < 300, kind
        # What was taken is still there, and the agent is still online.
        assert platform.activity(noisy).status == 200
        assert platform.heartbeat(noisy).status == 200
