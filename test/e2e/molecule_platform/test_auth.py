"""Who may do what (platform-api.md 0.1 to 0.4, section 9: fail closed)."""

import pytest

NOBODY = "00000000-0000-4000-8000-000000000000"

# Routes that a workspace's own token may use: method, path, body, status of a valid call.
OWN = [
    ("GET", "/workspaces/{id}/activity", None, 200),
    ("POST", "/workspaces/{id}/activity", {"activity_type": "agent_log"}, 200),
    ("POST", "/workspaces/{id}/notify", {"message": "hello"}, 200),
    ("POST", "/workspaces/{id}/delegate", {"target_id": "{peer}", "task": "t"}, 202),
    ("GET", "/workspaces/{id}/delegations", None, 200),
    ("POST", "/workspaces/{id}/memories", {"content": "c", "scope": "LOCAL"}, 201),
    ("GET", "/workspaces/{id}/memories", None, 200),
    ("POST", "/workspaces/{id}/memory", {"key": "k", "value": 1}, 200),
    ("GET", "/workspaces/{id}/memory", None, 200),
    ("GET", "/workspaces/{id}/tokens", None, 200),
    ("POST", "/workspaces/{id}/tokens", None, 201),
    ("PATCH", "/workspaces/{id}", {"role": "r"}, 200),
    ("GET", "/workspaces/{id}/state", None, 200),
    ("POST", "/workspaces/{id}/activity/ack", {"acked_seq": 0}, 200),
]
# Routes that only the platform's admin may use.
ADMIN = [
    ("GET", "/workspaces", None, 200),
    ("POST", "/workspaces", {"name": "n", "external": True}, 201),
    ("GET", "/events", None, 200),
    ("GET", "/events/{id}", None, 200),
    ("PATCH", "/workspaces/{id}/budget", {"budget_limit": 5}, 200),
    ("DELETE", "/workspaces/{peer}", None, 200),
]
REGISTRY = [
    ("/registry/register", {"id": "{id}", "agent_card": {}, "delivery_mode": "poll"}),
    ("/registry/heartbeat", {"workspace_id": "{id}"}),
    ("/registry/update-card", {"workspace_id": "{id}", "agent_card": {}}),
]


@pytest.fixture
def pair(platform):
    return platform.create_workspace("agent"), platform.create_workspace("peer")


def filled(value, pair):
    if isinstance(value, str):
        return value.replace("{id}", pair[0].id).replace("{peer}", pair[1].id)
    if isinstance(value, dict):
        return {name: filled(member, pair) for name, member in value.items()}
    return value


def revoked_token(platform, workspace):
    made = platform.request("POST", f"/workspaces/{workspace.id}/tokens", workspace.token).body
    listed = platform.request("GET", f"/workspaces/{workspace.id}/tokens", workspace.token).body
    token_id = next(token["id"] for token in listed["tokens"]
                    if made["auth_token"].startswith(token["prefix"]))
    gone = platform.request("DELETE", f"/workspaces/{workspace.id}/tokens/{token_id}",
                            workspace.token)
    assert gone.body == {"status": "revoked"}
    return made["auth_token"]


@pytest.mark.parametrize("method, path, body, good", OWN, ids=lambda value: str(value)[:40])
def test_0_2_a_workspace_route_accepts_its_own_token_or_the_admin_token(platform, pair, method, path,
                                                                 body, good):
    path, body = filled(path, pair), filled(body, pair)
    missing = platform.request(method, path, json=body)
    assert (missing.status, missing.body) == (401, {"error": "missing workspace auth token"})
    bad = [pair[1].token, "nonsense", pair[0].token[:-1], pair[0].token + "x", "é" * 43,
           "x" * 6000, revoked_token(platform, pair[0])]
    for token in bad:
        fields = {"Authorization": f"Bearer {token}".encode()}
        refused = platform.request(method, path, json=body, headers=fields)
        assert refused.status == 401, (token, refused)
        assert refused.body == {"error": "invalid workspace auth token"}
    assert platform.request(method, path, pair[0].token, body).status == good
    if not path.endswith("/state"):  # this route also requires the workspace's own token (2.7)
        assert platform.request(method, path, platform.admin_token, body).status in (good, 200)


@pytest.mark.parametrize("method, path, body, good", ADMIN, ids=lambda value: str(value)[:40])
def test_0_3_an_admin_route_accepts_only_the_admin_token(platform, pair, method, path, body, good):
    path, body = filled(path, pair), filled(body, pair)
    missing = platform.request(method, path, json=body)
    assert (missing.status, missing.body) == (401, {"error": "admin auth required"})
    for token in (pair[0].token, "nonsense", platform.admin_token[:-1], platform.admin_token + "x"):
        refused = platform.request(method, path, token, body)
        assert (refused.status, refused.body) == (401, {"error": "invalid admin auth token"})
    assert platform.request(method, path, platform.admin_token, body).status == good


@pytest.mark.parametrize("path, body", REGISTRY, ids=lambda value: str(value)[:25])
def test_0_4_the_registry_accepts_the_workspaces_own_token(platform, pair, path, body):
    body = filled(body, pair)
    missing = platform.request("POST", path, json=body)
    assert (missing.status, missing.body) == (401, {"error": "missing workspace auth token"})
    for token in (pair[1].token, "nonsense", revoked_token(platform, pair[0])):
        refused = platform.request("POST", path, token, body)
        assert (refused.status, refused.body) == (401, {"error": "invalid workspace auth token"})
    assert platform.status_of(pair[0]) == "awaiting_agent"  # a rejected call changes nothing
    assert platform.request("POST", path, pair[0].token, body).status == 200


