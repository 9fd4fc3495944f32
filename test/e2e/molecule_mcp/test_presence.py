"""Staying online: register, heartbeat, escalation, headers, connections (molecule-mcp.md 4)."""

import struct
import time

import pytest

from support.fake_platform import HANG, HTML, PEER, RESET, Reply

UNAUTHORIZED = Reply(401, {"error": "invalid workspace auth token"})
OK = None  # the default response of the fake platform, see `scripted`


def scripted(fake, route, *replies):
    fake.script(route, *(getattr(fake, "_" + route) if r is OK else r for r in replies))


def gaps(requests, speed):
    """The intervals between requests, in seconds of the child's time."""
    return [speed * (b.time - a.time) for a, b in zip(requests, requests[1:])]


@pytest.mark.parametrize("fault", ["hang", "unreachable"])
def test_4_initialize_does_not_wait_for_the_network(spawn, fake, fault):
    fake.always_everything(HANG)
    child = spawn({"PLATFORM_URL": "http://10.255.255.1:9"} if fault == "unreachable" else {})
    start = time.monotonic()
    child.initialize()
    assert child.request("tools/list")["result"]["tools"]
    assert not child.call("inbox_peek").failed
    assert time.monotonic() - start < 3


def test_4_the_register_request(spawn, fake, workspace_id, token):
    child = spawn()
    child.initialize()
    request = fake.wait_for("register")[0]
    assert (request.method, request.target) == ("POST", "/registry/register")
    assert set(request.json) == {"id", "url", "agent_card", "delivery_mode"}
    assert request.json["id"] == workspace_id
    assert request.json["url"] == "" and request.json["delivery_mode"] == "poll"
    assert request.headers["authorization"] == f"Bearer {token}"
    assert request.headers["origin"] == fake.url
    assert request.headers["host"] == fake.url.removeprefix("http://")
    assert request.headers["content-type"].startswith("application/json")
    assert "expect" not in request.headers


def test_4_the_headers_of_every_call(spawn, fake, workspace_id, token):
    child = spawn(speed=20)
    child.initialize()
    child.call("list_peers")
    child.call("get_workspace_info")
    child.call("delegate_task", workspace_id=PEER, task="t")
    child.call("send_message_to_user", message="m")
    child.call("commit_memory", content="c")
    child.call("recall_memory")
    fake.wait_for("heartbeat")
    fake.wait_for("activity")
    for request in fake.seen("*"):
        assert request.headers["authorization"] == f"Bearer {token}", request.route
        assert request.headers["origin"] == fake.url, request.route
        assert request.headers.get("x-workspace-id", workspace_id) == workspace_id
        if request.route in ("a2a", "peers"):
            assert request.headers["x-workspace-id"] == workspace_id, request.route


def test_4_registers_once(spawn, fake):
    spawn(speed=40)
    fake.wait_for("heartbeat", 4)
    assert len(fake.seen("register")) == 1


def test_4_register_is_retried_until_it_succeeds(spawn, fake):
    speed = 10
    scripted(fake, "register", Reply(500, {"error": "registration failed"}), Reply(503), RESET, HTML,
             Reply(404, "not found"), OK)
    child = spawn(speed=speed)
    requests = fake.wait_for("register", 6)
    for gap, wanted in zip(gaps(requests, speed), (1, 2, 4, 8, 16)):
        assert 0.74 * wanted <= gap <= 1.26 * wanted + 1.5, gaps(requests, speed)
    child.wait_stderr("regist")
    fake.next("heartbeat", 2)
    assert len(fake.seen("register")) == 6


def test_4_the_first_heartbeat_follows_the_first_register_at_once(spawn, fake):
    """Even if register failed, unless it failed because of the token."""
    fake.always("register", Reply(500, {"error": "registration failed"}))
    spawn()
    register, heartbeat = fake.wait_for("register")[0], fake.wait_for("heartbeat")[0]
    assert 0 <= heartbeat.time - register.time < 3


