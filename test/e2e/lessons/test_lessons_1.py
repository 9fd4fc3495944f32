"""The fixes of the original project, one test per row (lessons.md 1), on the real platform."""

import json
import os
import re
import shlex
import sqlite3
import stat
import uuid

import pytest

from support.events import EventStream
from support.fake_platform import Reply
from support.platform import Platform, text_of, until
from support.run import as_nobody, open_folder, refused


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


@pytest.fixture
def online(spawn, platform, agent):
    """A function that starts molecule-mcp for a workspace of the real platform."""
    def start(workspace=agent, changes=None, **more):
        return spawn({"PLATFORM_URL": platform.url, "WORKSPACE_ID": workspace.id,
                      "MOLECULE_WORKSPACE_TOKEN": workspace.token, **(changes or {})},
                     secrets=[workspace.token, platform.admin_token], **more)
    return start


def test_lesson_1_1_missing_environment_is_named_in_a_few_lines(mcp_binary, base_env):
    text = refused(mcp_binary, base_env, "WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN")
    assert 3 <= len(text.splitlines()) <= 6 and "Traceback" not in text


def test_lesson_1_2_the_canvas_says_online(platform, agent, online):
    assert platform.status_of(agent) == "awaiting_agent"
    online()
    until(lambda: platform.status_of(agent) == "online", what="online")


def test_lesson_1_2_a_heartbeat_lifts_awaiting_agent_and_is_announced(build, spawn, speedup):
    """The platform's 90 s sweep considered the (suspended) agent gone; the next heartbeat is
    enough, and listeners are notified. No second register is needed."""
    with Platform(build, env=speedup(20)) as platform:
        agent = platform.create_workspace("agent")
        child = spawn({"PLATFORM_URL": platform.url, "WORKSPACE_ID": agent.id,
                       "MOLECULE_WORKSPACE_TOKEN": agent.token}, speed=20, secrets=[agent.token])
        child.initialize()
        until(lambda: platform.status_of(agent) == "online", what="online")
        child.signal(19)  # SIGSTOP
        until(lambda: platform.status_of(agent) == "awaiting_agent", 30, "stale")
        events = platform.admin("GET", f"/events/{agent.id}").body
        before = [e["event_type"] for e in events].count("WORKSPACE_ONLINE")
        with EventStream(platform, platform.admin_token) as seen:
            child.signal(18)  # SIGCONT
            until(lambda: platform.status_of(agent) == "online", what="online again")
            seen.wait_for("WORKSPACE_ONLINE", agent.id)
        events = platform.admin("GET", f"/events/{agent.id}").body
        assert [e["event_type"] for e in events].count("WORKSPACE_ONLINE") == before + 1


def test_lesson_1_3_bad_token_exits_3(agent, online):
    child = online(agent._replace(token="x" * 43))
    child.initialize()
    child.expect_exit(3)
    assert "Tokens" in child.stderr_text and agent.id in child.stderr_text


def test_lesson_1_3_a_5xx_at_start_does_not_exit(spawn, fake):
    fake.always_everything(Reply(502, "bad gateway"))
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("register", 3)
    assert child.process.poll() is None


def test_lesson_1_4_the_snippet_runs_as_pasted(platform, agent, mcp_binary, spawn, base_env):
    """The environment in the snippet is complete and real: the agent comes online with nothing
    else."""
    snippet = agent.connection["universal_mcp_snippet"]
    assert "<paste" not in snippet and "{{" not in snippet and "ROTATE" not in snippet
    wanted = ("WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN")
    found = {}
    for name in wanted:
        match = re.search(rf"\b{name}\b[\"']?\s*[=:]\s*(\"[^\"]+\"|'[^']+'|[^\s\"',\\]+)", snippet)
        assert match, (name, "is missing from the snippet")
        found[name] = shlex.split(match[1])[0]
    spawn({**{k: None for k in wanted}, **found}, secrets=[agent.token])
    until(lambda: platform.status_of(agent) == "online", what="online")


