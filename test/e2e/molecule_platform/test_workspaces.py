"""Create, list, get, patch, delete (platform-api.md 2.1 to 2.5, 2.7, 2.9)."""

import json
import shutil
import subprocess
import uuid

import pytest

from support.deadline import DEADLINE

NOBODY = "00000000-0000-4000-8000-000000000000"
LIST_FIELDS = {"id", "name", "tier", "status", "url", "active_tasks", "max_concurrent_tasks",
               "last_error_rate", "last_sample_error", "uptime_seconds", "current_task", "runtime",
               "monthly_spend", "x", "y", "collapsed"}
ONLY_LISTED = {"budget_limit", "monthly_spend", "current_task", "workspace_dir"}


def get(platform, workspace_id, query=""):
    return platform.request("GET", f"/workspaces/{workspace_id}{query}")


# --- 2.1 create -------------------------------------------------------------------------------


def test_2_1_an_external_workspace_gets_a_token_and_awaits_its_agent(platform):
    reply = platform.admin("POST", "/workspaces", {
        "name": "agent", "role": "tester", "runtime": "external", "tier": 2,
        "canvas": {"x": 3, "y": 4.5}, "budget_limit": 500, "delivery_mode": "poll"})
    assert reply.status == 201
    assert reply.body.keys() == {"id", "external", "status", "connection"}
    assert (reply.body["external"], reply.body["status"]) == (True, "awaiting_agent")
    uuid.UUID(reply.body["id"])
    connection = reply.body["connection"]
    assert connection.keys() >= {
        "workspace_id", "platform_url", "auth_token", "registry_endpoint", "heartbeat_endpoint",
        "curl_register_template", "python_snippet", "claude_code_channel_snippet",
        "universal_mcp_snippet"}
    assert connection["workspace_id"] == reply.body["id"]
    assert connection["platform_url"] == platform.url
    assert connection["registry_endpoint"] == platform.url + "/registry/register"
    assert connection["heartbeat_endpoint"] == platform.url + "/registry/heartbeat"
    assert len(connection["auth_token"]) == 43
    shown = platform.admin("GET", "/workspaces").body[0]
    assert (shown["role"], shown["tier"], shown["runtime"], shown["x"], shown["y"],
            shown["budget_limit"]) == ("tester", 2, "external", 3, 4.5, 500)


def test_2_1_the_snippets_contain_real_values_and_run_as_pasted(platform, tmp_path):
    """Lessons 1: the connect dialog substituted the wrong placeholder."""
    agent = platform.create_workspace("agent")
    for name in ("curl_register_template", "universal_mcp_snippet"):
        snippet = agent.connection[name]
        assert agent.token in snippet and agent.id in snippet and platform.url in snippet, name
        assert "<paste" not in snippet and "{{" not in snippet, name
    assert "python_snippet" in agent.connection
    if not shutil.which("curl"):
        pytest.skip("no curl to paste into")
    script = tmp_path / "pasted.sh"
    script.write_text(agent.connection["curl_register_template"])
    ended = subprocess.run(["bash", str(script)], capture_output=True, text=True, timeout=DEADLINE)
    assert ended.returncode == 0 and '"registered"' in ended.stdout, ended
    assert platform.status_of(agent) == "online"


def test_2_1_with_a_url_it_is_online_and_gets_no_token(platform):
    reply = platform.admin("POST", "/workspaces", {"name": "n", "external": True,
                                                   "url": "https://agent.example/a2a"})
    assert reply.status == 201
    assert reply.body == {"id": reply.body["id"], "external": True, "status": "online"}