@pytest.mark.parametrize("status", [401, 403])
def test_4_a_rejected_register_exits_3(spawn, fake, workspace_id, status):
    fake.always("register", Reply(status, {"error": "invalid workspace auth token"}))
    child = spawn()
    child.initialize()
    child.expect_exit(3)
    assert workspace_id in child.stderr_text and "Tokens" in child.stderr_text
    assert fake.seen("heartbeat") == [] and len(fake.seen("register")) == 1


@pytest.mark.parametrize("status", [400, 404, 409, 429, 500, 503])
def test_4_any_other_failure_of_register_does_not_exit(spawn, fake, status):
    fake.script("register", Reply(status, {"error": "no"}))
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("register", 2)
    fake.wait_for("heartbeat", 2)
    assert child.ping() < 5


def test_4_a_late_rejection_exits_3_too(spawn, fake):
    fake.always_everything(Reply(503))
    scripted(fake, "register", Reply(503), UNAUTHORIZED)
    child = spawn(speed=20)
    child.expect_exit(3)


def test_4_sends_a_heartbeat_every_20_s_with_true_values(spawn, fake, workspace_id):
    speed = 10
    spawn(speed=speed)
    heartbeats = fake.wait_for("heartbeat", 5)
    for gap in gaps(heartbeats, speed):
        assert 15 <= gap <= 26, gaps(heartbeats, speed)
    for heartbeat in heartbeats:
        assert heartbeat.json["workspace_id"] == workspace_id
        assert heartbeat.json["active_tasks"] == 0 and heartbeat.json["current_task"] == ""
        assert type(heartbeat.json["uptime_seconds"]) is int
    uptimes = [b.json["uptime_seconds"] for b in heartbeats]
    assert 0 <= uptimes[0] <= 5
    assert all(14 <= b - a <= 27 for a, b in zip(uptimes, uptimes[1:])), uptimes


def test_4_a_heartbeat_reports_running_delegations(mcp, fake):
    fake.wait_for("heartbeat")
    fake.always("a2a", HANG)
    first = mcp.start_tool("delegate_task", {"workspace_id": PEER, "task": "count the leaves"})
    second = mcp.start_tool("delegate_task", {"workspace_id": PEER, "task": "and the trees"})
    fake.wait_for("a2a", 2)
    heartbeat = fake.next("heartbeat", where=lambda r: r.json["active_tasks"] == 2)
    assert "count the leaves" in heartbeat.json["current_task"]
    mcp.notify("notifications/cancelled", {"requestId": first})  # its task goes on
    assert fake.next("heartbeat").json["active_tasks"] == 2
    fake.always("a2a", Reply(body={"jsonrpc": "2.0", "id": "1", "result": "done"}))
    fake.release()
    assert mcp.tool_result(second).text == "done"
    heartbeat = fake.next("heartbeat", where=lambda r: r.json["active_tasks"] == 0)
    assert heartbeat.json["current_task"] == ""


def test_4_a_waiting_agent_is_not_busy(mcp, fake):
    mcp.start_tool("wait_for_message", {"timeout_secs": 300})
    mcp.ping()
    assert fake.next("heartbeat", 2).json["active_tasks"] == 0


def test_4_one_missed_heartbeat_does_not_cost_presence(spawn, fake):
    """A hanging heartbeat times out soon enough: the next must arrive within 90 s of the last
    good one."""
    speed = 20
    spawn(speed=speed)
    fake.wait_for("heartbeat")
    fake.script("heartbeat", HANG)
    heartbeats = fake.wait_for("heartbeat", 3)
    assert speed * (heartbeats[2].time - heartbeats[0].time) < 75


def escalations(child):
    return child.stderr_text.count("Tokens")


def test_4_escalation_at_the_3rd_and_every_20th(spawn, fake, workspace_id):
    # The platform does not show the workspace; of one that exists another text is right (fault F9).
    fake.always("info", Reply(404, {"error": "workspace not found"}))
    child = spawn(speed=50)
    fake.wait_for("register")
    fake.always("heartbeat", UNAUTHORIZED)
    first = len(fake.seen("heartbeat")) if fake.seen("heartbeat") else 0
    rejected = lambda n: fake.wait_for("heartbeat", first + n, 60)
    rejected(2)
    assert escalations(child) == 0
    child.wait_stderr("warning")
    rejected(4)
    assert escalations(child) == 1
    line = next(l for l in child.stderr_text.splitlines() if "Tokens" in l)
    for word in (workspace_id, "revoked", "deleted", "restart"):
        assert word in line, line
    rejected(22)
    assert escalations(child) == 1
    rejected(24)
    assert escalations(child) == 2
    assert len(child.stderr_text.splitlines()) <= 12  # it must not flood the host's log


