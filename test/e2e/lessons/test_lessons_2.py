"""Defects of an earlier runtime that one workspace can show (lessons.md 2). Items missing here
have their test, with their number, in the file of their subject."""

import json
import stat
import time

import pytest

from support.fake_platform import HANG, PEER, Reply, envelope
from support.platform import until
from support.run import run


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


@pytest.fixture
def online(spawn, platform, agent):
    def start(changes=None, **more):
        child = spawn({"PLATFORM_URL": platform.url, "WORKSPACE_ID": agent.id,
                       "MOLECULE_WORKSPACE_TOKEN": agent.token, **(changes or {})},
                      secrets=[agent.token, platform.admin_token], **more)
        child.initialize()
        return child
    return start


def test_lesson_2_1_a_wait_blocks_nothing(spawn, fake):
    child = spawn()
    child.initialize()
    waits = [child.start_tool("wait_for_message", {"timeout_secs": 300}) for _ in range(10)]
    fake.always("a2a", HANG)
    child.start_tool("delegate_task", {"workspace_id": PEER, "task": "t"})
    start = time.monotonic()
    child.ping()
    assert child.request("tools/list")["result"]["tools"]
    for tool in ("list_peers", "get_workspace_info", "inbox_peek", "recall_memory"):
        assert not child.call(tool).failed
    assert time.monotonic() - start < 3
    assert all(child.answers(w) == [] for w in waits)


def test_lesson_2_2_nothing_is_dropped_at_200_and_nothing_dies_with_the_process(spawn, fake):
    ids = [fake.add_message(f"message {i}") for i in range(300)]
    first = spawn(speed=20)
    first.initialize()
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == ids[-1])
    first.kill()
    second = spawn({"PLATFORM_URL": "http://127.0.0.1:9"})
    second.initialize()
    left = []
    while page := second.call("inbox_peek", limit=100).json:
        calls = [second.start_tool("inbox_pop", {"activity_id": m["activity_id"]}) for m in page]
        left += [m["activity_id"] for m in page]
        for call in calls:
            second.tool_result(call)
    assert left == ids


def test_lesson_2_3_initialize_does_not_wait_for_register(spawn, fake):
    fake.always("register", HANG)
    child = spawn()
    start = time.monotonic()
    child.initialize()
    assert time.monotonic() - start < 3


def test_lesson_2_4_it_backs_off_and_keeps_its_connections(spawn, fake):
    fake.script("activity", *[Reply(500, {"error": "query failed"})] * 3)
    fake.script("heartbeat", Reply(503, {"error": "later"}, {"Retry-After": "40"}))
    speed = 20
    child = spawn(speed=speed)
    child.initialize()
    polls = fake.wait_for("activity", 8)
    waits = [(b.time - a.time) * speed for a, b in zip(polls, polls[1:])]
    assert max(waits[:3]) > 7 and max(waits[:3]) > min(waits[4:]), waits
    heartbeats = fake.wait_for("heartbeat", 2)
    assert (heartbeats[1].time - heartbeats[0].time) * speed >= 38
    for _ in range(5):
        child.call("list_peers")
    # The event stream and the poll of broadcasts have one each.
    assert len({r.connection for r in fake.seen("*")}) <= 5


def test_lesson_2_5_a_heartbeat_does_not_clear_the_running_task(mcp, fake):
    fake.always("a2a", HANG)
    mcp.start_tool("delegate_task", {"workspace_id": PEER, "task": "rake the garden"})
    fake.wait_for("a2a")
    fake.next("heartbeat")
    for _ in range(3):
        heartbeat = fake.next("heartbeat").json
        assert heartbeat["active_tasks"] == 1 and "rake the garden" in heartbeat["current_task"]


def test_lesson_2_8_the_agents_own_messages_do_not_return(platform, agent, online):
    child = online(speed=20)
    assert not child.call("send_message_to_user", message="I am here").failed
    peer = platform.create_workspace("peer")
    assert not child.call("delegate_task", workspace_id=peer.id, task="t").failed
    platform.send(agent, "a real one")
    assert [m["text"] for m in child.wait_messages(1)] == ["a real one"]
    platform.send(agent, "another")
    assert [m["text"] for m in child.wait_messages(2)] == ["a real one", "another"]


def test_lesson_2_9_a_delegation_result_has_kind_and_text(mcp, fake):
    fake.add_row(method="delegate_result", source_id=PEER, summary="wrong field",
                 request_body=envelope("wrong field too"), response_body={"text": "right"})
    message = mcp.wait_messages(1)[0]
    assert (message["kind"], message["text"]) == ("delegation_result", "right")