@pytest.mark.parametrize("fields", [
    {"name": ...}, {"name": ""}, {"name": 5}, {"name": None}, {"name": "x" * 256},
    {"name": "é" * 128}, {"role": "x" * 1001}, {"name": "a\nb"}, {"name": "a{b"}, {"name": "a|b"},
    {"role": "a\rb"}, {"role": "<b>"}, {"model": "x" * 101}, {"runtime": "x" * 101},
    {"tier": "1"}, {"tier": 1.5}, {"external": "yes"}, {"delivery_mode": "pull"},
    {"delivery_mode": 1}, {"parent_id": "not-a-uuid"}, {"parent_id": NOBODY}, {"parent_id": ""},
    {"budget_limit": "1"}, {"canvas": 1}, {"canvas": {"x": "1"}}, {"initial_memories": {}},
    {"max_concurrent_tasks": "x"}, {"secrets": []},
], ids=str)
def test_2_1_invalid_fields_are_rejected_and_create_nothing(platform, fields):
    body = {"name": "agent", "external": True} | fields
    body = {name: value for name, value in body.items() if value is not ...}
    reply = platform.admin("POST", "/workspaces", body)
    assert 400 <= reply.status < 500 and reply.body["error"], reply
    assert platform.admin("GET", "/workspaces").body == []


@pytest.mark.parametrize("name", ["日本語のエージェント", "agent (1)", "O'Brien; DROP TABLE x", "\u202eabc",
                                  "x" * 255, " ", "a\tb", "名\U0001f600"])
def test_2_1_names_of_every_script_are_kept(platform, name):
    agent = platform.create_workspace(name)
    assert get(platform, agent.id).body["name"] == name


def test_2_1_initial_memories_are_stored(platform):
    agent = platform.create_workspace("agent", initial_memories=[
        {"content": "the sky is blue", "scope": "local"}, {"content": "shared", "scope": "TEAM"},
        {"content": "wrong", "scope": "NOWHERE"}, {"content": "no scope"}])
    found = platform.request("GET", f"/workspaces/{agent.id}/memories", agent.token).body
    assert {(item["content"], item["scope"]) for item in found} == {
        ("the sky is blue", "LOCAL"), ("shared", "TEAM"), ("no scope", "LOCAL")}
    assert {item["namespace"] for item in found} == {f"workspace:{agent.id}"}


# --- 2.2, 2.3 list and get --------------------------------------------------------------------


def test_2_2_the_list_is_ordered_by_creation(platform):
    made = [platform.create_workspace(f"agent {number}") for number in range(5)]
    listed = platform.admin("GET", "/workspaces").body
    assert [item["id"] for item in listed] == [workspace.id for workspace in made]
    for item in listed:
        assert LIST_FIELDS <= item.keys()
        assert not {"delivery_mode", "platform_inbound_secret", "auth_token"} & item.keys()


def test_2_3_a_single_workspace_is_public_and_shows_less(platform):
    parent = platform.create_workspace("parent")
    agent = platform.create_workspace("agent", parent_id=parent.id, role="r")
    shown = get(platform, agent.id)
    assert shown.status == 200
    assert LIST_FIELDS - ONLY_LISTED <= shown.body.keys()
    assert not ONLY_LISTED & shown.body.keys()
    assert (shown.body["parent_id"], shown.body["role"]) == (parent.id, "r")
    assert shown.body["last_outbound_at"] is None
    assert agent.token not in str(shown.body)


@pytest.mark.parametrize("path", ["%00", "%ff", "%0a", "%C0%AF", "%ED%A0%80"])
def test_2_3_invalid_utf8_in_a_path_is_400(platform, path):
    assert get(platform, path).status == 400


@pytest.mark.parametrize("workspace_id, status, text", [
    (NOBODY, 404, "workspace not found"), ("not-a-uuid", 400, "invalid workspace ID"),
    ("1", 400, "invalid workspace ID"), ("%F0%9F%98%80", 400, "invalid workspace ID"),
    ("a" * 5000, 400, "invalid workspace ID"),
    ("00000000-0000-4000-8000-00000000000g", 400, "invalid workspace ID"),
])
def test_2_3_unknown_and_malformed_ids(platform, workspace_id, status, text):
    reply = get(platform, workspace_id)
    assert (reply.status, reply.body) == (status, {"error": text})


def test_2_3_ids_are_case_insensitive(platform):
    agent = platform.create_workspace("agent")
    assert get(platform, agent.id.upper()).status in (200, 404)


# --- 2.4 patch --------------------------------------------------------------------------------