def test_4_a_success_resets_the_count(spawn, fake):
    child = spawn(speed=40)
    scripted(fake, "heartbeat", OK, UNAUTHORIZED, UNAUTHORIZED, OK, UNAUTHORIZED, Reply(403), OK,
             UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED)
    fake.wait_for("heartbeat", 9, 60)
    assert escalations(child) == 0
    fake.wait_for("heartbeat", 11, 60)
    assert escalations(child) == 1


def test_4_other_failures_are_not_counted(spawn, fake):
    child = spawn(speed=40)
    failures = [Reply(500), Reply(503), Reply(429), RESET, HTML, Reply(404, "?"), Reply(body="[]")]
    scripted(fake, "heartbeat", OK, *failures)
    fake.wait_for("heartbeat", 2 + len(failures), 60)
    assert escalations(child) == 0
    assert child.process.poll() is None


def test_4_other_failures_do_not_reset_the_count(spawn, fake):
    child = spawn(speed=40)
    scripted(fake, "heartbeat", OK, UNAUTHORIZED, Reply(503), UNAUTHORIZED, RESET, UNAUTHORIZED)
    fake.wait_for("heartbeat", 7, 60)
    child.wait_stderr("Tokens")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked, least, most", [("40", 39, 62), ("3600", 20, 89), ("0", 0, 30),
                                                ("nonsense", 0, 30), ("-5", 0, 30)])
def test_4_retry_after_is_honoured_as_far_as_presence_allows(spawn, fake, status, asked, least, most):
    speed = 20
    scripted(fake, "heartbeat", OK, Reply(status, {"error": "later"}, {"Retry-After": asked}))
    spawn(speed=speed)
    heartbeats = fake.wait_for("heartbeat", 3)
    assert least <= gaps(heartbeats, speed)[1] <= most


def test_4_the_poll_honours_retry_after(spawn, fake):
    speed = 20
    scripted(fake, "activity", OK, Reply(429, {"error": "rate limit exceeded", "retry_after": 30},
                                         {"Retry-After": "30"}))
    spawn(speed=speed)
    polls = fake.wait_for("activity", 3)
    assert gaps(polls, speed)[1] >= 29


def test_4_register_honours_retry_after(spawn, fake):
    speed = 20
    scripted(fake, "register", Reply(503, {"error": "later"}, {"Retry-After": "20"}))
    spawn(speed=speed)
    assert gaps(fake.wait_for("register", 2), speed)[0] >= 19


def test_4_polls_every_5_s(spawn, fake):
    speed = 10
    spawn(speed=speed)
    polls = fake.wait_for("activity", 6)
    for gap in gaps(polls, speed):
        assert 3.5 <= gap <= 8.5, gaps(polls, speed)


def test_4_a_failing_poll_backs_off_and_recovers(spawn, fake):
    speed = 40
    fake.always("activity", Reply(500, {"error": "query failed"}))
    child = spawn(speed=speed)
    child.initialize()
    polls = fake.wait_for("activity", 5)
    assert max(gaps(polls, speed)) > 7, gaps(polls, speed)
    fake.always("activity", None)
    fake.add_message("after the outage")
    child.wait_messages(1)
    assert child.stderr_text