def test_lesson_1_5_messages_are_reachable(platform, agent, online, state):
    child = online(speed=20)
    child.initialize()
    platform.send(agent, "hello from the canvas")
    message = child.call("wait_for_message", timeout_secs=60).json
    assert message["text"] == "hello from the canvas" and message["kind"] == "canvas_user"
    assert [m["activity_id"] for m in child.call("inbox_peek").json] == [message["activity_id"]]
    assert child.call("inbox_pop", activity_id=message["activity_id"]).json["removed"]
    cursor = state / ".mcp_inbox_cursor"
    until(lambda: cursor.exists() and cursor.read_text().strip() == message["activity_id"],
          what="a durable cursor")


def test_lesson_1_5_410_recovery(platform, agent, online, state):
    """The cursor belongs to no row of this workspace: the real platform responds with 410."""
    platform.send(agent, "sent before")
    state.mkdir()
    (state / ".mcp_inbox_cursor").write_text(str(uuid.uuid4()))
    child = online(speed=20)
    child.initialize()
    assert [m["text"] for m in child.wait_messages(1)] == ["sent before"]
    platform.send(agent, "sent after")
    assert [m["text"] for m in child.wait_messages(2)] == ["sent before", "sent after"]


def test_lesson_1_6_the_inbound_secret_comes_with_every_heartbeat(platform, agent, online, state):
    child = online(speed=20)
    secret = state / ".platform_inbound_secret"
    child.wait_until(lambda: secret.exists(), "secret")
    first = secret.read_text().strip()
    assert first == platform.heartbeat(agent).body["platform_inbound_secret"]
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.write_text("lost\n")  # a lost secret returns too, without a new register
    child.wait_until(lambda: secret.read_text().strip() == first, "the secret again")


def test_lesson_1_6_a_secret_that_cannot_be_minted_does_not_stop_the_heartbeat(platform, agent, online, state):
    """The store rejects every change of a secret; the heartbeat still succeeds, and the secret
    comes with a later one."""
    with sqlite3.connect(next(platform.data_dir.glob("*.db"))) as store:
        store.execute("UPDATE workspaces SET platform_inbound_secret = NULL")
        store.execute("CREATE TRIGGER broken BEFORE UPDATE OF platform_inbound_secret ON workspaces "
                      "BEGIN SELECT RAISE(ABORT, 'no secrets today'); END")
    child = online(speed=20)
    until(lambda: platform.status_of(agent) == "online", what="online without a secret")
    assert not (state / ".platform_inbound_secret").exists()
    with sqlite3.connect(next(platform.data_dir.glob("*.db"))) as store:
        store.execute("DROP TRIGGER broken")
    child.wait_until((state / ".platform_inbound_secret").exists, "secret")


def test_lesson_1_7_a_revoked_token_escalates(platform, agent, online):
    child = online(speed=50)
    until(lambda: platform.status_of(agent) == "online", what="online")
    token = platform.admin("GET", f"/workspaces/{agent.id}/tokens").body["tokens"][0]["id"]
    assert platform.admin("DELETE", f"/workspaces/{agent.id}/tokens/{token}").status == 200
    child.wait_stderr("Tokens")
    line = next(line for line in child.stderr_text.splitlines() if "Tokens" in line)
    assert agent.id in line and "revoked" in line and "error" in line
    assert child.stderr_text[:child.stderr_text.index("Tokens")].count("rejected the token") >= 2
    child.wait_stderr("Tokens", 2)