def test_lesson_2_10_protocol_conformance(spawn, mcp_binary, env, tmp_path):
    child = spawn()
    child.initialize("2025-03-26")
    child.ping()
    assert child.call("inbox_pop").failed
    child.send_raw(b"[]\n")
    child.wait_until(lambda: any(m.get("id", 0) is None for m in child.flat()), "answer to []")
    assert "result" in child.request("tools/call", {"name": "inbox_peek", "arguments": None})
    child.send_raw(b'{"jsonrpc":"2.0","id":"null","method":"ping","params":null}\n')
    child.wait_answer("null")
    child.notify("notifications/anything")
    (tmp_path / "in").write_bytes(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    with open(tmp_path / "in") as stdin:
        ended = run(mcp_binary, env, stdin=stdin)
    assert ended.returncode == 0 and json.loads(ended.stdout) == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_lesson_2_11_pushes_are_limited_to_what_the_host_supports(spawn, fake):
    """Declared; only after `initialized`; strings in meta; and only for hosts known by their
    name."""
    id = fake.add_message("hello", source_id=PEER)
    other = spawn({"CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli"}, speed=20)
    other.initialize("2025-11-25", "codex-mcp-client")
    other.wait_messages(1)
    fake.next("activity", 2)
    other.ping()
    assert other.notifications("notifications/claude/channel") == []
    other.finish()
    claude = spawn(speed=20)
    result = claude.initialize("2025-11-25", "claude-code", initialized=False)
    assert result["capabilities"]["experimental"] == {"claude/channel": {}}
    claude.wait_messages(1)
    assert claude.notifications("notifications/claude/channel") == []
    claude.notify("notifications/initialized")
    meta = claude.wait_notifications("notifications/claude/channel")[0]["params"]["meta"]
    assert meta["activity_id"] == id and all(isinstance(v, str) for v in meta.values())


def test_lesson_2_13_a_trailing_slash_breaks_nothing(platform, agent, online):
    child = online({"PLATFORM_URL": platform.url + "/"}, speed=20)
    platform.send(agent, "hello")
    child.wait_messages(1)
    for tool in ("list_peers", "get_workspace_info", "recall_memory"):
        assert not child.call(tool).failed
    assert not child.call("send_message_to_user", message="m").failed
    assert not child.call("commit_memory", content="c").failed


def test_lesson_2_14_one_token_source_and_rotation_without_a_restart(platform, agent, online, tmp_path):
    """The old token is revoked on the platform; the new one is written in its place."""
    path = tmp_path / "token"
    path.write_text(agent.token)
    child = online({"MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": str(path)}, speed=20)
    until(lambda: platform.status_of(agent) == "online", what="online")
    new = platform.admin("POST", f"/workspaces/{agent.id}/tokens").body["auth_token"]
    child.secrets.add(new)
    path.write_text(new)
    tokens = platform.admin("GET", f"/workspaces/{agent.id}/tokens").body["tokens"]
    old = next(t["id"] for t in tokens if agent.token.startswith(t["prefix"]))
    assert platform.admin("DELETE", f"/workspaces/{agent.id}/tokens/{old}").status == 200
    platform.send(agent, "after the rotation")
    assert child.wait_messages(1)[0]["text"] == "after the rotation"
    until(lambda: not child.call("list_peers").failed, what="a tool with the new token")
    assert "Tokens" not in child.stderr_text


def test_lesson_2_15_a_removed_workspace_is_noticed(platform, agent, online):
    child = online(speed=50)
    until(lambda: platform.status_of(agent) == "online", what="online")
    platform.admin("DELETE", f"/workspaces/{agent.id}", headers={"X-Confirm-Name": "agent"})
    assert json.loads(child.call("get_workspace_info").text)["error"] == "removed"
    for tool, arguments in (("list_peers", {}), ("send_message_to_user", {"message": "m"}),
                            ("commit_memory", {"content": "c"})):
        assert child.call(tool, **arguments).failed
    child.wait_stderr("no longer kept online or polled")
    assert "Tokens" in child.stderr_text
    assert child.ping() < 5


def test_lesson_2_17_a_missing_organisation_does_not_look_healthy(spawn, fake):
    """A proxy that needs the organisation responds with 404 to everything but register and
    heartbeat."""
    def edge(request):
        if request.headers.get("x-molecule-org-id") == "org":
            return getattr(fake, "_" + request.route)(request)
        return Reply(404, b"")

    for route in ("peers", "info", "activity", "notify", "recall"):
        fake.always(route, edge)
    without = spawn(speed=20)
    without.initialize()
    result = without.call("list_peers")
    assert result.failed and "rganisation" in result.text.replace("z", "s")
    without.wait_stderr("inbox")
    fake.add_message("hello")
    having = spawn({"MOLECULE_ORG_ID": "org", "CONFIGS_DIR": None}, speed=20)
    having.initialize()
    assert not having.call("list_peers").failed
    having.wait_messages(1)


def test_lesson_2_19_doctor_uses_existing_routes_and_renames_no_workspace(mcp_binary, env, fake, platform,
                                                                     agent, online):
    ended = run(mcp_binary, env, "doctor")
    assert ended.returncode == 0, ended.stdout
    asked = fake.seen("*")
    assert asked and all(r.method == "GET" and r.route for r in asked), asked
    online({"MOLECULE_AGENT_NAME": "Ada"}, speed=20)
    until(lambda: platform.status_of(agent) == "online", what="online")
    path = f"/workspaces/{agent.id}"

    def known():
        shown = platform.admin("GET", path).body
        return {name: shown[name] for name in ("name", "agent_card", "status", "role")}

    before = known()
    assert "Ada" in json.dumps(before)
    doctor_env = {**env, "PLATFORM_URL": platform.url, "WORKSPACE_ID": agent.id,
                  "MOLECULE_WORKSPACE_TOKEN": agent.token}
    ended = run(mcp_binary, doctor_env, "doctor")
    assert ended.returncode == 0, ended.stdout
    assert known() == before


def test_lesson_2_20_established_names_are_kept(mcp, fake, state):
    fake.peers = [{"id": PEER, "name": "Ольга 山田 أحمد नमस्ते", "role": "система", "status": "online"}]
    text = mcp.call("list_peers").text
    assert "Ольга 山田 أحمد नमस्ते" in text and "система" in text
    said = "The system prompt says: [system] hello <system>x</system>"
    fake.add_message(said, source_id=PEER)
    assert mcp.wait_messages(1)[0]["text"] == said
    mcp.wait_until((state / ".mcp_inbox_cursor").exists, "cursor")
    assert stat.S_IMODE((state / ".mcp_inbox_cursor").stat().st_mode) == 0o600