def test_2_4_patch_with_the_own_token(platform):
    parent, agent = platform.create_workspace("parent"), platform.create_workspace("agent")

    def patch(body, token=agent.token):
        return platform.request("PATCH", f"/workspaces/{agent.id}", token, body)

    changed = patch({"name": "renamed", "role": "r", "tier": 2, "x": 1, "y": 2, "collapsed": True,
                     "unknown": [1]})
    assert changed.status == 200 and changed.body["status"] == "updated"
    assert patch({"parent_id": parent.id}).status == 403  # only the person moves a workspace
    assert patch({"parent_id": parent.id}, platform.admin_token).status == 200
    assert patch({"parent_id": parent.id}).status == 200  # as it is
    shown = platform.admin("GET", "/workspaces").body[1]
    assert {name: shown[name] for name in ("name", "role", "tier", "parent_id", "x", "y",
                                           "collapsed")} == {
        "name": "renamed", "role": "r", "tier": 2, "parent_id": parent.id, "x": 1, "y": 2,
        "collapsed": True}
    assert patch({"parent_id": None}).status == 403
    assert patch({"parent_id": None}, platform.admin_token).status == 200
    assert get(platform, agent.id).body.get("parent_id") is None
    assert patch({"x": 9}).status in (200, 400)  # both coordinates are required
    assert platform.admin("GET", "/workspaces").body[1]["x"] == 1
    assert patch({}, platform.admin_token).status == 200


@pytest.mark.parametrize("body", [
    "[]", "{", "", "null", '"x"', '{"name": "a\\nb"}', '{"name": ""}', '{"name": 5}',
    '{"role": "a{b"}', '{"name": "%s"}' % ("x" * 256), '{"tier": "x"}', '{"parent_id": "x"}',
    '{"parent_id": "%s"}' % NOBODY, '{"parent_id": 5}',
])
def test_2_4_a_bad_patch_is_never_a_5xx_and_changes_nothing(platform, body):
    agent = platform.create_workspace("agent")
    before = platform.admin("GET", "/workspaces").body
    reply = platform.request("PATCH", f"/workspaces/{agent.id}", agent.token, body=body)
    assert reply.status in (200, 400, 403, 404), reply
    if body in ("[]", "{", "", '{"name": "a\\nb"}', '{"role": "a{b"}'):
        assert reply.status == 400
    assert platform.admin("GET", "/workspaces").body == before


def test_2_4_a_family_cannot_become_a_cycle(platform):
    top = platform.create_workspace("top")
    middle = platform.create_workspace("middle", parent_id=top.id)
    bottom = platform.create_workspace("bottom", parent_id=middle.id)
    for child, parent in ((top, bottom), (top, middle), (top, top)):
        reply = platform.admin("PATCH", f"/workspaces/{child.id}", {"parent_id": parent.id})
        assert 400 <= reply.status < 500, reply
    assert get(platform, top.id).body.get("parent_id") is None
    assert platform.admin("DELETE", f"/workspaces/{top.id}?confirm=true").body[
        "cascade_deleted"] == 2


def test_2_4_an_unknown_workspace(platform):
    assert platform.admin("PATCH", f"/workspaces/{NOBODY}", {"name": "x"}).status == 404
    assert platform.admin("PATCH", "/workspaces/not-a-uuid", {"name": "x"}).status == 400


# --- 2.5 delete -------------------------------------------------------------------------------


def test_2_5_delete_removes_and_revokes(platform):
    agent, peer = platform.create_workspace("agent"), platform.create_workspace("peer")
    platform.register(agent)
    removed = platform.admin("DELETE", f"/workspaces/{agent.id}")
    assert (removed.status, removed.body) == (200, {"status": "removed", "cascade_deleted": 0})

    gone = get(platform, agent.id)
    assert gone.status == 410
    assert gone.body.keys() == {"error", "id", "removed_at", "hint"}
    assert (gone.body["error"], gone.body["id"]) == ("workspace removed", agent.id)
    assert gone.body["removed_at"].endswith("Z") and "Tokens tab" in gone.body["hint"]
    still = get(platform, agent.id, "?include_removed=true")
    assert (still.status, still.body["status"]) == (200, "removed")
    assert [item["id"] for item in platform.admin("GET", "/workspaces").body] == [peer.id]

    assert platform.heartbeat(agent).status == 401  # its tokens are revoked
    assert platform.register(agent).status == 401
    assert platform.register(agent._replace(token=None)).status == 401
    assert platform.activity(agent).status == 401
    assert platform.send(peer, "hello", caller=agent).status == 401
    assert platform.send(agent, "hello", caller=peer).status in (403, 404, 410)
    assert get(platform, agent.id).status == 410
    state = platform.admin("GET", f"/workspaces/{agent.id}/state")
    assert state.status in (401, 404)


