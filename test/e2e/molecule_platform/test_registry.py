"""Register, heartbeat, cards, discovery and peers (platform-api.md 1)."""

import json
import uuid

import pytest

from support.events import EventStream

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


# --- 1.1 register -----------------------------------------------------------------------------


def test_1_1_register_goes_online_and_returns_the_inbound_secret(platform, agent):
    first = platform.register(agent)
    assert first.status == 200
    assert first.body.keys() == {"status", "delivery_mode", "platform_inbound_secret"}
    assert (first.body["status"], first.body["delivery_mode"]) == ("registered", "poll")
    assert len(first.body["platform_inbound_secret"]) == 43
    assert platform.status_of(agent) == "online"
    assert platform.register(agent).body == first.body  # as after a restart: no new token, the same secret


def test_1_1_the_card_is_any_json_and_is_returned(platform, agent):
    for card in ({"name": "A <b>&", "skills": [{"name": "é\u2028"}]}, None, [1], "text", 1.5,
                 {"deep": {"er": [{}, [], ""]}}, {"big": 2**53 + 1}):
        assert platform.register(agent, agent_card=card).status == 200
        shown = platform.request("GET", f"/workspaces/{agent.id}").body.get("agent_card")
        assert shown == card


@pytest.mark.parametrize("fields", [
    {"id": ""}, {"id": None}, {"id": 5}, {"agent_card": ...}, {"id": ...}, {"delivery_mode": 7},
    {"url": 7}, {"id": []}, {"delivery_mode": {}},
], ids=str)
def test_1_1_missing_or_mistyped_fields(platform, agent, fields):
    body = {"id": agent.id, "url": "", "agent_card": {}, "delivery_mode": "poll"} | fields
    body = {name: value for name, value in body.items() if value is not ...}
    reply = platform.request("POST", "/registry/register", agent.token, body)
    assert (reply.status, reply.body) == (400, {"error": "invalid request body"})


def test_1_1_an_invalid_delivery_mode_is_reported_before_the_token_is_checked(platform, agent):
    for token in (agent.token, None):
        reply = platform.register(agent._replace(token=token), delivery_mode="pull")
        assert (reply.status, reply.body) == (
            400, {"error": "delivery_mode must be 'push' or 'poll'"})


def test_1_1_without_a_mode_the_stored_one_applies(platform):
    polling = platform.create_workspace("polling")
    pushing = platform.create_workspace("pushing", delivery_mode="push")
    for mode in ("", ...):
        body = {"id": polling.id, "agent_card": {}, "delivery_mode": mode}
        body = {name: value for name, value in body.items() if value is not ...}
        reply = platform.request("POST", "/registry/register", polling.token, body)
        assert reply.body["delivery_mode"] == "poll"
    reply = platform.register(pushing, delivery_mode="")
    assert (reply.status, reply.body) == (
        400, {"error": "url is required for push-mode workspaces"})


@pytest.mark.parametrize("url", [
    "ftp://example.org", "not a url", "http://169.254.169.254/latest", "http://127.0.0.1:8000",
    "http://[::1]:8000", "http://10.1.2.3", "http://[fe80::1]", "http://100.64.0.1", "http://",
    "http://224.0.0.1", "javascript:alert(1)", "http://0x7f000001/", "http://[::ffff:127.0.0.1]/",
])
def test_1_1_an_unsafe_push_url_is_rejected(platform, agent, url):
    reply = platform.register(agent, delivery_mode="push", url=url)
    assert reply.status == 400 and reply.body["error"]
    assert platform.status_of(agent) == "awaiting_agent"


def test_1_1_an_unknown_workspace_needs_the_admin_and_a_uuid(platform):
    unknown = {"id": str(uuid.uuid4()), "agent_card": {"name": "x"}, "delivery_mode": "poll"}
    assert platform.request("POST", "/registry/register", json=unknown).status == 401
    malformed = platform.admin("POST", "/registry/register", unknown | {"id": "not-a-uuid"})
    assert malformed.status == 400
    assert platform.admin("GET", "/workspaces").body == []


# --- 1.2 heartbeat ----------------------------------------------------------------------------


