"""The limits of platform-api.md 9.6, from outside."""

import pytest

from support.platform import Platform


@pytest.fixture
def limited(build, tmp_path):
    file = tmp_path / "limits"
    file.write_text("# shares\nsender-messages = 2\nkey-value-bytes = 1K\n")
    with Platform(build, env={"RATE_LIMIT": "40"},
                  args=["--limits", str(file), "--limit", "memory-bytes=100"]) as platform:
        yield platform


def test_9_6_a_token_that_asks_too_often_waits_and_its_polls_go_on(limited):
    agent, peer = limited.create_workspace("agent"), limited.create_workspace("peer")
    replies = [limited.request("GET", f"/workspaces/{agent.id}/memory", agent.token)
               for _ in range(41)]
    assert [reply.status for reply in replies] == [200] * 40 + [429]
    assert int(replies[0].headers["X-RateLimit-Limit"]) == 40
    assert int(replies[0].headers["X-RateLimit-Remaining"]) == 39
    refused = replies[-1]
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.body == {"error": "rate limit exceeded",
                            "retry_after": int(refused.headers["Retry-After"])}
    assert limited.activity(agent).status == 200
    assert limited.heartbeat(agent).status == 200
    assert limited.request("GET", f"/workspaces/{peer.id}/memory", peer.token).status == 200
    for _ in range(50):
        assert limited.admin("GET", f"/workspaces/{agent.id}/memory").status == 200
    assert limited.stderr().count("limit reached (rate)") == 1


@pytest.fixture
def crowded(build):
    # Above what the start of a platform asks itself.
    with Platform(build, args=["--limit", "client-requests-per-minute=30"]) as platform:
        yield platform


def use_up(platform):
    """Asks without a credential until the address is refused; returns that answer."""
    statuses = []
    while 429 not in statuses:
        assert len(statuses) <= 30
        reply = platform.request("GET", "/nothing")
        statuses.append(reply.status)
    assert set(statuses[:-1]) == {404} and len(statuses) > 20
    return reply


def test_9_6_an_address_without_a_right_token_waits(crowded):
    agent = crowded.create_workspace("agent")
    refused = use_up(crowded)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.body == {
        "error": "rate limit exceeded: too many requests without a valid token from this address",
        "retry_after": int(refused.headers["Retry-After"])}
    wrong, large = "x" * 40, {"key": "k", "value": "v" * 100_000}
    for method, path, token, body in (
            ("POST", "/registry/register", wrong, {"id": agent.id, "agent_card": {}}),
            ("POST", "/registry/register", None, {"id": agent.id, "agent_card": {}}),
            ("POST", "/registry/heartbeat", wrong, {"workspace_id": agent.id}),
            ("POST", "/registry/heartbeat", None, {}),
            ("GET", f"/workspaces/{agent.id}", None, None),
            ("GET", f"/workspaces/{agent.id}/activity", wrong, None),
            ("POST", f"/workspaces/{agent.id}/memory", wrong, large),
            ("POST", "/login", None, {"token": wrong}),
            ("GET", "/login?code=" + wrong, None, None),
            ("GET", "/nothing", wrong, None)):
        reply = crowded.request(method, path, token, body)
        assert reply.status == 429, (method, path)
        assert int(reply.headers["Retry-After"]) > 0, (method, path)
    assert crowded.stderr().count("limit reached (client-rate)") == 1
    assert wrong not in crowded.stderr()


def test_9_6_agents_and_the_person_go_on_at_an_address_that_is_refused(crowded):
    agents = [crowded.create_workspace(f"agent {number}") for number in range(20)]
    use_up(crowded)
    for agent in agents:
        assert crowded.register(agent).status == 200
        for _ in range(3):
            assert crowded.heartbeat(agent).status == 200
            assert crowded.activity(agent).status == 200
        assert crowded.request("GET", "/nothing", agent.token).status == 404
    for _ in range(50):
        assert crowded.request("GET", "/health").status == 200
        assert crowded.request("GET", "/ready").status == 200
        assert crowded.request("GET", "/").status == 200
    assert crowded.admin("GET", "/workspaces").status == 200
    assert crowded.request("POST", "/login", json={"token": crowded.admin_token}).status == 200


