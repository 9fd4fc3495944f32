"""Waking the agent: channel push and instructions (molecule-mcp.md 7, mcp-protocol.md 6)."""

import re

import pytest

from support.fake_platform import PEER, envelope
from support.run import run
from e2e.lessons.test_lessons_3 import Sent

CHANNEL = "notifications/claude/channel"


def test_7_the_channel_is_declared(spawn):
    result = spawn().initialize("2025-11-25", "claude-code")
    assert result["capabilities"]["experimental"] == {"claude/channel": {}}
    assert result["capabilities"]["tools"] in ({}, {"listChanged": False})


def test_7_a_message_is_announced_once(claude, fake):
    id = fake.add_message("hello from the canvas")
    push = claude.wait_notifications(CHANNEL)[0]["params"]
    assert set(push) == {"content", "meta"}
    assert "hello from the canvas" in push["content"]
    meta = push["meta"]
    assert {"kind", "method", "activity_id", "ts"} <= set(meta)
    assert set(meta) <= {"kind", "peer_id", "method", "activity_id", "ts", "peer_name", "peer_role",
                         "workspace_id"}
    assert all(isinstance(v, str) for v in meta.values())
    assert meta["activity_id"] == id and meta["kind"] == "canvas_user"
    assert meta["ts"] == fake.rows[0]["created_at"]
    fake.next("activity", 4)
    assert claude.call("wait_for_message").json["activity_id"] == id  # not yet delivered
    claude.call("inbox_pop", activity_id=id)
    fake.next("activity", 2)
    assert len(claude.notifications(CHANNEL)) == 1


def test_7_a_push_names_attachments_like_the_inbox_does(claude, fake, workspace_id):
    sent = Sent(workspace_id)
    fake.always("pending", sent.reply())
    sent.message(fake, f"look at {sent.uri}")
    push = claude.wait_notifications(CHANNEL)[0]["params"]
    [message] = claude.call("inbox_peek").json
    assert push["content"] == message["text"] and "file:///" in push["content"]
    assert push["meta"]["attachments"] == "1"


def test_7_a_message_from_a_peer_names_the_peer(claude, fake):
    fake.add_message("hi", source_id=PEER)
    assert claude.wait_notifications(CHANNEL)[0]["params"]["meta"]["peer_id"] == PEER


def test_7_many_messages_are_announced_in_order(claude, fake):
    # Of more than 20 that wait, one line tells the number.
    for i in range(20):
        fake.add_message(f"<{i}>")
    pushes = claude.wait_notifications(CHANNEL, 20)
    ids = [p["params"]["meta"]["activity_id"] for p in pushes]
    assert ids == [row["id"] for row in fake.rows]


def test_7_nothing_is_pushed_before_initialized(spawn, fake):
    child = spawn(speed=20)
    child.initialize("2025-11-25", "claude-code", initialized=False)
    id = fake.add_message("early")
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == id)
    fake.next("activity", 2)
    child.ping()
    assert child.notifications(CHANNEL) == []
    child.notify("notifications/initialized")
    pushes = child.wait_notifications(CHANNEL)
    assert [p["params"]["meta"]["activity_id"] for p in pushes] == [id]
    fake.next("activity", 2)
    assert len(child.notifications(CHANNEL)) == 1


def test_7_nothing_is_pushed_before_initialize(spawn, fake):
    id = fake.add_message("early")
    child = spawn(speed=20)
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == id)
    child.ping()
    assert child.lines[0].startswith(b"{") and child.notifications(CHANNEL) == []
    child.initialize("2025-11-25", "claude-code")
    child.wait_notifications(CHANNEL)


@pytest.mark.parametrize("client", ["codex-mcp-client", "gemini-cli-mcp-client", "opencode", "Claude Desktop",
                                    "pytest", "claude-code-lookalike", ""])
def test_7_only_hosts_that_support_it_get_pushes(spawn, fake, client):
    child = spawn(speed=20)
    child.initialize("2025-11-25", client)
    fake.add_message("hello")
    child.wait_messages(1)
    fake.next("activity", 2)
    child.ping()
    assert child.notifications(CHANNEL) == []


def test_7_a_removed_message_is_not_announced_later(spawn, fake):
    ids = [fake.add_message("popped"), fake.add_message("kept")]
    first = spawn(speed=20)
    first.initialize()
    first.wait_messages(2)
    first.call("inbox_pop", activity_id=ids[0])
    first.finish()
    second = spawn(speed=20)
    second.initialize("2025-11-25", "claude-code")
    pushes = second.wait_notifications(CHANNEL)
    fake.next("activity", 2)
    assert [p["params"]["meta"]["activity_id"] for p in pushes] == [ids[1]]
    assert len(second.notifications(CHANNEL)) == 1


def test_7_meta_contains_only_well_formed_values(claude, fake):
    fake.add_row(request_body=envelope("x"), source_id='"><script>', method="a\nb\"<x>" * 100,
                 created_at='2026"><inject>')
    meta = claude.wait_notifications(CHANNEL)[0]["params"]["meta"]
    for key, value in meta.items():
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key)
        assert not re.search(r"[<>\"\n\r]", value), (key, value)
        assert len(value) < 200
    assert meta.get("peer_id", "") == "" and meta.get("ts", "") == ""


def test_7_server_info(spawn, mcp_binary, base_env):
    version = run(mcp_binary, base_env, "--version").stdout.split()[-1]
    info = spawn().initialize()["serverInfo"]
    assert info["name"] == "molecule" and info["version"] == version


def test_7_instructions(spawn):
    text = spawn().initialize()["instructions"]
    for word in ("wait_for_message", "inbox_pop", "send_message_to_user", "delegate_task", "untrusted"):
        assert word in text, word
    assert len(text) < 2500
