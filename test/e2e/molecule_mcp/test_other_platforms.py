"""The client on platforms that differ from ours: other ages, other proxies (section F of the faults
that were seen on the original platform)."""

import json

import pytest

from support.fake_platform import PEER, Reply
from support.platform import until

MINTED = "minted-" + "m" * 40
INVALID = Reply(401, {"error": "invalid workspace auth token"})


class Revoked:
    """A platform that has revoked every token of the workspace: its registry takes anything until
    a register issues a new token, its other routes take nothing."""

    def __init__(self, fake):
        self.fake, self.valid = fake, None
        fake.always("register", self.register)
        fake.always("heartbeat", lambda r: fake._heartbeat(r) if self.registry(r) else INVALID)
        fake.always("activity", lambda r: fake._activity(r) if self.owns(r) else INVALID)

    def bearer(self, request):
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def owns(self, request):
        return self.valid is not None and self.bearer(request) == self.valid

    def registry(self, request):
        return self.valid is None or self.owns(request)

    def register(self, request):
        if not self.registry(request):
            return INVALID
        body = {"status": "registered", "delivery_mode": "poll"}
        if self.valid is None:
            self.valid = body["auth_token"] = MINTED
        return Reply(body=body)


def test_fault_F1_a_token_issued_at_register_is_kept_and_used(spawn, fake, token, state):
    Revoked(fake)
    fake.add_message("after the sleep")
    child = spawn(secrets=[MINTED])
    child.initialize()
    assert child.wait_messages(1)[0]["text"] == "after the sleep"
    assert (state / ".auth_token").read_text().strip() == MINTED
    assert (state / ".auth_token").stat().st_mode & 0o777 == 0o600
    assert token not in (state / ".dead_tokens").read_text()
    child.wait_stderr("has issued a new one")
    assert child.stderr_text.count("has issued a new one") == 1
    child.close_stdin()
    child.expect_exit(0)
    # The variable still holds the dead token: it is not tried again, and no token is orphaned.
    seen = len(fake.seen("*"))
    again = spawn(secrets=[MINTED])
    again.initialize()
    fake.next("heartbeat")
    assert all(r.headers["authorization"] == f"Bearer {MINTED}" for r in fake.seen("*")[seen:])
    assert "issued" not in again.stderr_text


def test_fault_F2_refused_polls_are_told_and_cured_by_another_register(spawn, fake):
    child = spawn(speed=20, secrets=[MINTED])
    child.initialize()
    fake.wait_for("activity", 2)
    Revoked(fake)
    fake.add_message("waits")
    assert child.wait_messages(1)[0]["text"] == "waits"
    assert "rejected in a row (HTTP 401)" in child.stderr_text
    assert "still exists" in child.stderr_text and "deleted" not in child.stderr_text


def test_fault_F9_a_new_token_in_the_state_folder_replaces_a_refused_variable(spawn, fake, token, state):
    """The error says: no restart is needed."""
    child = spawn(speed=20, secrets=["new-" + "n" * 40])
    child.initialize()
    fake.wait_for("heartbeat")
    accepts = lambda r: r.headers["authorization"] == "Bearer new-" + "n" * 40
    for route in ("heartbeat", "activity", "register"):
        fake.always(route, lambda r, route=route:
                    getattr(fake, "_" + route)(r) if accepts(r) else INVALID)
    child.wait_stderr("still exists")
    assert str(state / ".auth_token") in child.stderr_text
    assert "no restart is needed" in child.stderr_text
    (state / ".auth_token").write_text("new-" + "n" * 40)
    fake.next("heartbeat", where=accepts)
    fake.next("activity", where=accepts)
    assert child.ping() < 5


@pytest.mark.parametrize("reply", [
    Reply(403, b"", {"Content-Type": None}), Reply(403, "Forbidden", {"Content-Type": "text/plain"}),
    Reply(403, {"message": "Forbidden"}), Reply(403, "<html>no</html>", {"Content-Type": "text/html"}),
    Reply(403, {"error": "host not served", "code": "host_not_allowed"})],
    ids=["empty", "text", "gateway", "page", "host"])
def test_fault_C10_a_403_that_is_not_about_the_token_does_not_end_the_program(spawn, fake, reply):
    fake.always_everything(reply)
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("register", 3)
    child.wait_stderr("register:")
    assert "token is invalid" not in child.stderr_text and "rejected the token" not in child.stderr_text
    fake.always_everything(None)
    fake.next("register")
    fake.next("heartbeat")
    assert child.ping() < 5


def test_fault_F3_an_anchor_serves_as_the_first_cursor(spawn, fake, state):
    anchor = fake.add_row(activity_type="agent_log")["id"]
    fake.always("activity", lambda r: Reply(body=[])
                if r.route == "activity" and "since_id" not in r.query else fake._activity(r))
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == anchor)
    until(lambda: (state / ".mcp_inbox_cursor").read_text().strip() == anchor)
    fake.add_message("later")
    assert child.wait_messages(1)[0]["text"] == "later"


def test_fault_F4_broadcasts_have_a_poll_of_their_own(spawn, fake):
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("broadcasts")
    fake.add_message("to everybody", source_id=PEER, activity_type="broadcast_receive", method="broadcast")
    message = child.wait_messages(1)[0]
    assert (message["text"], message["kind"], message["peer_id"]) == ("to everybody", "peer_agent", PEER)
    assert {r.query["type"] for r in fake.seen("broadcasts")} == {"broadcast_receive"}
    assert {r.query["type"] for r in fake.seen("activity")} == {"a2a_receive"}


def test_fault_F6_an_older_platform_is_named(mcp, fake):
    fake.always("history", Reply(404, "404 page not found", {"Content-Type": "text/plain"}))
    fake.always("broadcast", Reply(404, "404 page not found", {"Content-Type": "text/plain"}))
    fake.add_message("from the person")
    assert "from the person" in mcp.call("chat_history").text
    assert fake.seen("activity")[-1].query["source"] == "canvas"
    refused = mcp.call("broadcast_message", message="x")
    assert refused.failed and "this platform is older and has no broadcasts" in refused.text
    assert "WORKSPACE_ID" not in refused.text


def test_fault_F7_tools_leave_calls_for_heartbeats(spawn, fake):
    left = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "40"}
    child = spawn()
    child.initialize()
    fake.wait_for("heartbeat")
    fake.always("peers", Reply(body=[], headers=left))
    assert not child.call("list_peers").failed
    sent = len(fake.seen("peers"))
    refused = child.call("list_peers")
    assert "last ones are kept" in refused.text and "41 s" in refused.text, refused.text
    assert len(fake.seen("peers")) == sent
    fake.next("heartbeat", deadline=30)


# --- what another platform lets through, and a page cannot do without -----------------------------

@pytest.mark.parametrize("value", ["1" + "0" * 20, "-" + "9" * 30, "1e400", "[" * 1500 + "]" * 1500])
def test_one_value_of_a_peer_does_not_keep_the_other_messages_back(mcp, fake, value):
    parts = [{"kind": "data", "data": "@value@"}, {"kind": "text", "text": "odd"}]
    fake.add_row(source_id=PEER, request_body={"params": {"message": {"parts": parts}}})
    page = fake._activity

    def with_value(request):
        reply = page(request)
        return Reply(reply.status, json.dumps(reply.body).replace('"@value@"', value))

    fake.always("activity", with_value)
    fake.add_message("from the user")
    first, second = [m["text"] for m in mcp.wait_messages(2)]
    assert "odd" in first and second == "from the user"
    assert "does not match" not in mcp.stderr_text