def test_9_6_one_sender_has_a_share_of_an_inbox(limited):
    agent = limited.create_workspace("agent")
    noisy, quiet = limited.create_workspace("noisy"), limited.create_workspace("quiet")
    assert [limited.send(agent, "m", caller=noisy).status for _ in range(3)] == [200, 200, 429]
    assert limited.send(agent, "m", caller=quiet).status == 200
    assert limited.send(agent, "from the person").status == 200
    newest = limited.activity(agent, limit=1).body[0]["id"]
    assert limited.activity(agent, since_id=newest).body == []
    assert limited.send(agent, "m", caller=noisy).status == 200


def test_9_6_a_message_that_is_sent_again_needs_no_room(limited):
    agent, peer = limited.create_workspace("agent"), limited.create_workspace("peer")
    for name in ("one", "two"):
        assert limited.send(agent, "m", caller=peer, message_id=name).status == 200
    assert limited.send(agent, "m", caller=peer, message_id="three").status == 429
    again = limited.send(agent, "m", caller=peer, message_id="two")
    assert again.status == 200 and again.body["status"] == "queued"
    assert len(limited.activity(agent).body) == 2


def test_9_6_a_message_that_is_sent_again_is_not_removed_to_make_room(build):
    with Platform(build, args=["--limit", "message-bytes=5000"]) as platform:
        agent, peer = platform.create_workspace("agent"), platform.create_workspace("peer")
        for name in ("one", "two"):
            assert platform.send(agent, "x" * 1500, caller=peer, message_id=name).status == 200
        kept = [row["id"] for row in platform.activity(agent).body]
        assert platform.activity(agent, since_id=kept[0]).body == []  # all are handled
        for name in ("one", "two"):
            assert platform.send(agent, "x" * 1500, caller=peer, message_id=name).body["status"] == "queued"
        assert [row["id"] for row in platform.activity(agent).body] == kept
        assert platform.send(agent, "x" * 1500, caller=peer, message_id="three").status == 200
        assert len(platform.activity(agent).body) < 3


def test_9_6_memories_and_keys_have_shares(limited):
    agent = limited.create_workspace("agent")
    path = f"/workspaces/{agent.id}"
    remember = {"scope": "LOCAL", "content": "x y " * 20}
    assert limited.request("POST", path + "/memories", agent.token, remember).status == 201
    full = limited.request("POST", path + "/memories", agent.token, remember)
    assert full.status == 413 and "100 bytes" in full.body["error"]
    assert limited.request("POST", path + "/memory", agent.token,
                           {"key": "k", "value": "v" * 2000}).status == 413


def test_6_4_a_key_may_contain_any_character(platform):
    agent = platform.create_workspace("agent")
    path = f"/workspaces/{agent.id}/memory"
    for key, encoded in (("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("ä b+c", "%C3%A4%20b+c"),
                         ("?x#y", "%3Fx%23y"), ("..", "%2E%2E")):
        assert platform.request("POST", path, agent.token, {"key": key, "value": key}).status == 200
        assert platform.request("GET", f"{path}/{encoded}", agent.token).body["value"] == key
        assert platform.request("DELETE", f"{path}/{encoded}", agent.token).status == 200
        assert platform.request("GET", f"{path}/{encoded}", agent.token).status == 404


def test_1_5_peers_are_found_in_every_script(platform):
    agent = platform.create_workspace("agent")
    for name in ("МОСКВА", "Straße", "ÉCOLE"):
        platform.create_workspace(name)
    for query in ("%D0%BC%D0%BE%D1%81%D0%BA", "STRASSE", "%C3%A9cole"):
        peers = platform.request("GET", f"/registry/{agent.id}/peers?q={query}", agent.token).body
        assert len(peers) == 1, query