def test_1_2_a_heartbeat_is_stored_completely(platform, agent):
    platform.register(agent)
    heartbeat = platform.heartbeat(agent, active_tasks=2, uptime_seconds=77, current_task="thinking",
                              error_rate=0.25, sample_error="oops", monthly_spend=12)
    assert heartbeat.status == 200
    assert heartbeat.body.keys() == {"status", "generation", "platform_inbound_secret"}
    shown = platform.admin("GET", "/workspaces").body[0]
    assert {name: shown[name] for name in ("active_tasks", "uptime_seconds", "current_task",
                                           "last_error_rate", "last_sample_error",
                                           "monthly_spend")} == {
        "active_tasks": 2, "uptime_seconds": 77, "current_task": "thinking",
        "last_error_rate": 0.25, "last_sample_error": "oops", "monthly_spend": 12}
    platform.heartbeat(agent)  # omitted fields become zero, except the spend
    shown = platform.admin("GET", "/workspaces").body[0]
    assert (shown["active_tasks"], shown["current_task"], shown["uptime_seconds"]) == (0, "", 0)
    assert shown["monthly_spend"] == 12
    platform.heartbeat(agent, monthly_spend=-5)
    platform.heartbeat(agent, monthly_spend=10**15)
    assert platform.admin("GET", "/workspaces").body[0]["monthly_spend"] == 10**12


@pytest.mark.parametrize("fields", [
    {"uptime_seconds": 12.5}, {"active_tasks": "1"}, {"current_task": 1}, {"error_rate": "high"},
    {"workspace_id": ""}, {"workspace_id": 1}, {"workspace_id": None}, {"monthly_spend": 1.5},
    {"sample_error": []}, {"active_tasks": 10**30}, {"runtime_state": 1},
    {"runtime_metadata": "no"}, {"runtime_metadata": {"capabilities": {"status_mgmt": "yes"}}},
], ids=str)
def test_1_2_wrong_types_are_400_and_change_nothing(platform, agent, fields):
    reply = platform.heartbeat(agent, **fields)
    assert (reply.status, reply.body) == (400, {"error": "invalid request body"})
    assert platform.status_of(agent) == "awaiting_agent"


def test_1_2_a_field_of_a_later_version_is_ignored(platform, agent):
    reply = platform.heartbeat(agent, is_busy=True, observed_generation=3, schema_version="x",
                               agent_card={"name": "n"}, loaded_mcp_tools=["a"])
    assert reply.status == 200


def test_1_2_a_secret_that_cannot_be_minted_is_left_out_and_the_heartbeat_succeeds(platform, agent):
    """Lessons 1: the fault is injected by a trigger in the database."""
    trigger = (
        "CREATE TRIGGER no_secret BEFORE UPDATE OF platform_inbound_secret ON workspaces"
        " WHEN new.platform_inbound_secret IS NOT NULL BEGIN"
        " SELECT RAISE(ABORT, 'no secret today'); END",)
    if platform.store:
        trigger = (
            "CREATE FUNCTION no_secret() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE 'no secret today'; END $$",
            "CREATE TRIGGER no_secret BEFORE UPDATE OF platform_inbound_secret ON workspaces"
            " FOR EACH ROW WHEN (NEW.platform_inbound_secret IS NOT NULL)"
            " EXECUTE FUNCTION no_secret()")
    platform.change_database("UPDATE workspaces SET platform_inbound_secret = NULL", *trigger)
    with EventStream(platform, platform.admin_token) as events:
        heartbeat = platform.heartbeat(agent, active_tasks=1)
        assert (heartbeat.status, heartbeat.body) == (200, {"status": "ok", "generation": 1})
        events.wait_for("WORKSPACE_ONLINE", agent.id)
    registered = platform.register(agent)
    assert registered.status == 200
    assert registered.body == {"status": "registered", "delivery_mode": "poll"}
    shown = platform.request("GET", f"/workspaces/{agent.id}").body
    assert (shown["status"], shown["active_tasks"]) == ("online", 1)

    platform.change_database("DROP TRIGGER no_secret" + (" ON workspaces" if platform.store else ""))
    secret = platform.heartbeat(agent).body["platform_inbound_secret"]
    assert len(secret) == 43
    assert platform.heartbeat(agent).body["platform_inbound_secret"] == secret
    assert platform.register(agent).body["platform_inbound_secret"] == secret


# --- 1.3 update-card --------------------------------------------------------------------------


def test_1_3_update_card(platform, agent):
    with EventStream(platform, platform.admin_token) as events:
        reply = platform.request("POST", "/registry/update-card", agent.token,
                                 {"workspace_id": agent.id, "agent_card": {"name": "new"}})
        assert (reply.status, reply.body) == (200, {"status": "updated"})
        frame = events.wait_for("AGENT_CARD_UPDATED", agent.id)
        assert frame["payload"] == {"agent_card": {"name": "new"}}
    assert platform.request("GET", f"/workspaces/{agent.id}").body["agent_card"] == {"name": "new"}
    for body in ({"workspace_id": agent.id}, {"agent_card": {}}, [], {"workspace_id": 1}):
        assert platform.request("POST", "/registry/update-card", agent.token, body).status == 400


# --- 1.4 to 1.7 discovery, peers, access ------------------------------------------------------