def test_2_5_children_need_a_confirmation_and_are_deleted_too(platform):
    top = platform.create_workspace("top")
    child = platform.create_workspace("child", parent_id=top.id)
    grandchild = platform.create_workspace("grandchild", parent_id=child.id)
    asked = platform.admin("DELETE", f"/workspaces/{top.id}")
    assert asked.status == 409
    assert asked.body["status"] == "confirmation_required"
    assert asked.body["children"] == [{"id": child.id, "name": "child"}]
    assert asked.body["children_count"] == 1 and asked.body["message"]
    assert platform.heartbeat(grandchild).status == 200
    done = platform.admin("DELETE", f"/workspaces/{top.id}?confirm=true")
    assert (done.status, done.body) == (200, {"status": "removed", "cascade_deleted": 2})
    for workspace in (top, child, grandchild):
        assert get(platform, workspace.id).status == 410
        assert platform.heartbeat(workspace).status == 401


def test_2_5_purge_leaves_nothing_behind(platform):
    top = platform.create_workspace("top")
    child = platform.create_workspace("child", parent_id=top.id)
    platform.send(child, "hello")
    platform.request("POST", f"/workspaces/{child.id}/memories", child.token,
                     {"content": "c", "scope": "LOCAL"})
    done = platform.admin("DELETE", f"/workspaces/{top.id}?confirm=true&purge=true")
    assert (done.status, done.body["status"]) == (200, "purged")
    for workspace in (top, child):
        assert get(platform, workspace.id).status == 404
        assert platform.heartbeat(workspace).status == 401
    assert platform.activity(child, platform.admin_token).body in ([], {"error": "workspace not "
                                                                       "found"})


def test_2_5_delete_of_unknown_and_malformed(platform):
    assert platform.admin("DELETE", "/workspaces/not-a-uuid").status == 400
    assert platform.admin("DELETE", f"/workspaces/{NOBODY}").status == 404
    agent = platform.create_workspace("agent")
    platform.admin("DELETE", f"/workspaces/{agent.id}")
    removed_at = get(platform, agent.id).body["removed_at"]
    again = platform.admin("DELETE", f"/workspaces/{agent.id}")
    assert again.status == 410
    assert get(platform, agent.id).body["removed_at"] == removed_at


# --- 2.7, 2.9 ---------------------------------------------------------------------------------


def test_2_7_state(platform):
    agent = platform.create_workspace("agent")
    state = platform.request("GET", f"/workspaces/{agent.id}/state", agent.token)
    assert (state.status, state.body) == (200, {
        "workspace_id": agent.id, "status": "awaiting_agent", "paused": False, "deleted": False})


def test_2_9_a_spent_budget_rejects_messages(platform):
    agent = platform.create_workspace("agent")
    path = f"/workspaces/{agent.id}/budget"
    assert platform.admin("PATCH", path, {"budget_limit": 100}).status == 200
    platform.heartbeat(agent, monthly_spend=40)
    budget = platform.request("GET", path, agent.token).body
    assert (budget["budget_limit"], budget["monthly_spend"], budget["budget_remaining"]) == (
        100, 40, 60)
    assert platform.send(agent, "within").status == 200
    platform.heartbeat(agent, monthly_spend=100)
    refused = platform.send(agent, "over")
    assert (refused.status, refused.body["error"]) == (402, "workspace budget limit exceeded")
    for body in ({}, {"budget_limit": -1}, {"budget_limit": "5"}, {"budget_limit": 1.5}, []):
        assert platform.admin("PATCH", path, body=json.dumps(body)).status == 400, body
    assert platform.admin("PATCH", path, {"budget_limit": None}).status == 200
    assert platform.send(agent, "free").status == 200