def test_lesson_1_8_agents_are_distinguishable(platform, agent, online):
    other = platform.create_workspace("other")
    named = online(changes={"MOLECULE_AGENT_NAME": "Ada", "MOLECULE_AGENT_SKILLS": "sums, proofs",
                            "MOLECULE_AGENT_DESCRIPTION": "counts"})
    plain = online(other, {"CONFIGS_DIR": None})
    cards = {}
    for workspace in (agent, other):
        until(lambda: platform.status_of(workspace) == "online", what="online")
        card = platform.request("GET", f"/workspaces/{workspace.id}").body["agent_card"]
        cards[workspace.id] = json.loads(card) if isinstance(card, str) else card
    assert cards[agent.id] == {"name": "Ada", "description": "counts",
                               "skills": [{"name": "sums"}, {"name": "proofs"}]}
    assert cards[other.id]["name"] == f"molecule-mcp-{other.id}"
    assert "description" not in cards[other.id]
    for child in (named, plain):
        assert child.process.poll() is None


def test_lesson_1_9_the_state_folder_has_fallbacks(platform, agent, online, base_env, mcp_binary, env):
    if os.path.exists("/configs"):
        pytest.skip("this machine has /configs")
    online(changes={"CONFIGS_DIR": None})
    secret = os.path.join(base_env["HOME"], ".molecule-workspace", ".platform_inbound_secret")
    until(lambda: os.path.exists(secret), what="the secret in the home folder")
    with open_folder() as folder:  # an unwritable one is reported at once, not at the first heartbeat
        folder.chmod(0o555)
        refused(mcp_binary, {**env, "CONFIGS_DIR": str(folder)}, str(folder), **as_nobody())
        folder.chmod(0o777)


def test_lesson_1_10_all_in_one_run(spawn, fake, tmp_path, token):
    """Pooled connections, backoff, one token order, one header builder, all in one run."""
    path = tmp_path / "token"
    path.write_text(token)
    child = spawn({"MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": str(path),
                   "MOLECULE_ORG_ID": "org"}, speed=20)
    child.initialize()
    child.call("list_peers")
    fake.wait_for("heartbeat", 2)
    fake.wait_for("activity", 5)
    headers = {(r.headers["authorization"], r.headers["origin"], r.headers["x-molecule-org-id"],
                r.headers["user-agent"]) for r in fake.seen("*")}
    assert len(headers) == 1
    # The event stream and the poll of broadcasts have one each.
    assert len({r.connection for r in fake.seen("*")}) <= 5


def test_lesson_1_all_the_main_job(platform, agent, online, env):
    """Two agents: the user asks A, A delegates to B, B answers A, A tells the user."""
    peer = platform.create_workspace("peer")
    a = online(speed=20)
    b = online(peer, {"CONFIGS_DIR": env["CONFIGS_DIR"] + "-b"}, speed=20)
    for child in (a, b):
        child.initialize()
    until(lambda: platform.status_of(peer) == "online", what="B online")
    assert peer.id in a.call("list_peers").text
    platform.send(agent, "what is 6 x 7?")
    asked = a.call("wait_for_message", timeout_secs=120).json
    assert "queued" in a.call("delegate_task", workspace_id=peer.id, task=asked["text"]).text.lower()
    task = b.call("wait_for_message", timeout_secs=120).json
    assert task["text"] == "what is 6 x 7?" and task["peer_id"] == agent.id
    assert not b.call("delegate_task", workspace_id=task["peer_id"], task="42").failed
    b.call("inbox_pop", activity_id=task["activity_id"])
    a.call("inbox_pop", activity_id=asked["activity_id"])
    answer = a.call("wait_for_message", timeout_secs=120).json
    assert answer["text"] == "42" and answer["peer_id"] == peer.id
    assert not a.call("send_message_to_user", message="It is 42.").failed
    a.call("inbox_pop", activity_id=answer["activity_id"])
    rows = platform.activity(agent, source="canvas", type="a2a_receive").body
    assert [r["response_body"]["result"] for r in rows if r["method"] == "notify"] == ["It is 42."]
    assert [text_of(r) for r in rows if r["method"] == "message/send"] == ["what is 6 x 7?"]
    assert a.call("inbox_peek").json == [] and b.call("inbox_peek").json == []