@pytest.mark.parametrize("path, body", REGISTRY, ids=lambda value: str(value)[:25])
def test_9_nothing_is_open_before_the_first_workspace_or_for_an_unknown_one(platform, path, body):
    unknown = {name: NOBODY if value == "{id}" else value for name, value in body.items()}
    assert platform.request("POST", path, json=unknown).status == 401
    assert platform.request("POST", path, "nonsense", unknown).status == 401
    assert platform.request("POST", "/workspaces", json={"name": "n"}).status == 401
    assert platform.admin("GET", "/workspaces").body == []


@pytest.mark.parametrize("header", [
    "bearer {}", "BEARER {}", "Basic {}", "Bearer{}", "{}", "Token {}", " Bearer: {}",
])
def test_0_another_authorization_scheme_is_rejected(platform, header):
    agent = platform.create_workspace("agent")
    refused = platform.request("GET", f"/workspaces/{agent.id}/activity",
                               headers={"Authorization": header.format(agent.token)})
    assert (refused.status, refused.body) == (401, {"error": "missing workspace auth token"})


def test_0_a_token_is_trimmed(platform):
    agent = platform.create_workspace("agent")
    fine = platform.request("GET", f"/workspaces/{agent.id}/activity",
                            headers={"Authorization": f"Bearer   {agent.token}  "})
    assert fine.status == 200


def test_0_1_a_token_in_the_url_is_ignored(platform):
    agent = platform.create_workspace("agent")
    for name in ("token", "access_token", "auth_token"):
        path = f"/workspaces/{agent.id}/activity?{name}={agent.token}"
        assert platform.request("GET", path).status == 401


def test_0_2_an_unknown_workspace_gives_401_before_anything_else(platform):
    agent = platform.create_workspace("agent")
    for workspace_id in (NOBODY, "not-a-uuid", agent.id.upper() + "x", "a" * 3000):
        reply = platform.request("GET", f"/workspaces/{workspace_id}/activity", agent.token)
        assert reply.status == 401, (workspace_id, reply)
    # A control character is rejected before authentication.
    assert platform.request("GET", "/workspaces/%00/activity", agent.token).status in (400, 401)


def test_2_8_tokens_are_listed_created_and_revoked(platform):
    agent, peer = platform.create_workspace("agent"), platform.create_workspace("peer")
    path = f"/workspaces/{agent.id}/tokens"
    made = platform.request("POST", path, agent.token)
    assert made.status == 201 and made.body["workspace_id"] == agent.id
    assert set(made.body) == {"auth_token", "workspace_id", "message"}
    second = made.body["auth_token"]
    assert len(second) == 43 and second != agent.token
    listed = platform.request("GET", path, second).body
    assert listed["count"] == 2 and len(listed["tokens"]) == 2
    assert [token["prefix"] for token in listed["tokens"]] == [second[:8], agent.token[:8]]
    assert second not in str(listed) and agent.token not in str(listed)
    assert platform.request("GET", path + "?limit=1&offset=1", second).body["tokens"] == \
        listed["tokens"][1:]

    first_id = listed["tokens"][1]["id"]
    foreign = platform.request("DELETE", f"/workspaces/{peer.id}/tokens/{first_id}", peer.token)
    assert foreign.status == 404  # belongs to another workspace
    assert platform.request("DELETE", f"{path}/{first_id}", second).body == {"status": "revoked"}
    again = platform.request("DELETE", f"{path}/{first_id}", second)
    assert (again.status, again.body) == (404, {"error": "token not found or already revoked"})
    assert 400 <= platform.request("DELETE", f"{path}/not-a-uuid", second).status < 500
    assert platform.heartbeat(agent).status == 401  # it uses the revoked token
    assert platform.heartbeat(agent._replace(token=second)).status == 200
    assert platform.request("GET", path, second).body["count"] == 1


def test_2_8_a_token_that_revokes_itself_loses_all_access(platform):
    agent = platform.create_workspace("agent")
    token_id = platform.request("GET", f"/workspaces/{agent.id}/tokens",
                                agent.token).body["tokens"][0]["id"]
    platform.request("DELETE", f"/workspaces/{agent.id}/tokens/{token_id}", agent.token)
    assert platform.register(agent).status == 401
    assert platform.register(agent._replace(token=None)).status == 401
    assert platform.activity(agent).status == 401
    assert platform.activity(agent, platform.admin_token).status == 200
    remade = platform.admin("POST", f"/workspaces/{agent.id}/tokens")
    assert remade.status == 201
    assert platform.register(agent._replace(token=remade.body["auth_token"])).status == 200


def test_2_8_there_are_at_most_50_tokens(platform):
    agent = platform.create_workspace("agent")
    path = f"/workspaces/{agent.id}/tokens"
    statuses = [platform.request("POST", path, agent.token).status for _ in range(50)]
    assert statuses == [201] * 49 + [429]
    full = platform.request("POST", path, agent.token)
    assert full.body == {"error": "maximum 50 active tokens per workspace"}