def test_4_connections_are_reused(spawn, fake):
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("heartbeat", 3)
    for _ in range(10):
        child.call("list_peers")
    fake.wait_for("activity", 10)
    used = {r.connection for r in fake.seen("*")}
    # The event stream and the poll of broadcasts have one each.
    assert len(used) <= 5, used
    late = {r.connection for r in fake.seen("*")[len(fake.seen("*")) // 2:]}
    assert len(late) <= 2


def test_4_a_connection_closed_by_the_platform_is_harmless(mcp, fake):
    """Servers may close idle connections at any time."""
    for _ in range(5):
        fake.script("peers", Reply(body=[], headers={"Connection": "close"}))
        assert not mcp.call("list_peers").failed


def test_4_the_inbound_secret_from_register_and_every_heartbeat_is_stored(spawn, fake, state):
    child = spawn(speed=40)
    path = state / ".platform_inbound_secret"
    child.wait_until(path.exists, "secret")
    assert path.read_text().strip() == fake.inbound_secret
    inode = path.stat().st_ino
    fake.next("heartbeat", 2)
    assert path.stat().st_ino == inode  # written only if it differs
    fake.inbound_secret = "rotated-" + "r" * 40
    child.secrets.add(fake.inbound_secret)
    child.wait_until(lambda: path.read_text().strip() == fake.inbound_secret, "the new secret")


@pytest.mark.parametrize("secret", ["", 7, None, ["x"], {"a": 1}, "x" * 2_000_000, "two\nlines"])
def test_4_an_invalid_inbound_secret_does_not_stop_the_heartbeat(spawn, fake, state, secret):
    fake.always("heartbeat", Reply(body={"status": "ok", "platform_inbound_secret": secret}))
    child = spawn(speed=40)
    fake.wait_for("heartbeat", 3)
    assert child.process.poll() is None
    path = state / ".platform_inbound_secret"
    if path.exists():
        assert path.read_text().strip() == fake.inbound_secret


def test_4_a_rotated_token_needs_no_restart(spawn, fake, tmp_path):
    """On a 401 the token's sources are read again."""
    old, new = "old-" + "o" * 40, "new-" + "n" * 40
    path = tmp_path / "token"
    path.write_text(old)
    child = spawn({"MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": str(path)},
                  speed=40, secrets=[old, new])
    child.initialize()
    fake.wait_for("heartbeat")

    def only_new(request):
        if request.headers["authorization"] != f"Bearer {new}":
            return UNAUTHORIZED
        return getattr(fake, "_" + request.route)(request)

    path.write_text(new)
    for route in ("heartbeat", "activity", "peers"):
        fake.always(route, only_new)
    fake.next("heartbeat", 2, where=lambda r: r.headers["authorization"] == f"Bearer {new}")
    fake.next("activity", 2, where=lambda r: r.headers["authorization"] == f"Bearer {new}")
    assert not child.call("list_peers").failed
    assert escalations(child) == 0


def test_4_after_a_suspend_it_sends_a_heartbeat_and_polls_at_once(spawn, fake, tmp_path):
    """The wall clock jumps ahead by an hour, the monotonic clock does not."""
    speed = 2
    jump = tmp_path / "jump"
    jump.write_bytes(struct.pack("=q", 0))
    child = spawn({"SPEEDUP_JUMP": str(jump)}, speed=speed)
    child.initialize()
    fake.wait_for("heartbeat")
    fake.wait_for("activity", 2)  # 5 s later: the next heartbeat is due in 15 s
    with open(jump, "r+b") as file:
        file.write(struct.pack("=q", 3600 * 10**9))
    jumped = time.monotonic()
    assert speed * (fake.next("heartbeat").time - jumped) < 10


def test_4_an_agent_card_set_by_a_tool_survives_a_takeover_and_a_restart(spawn, fake):
    chosen = {"name": "Chosen", "skills": [{"name": "choosing"}]}
    owner = spawn(speed=20)
    owner.initialize()
    fake.wait_for("register")
    other = spawn(speed=20)
    other.initialize()
    assert not other.call("update_agent_card", card=chosen).failed
    owner.kill()
    assert fake.wait_for("register", 2)[1].json["agent_card"] == chosen
    other.kill()
    restarted = spawn(speed=20)
    restarted.initialize()
    assert fake.wait_for("register", 3)[2].json["agent_card"] == chosen
    restarted.kill()
    spawn({"MOLECULE_AGENT_NAME": "Ada"}, speed=20).initialize()
    assert fake.wait_for("register", 4)[3].json["agent_card"]["name"] == "Ada", "it was asked for later"