@pytest.fixture
def family(platform):
    """A root with two children and a grandchild, and a second root."""
    root = platform.create_workspace("root", role="lead")
    one = platform.create_workspace("one", parent_id=root.id, role="Researcher")
    two = platform.create_workspace("two", parent_id=root.id)
    grandchild = platform.create_workspace("grandchild", parent_id=one.id)
    other = platform.create_workspace("other")
    return {"root": root, "one": one, "two": two, "grandchild": grandchild, "other": other}


def peers(platform, workspace, query=""):
    reply = platform.request("GET", f"/registry/{workspace.id}/peers{query}", workspace.token)
    assert reply.status == 200, reply
    return reply.body


def test_1_5_peers_are_siblings_children_and_parent(platform, family):
    def names(who, query=""):
        return {peer["name"] for peer in peers(platform, family[who], query)}

    assert names("one") == {"two", "grandchild", "root"}
    assert names("root") == {"other", "one", "two"}
    assert names("grandchild") == {"one"}
    order = [peer["name"] for peer in peers(platform, family["one"])]
    assert order == ["two", "grandchild", "root"]
    item = peers(platform, family["one"])[-1]
    assert item.keys() == {"id", "name", "role", "tier", "status", "agent_card", "url",
                           "parent_id", "active_tasks"}
    assert (item["role"], item["url"], item["parent_id"], item["agent_card"]) == (
        "lead", "", None, None)
    assert names("two", "?q=RESEARCH") == {"one"}  # matches the role, ignoring case; a null role never matches
    assert names("two", "?q=%20roo%20") == {"root"}
    assert names("two", "?q=nothing") == set()
    assert names("two", "?q=%25") == set()  # not treated as a pattern
    platform.admin("DELETE", f"/workspaces/{family['two'].id}")
    assert names("one") == {"grandchild", "root"}


def test_1_5_peers_need_the_own_token_and_a_known_workspace(platform, family):
    path = f"/registry/{family['one'].id}/peers"
    assert platform.request("GET", path).status == 401
    assert platform.request("GET", path, family["two"].token).status == 401
    for workspace_id in (NOBODY, "not-a-uuid", "%27"):
        reply = platform.request("GET", f"/registry/{workspace_id}/peers", family["one"].token)
        assert 400 <= reply.status < 500, reply


ALLOWED = [("one", "one"), ("one", "two"), ("one", "root"), ("root", "one"), ("root", "grandchild"),
           ("grandchild", "root"), ("grandchild", "one"), ("root", "other"), ("other", "root")]
REFUSED = [("grandchild", "two"), ("two", "grandchild"), ("other", "one"), ("one", "other")]


def test_1_7_which_workspaces_may_talk_to_each_other(platform, family):
    def allowed(caller, target):
        reply = platform.request("POST", "/registry/check-access",
                                 json={"caller_id": caller, "target_id": target})
        assert reply.status == 200
        return reply.body == {"allowed": True}

    for pairs, wanted in ((ALLOWED, True), (REFUSED, False)):
        for caller, target in pairs:
            assert allowed(family[caller].id, family[target].id) == wanted, (caller, target)
            sent = platform.send(family[target], "hello", caller=family[caller])
            assert sent.status == (200 if wanted else 403), (caller, target, sent)
    assert allowed(NOBODY, NOBODY)
    assert not allowed(NOBODY, family["one"].id)
    assert not allowed("x' OR 1=1 --", family["one"].id)


@pytest.mark.parametrize("body", [{}, [], {"caller_id": "x"}, {"caller_id": 1, "target_id": 2},
                                  {"caller_id": "", "target_id": ""}, None, "text"], ids=str)
def test_1_6_check_access_with_a_wrong_body(platform, body):
    reply = platform.request("POST", "/registry/check-access", body=json.dumps(body))
    assert reply.status == 400 and reply.body["error"]


def test_1_4_discover(platform, family):
    def discover(caller, target, **headers):
        fields = {"X-Workspace-ID": family[caller].id} | headers
        return platform.request("GET", f"/registry/discover/{target}", family[caller].token,
                                headers=fields)

    target = family["two"].id
    nameless = platform.request("GET", f"/registry/discover/{target}", family["one"].token)
    assert (nameless.status, nameless.body) == (400, {"error": "X-Workspace-ID header is required"})
    assert discover("one", target, **{"X-Workspace-ID": family["other"].id}).status == 401
    refused = discover("other", target)
    assert (refused.status, refused.body) == (
        403, {"error": "not authorized to discover this workspace"})
    for unknown in (NOBODY, "not-a-uuid"):
        assert 400 <= discover("one", unknown).status < 500
    waiting = discover("one", target)
    assert (waiting.status, waiting.body) == (
        503, {"error": "workspace not available", "status": "awaiting_agent"})
    platform.register(family["two"])
    found = discover("one", target)
    assert found.status in (200, 503) and "token" not in str(found.body)
