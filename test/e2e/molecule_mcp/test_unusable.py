"""A process that cannot work: who is told, by what, and how it goes on (molecule-mcp.md 8)."""

import json
import os
import pty
import subprocess
import time

import pytest

from support.deadline import DEADLINE
from support.fake_platform import HTML, PEER, Reply

REJECTED = Reply(401, {"error": "invalid workspace auth token"})
UNCONFIGURED = {"no id": {"WORKSPACE_ID": None}, "no url": {"PLATFORM_URL": None},
                "no token": {"MOLECULE_WORKSPACE_TOKEN": None},
                "bad list": {"MOLECULE_WORKSPACES": "[{"}}
LEADS_TO = {"no id": "WORKSPACE_ID", "no url": "PLATFORM_URL", "no token": "MOLECULE_WORKSPACE_TOKEN",
            "bad list": "MOLECULE_WORKSPACES"}
CALLS = {"list_peers": {}, "get_workspace_info": {}, "inbox_peek": {}, "recall_memory": {},
         "send_message_to_user": {"message": "m"}, "delegate_task": {"workspace_id": PEER, "task": "t"},
         "inbox_pop": {"activity_id": PEER}, "reply": {"activity_id": PEER, "text": "t"},
         "chat_history": {}, "commit_memory": {"content": "c"}}


def wait_told(child, *parts):
    """Waits for an error-level notification that has all of them."""
    child.wait_until(lambda: any(n["params"]["level"] == "error" and
                                 all(part in n["params"]["data"] for part in parts)
                                 for n in child.notifications("notifications/message")),
                     f"error that says {parts}")


def names(child):
    return {t["name"] for t in child.request("tools/list")["result"]["tools"]}


# -- the default: answer, tell, exit -------------------------------------------------------------------


def test_fault_A6_a_rejected_token_ends_the_process_after_the_host_is_answered(spawn, fake, workspace_id):
    fake.always("register", REJECTED)
    child = spawn()
    child.initialize()
    child.wait_stderr("rejected")
    assert "wait_for_message" in names(child)
    refused = child.call("list_peers")
    assert refused.failed and "token" in refused.text
    child.expect_exit(3)
    wait_told(child, workspace_id, "Tokens")


@pytest.mark.parametrize("case", UNCONFIGURED)
def test_fault_A6_a_missing_configuration_is_told_to_the_host(spawn, fake, case):
    child = spawn(UNCONFIGURED[case])
    instructions = child.initialize()["instructions"]
    assert LEADS_TO[case] in instructions
    assert "wait_for_message" in names(child)
    refused = child.call("list_peers")
    assert refused.failed and LEADS_TO[case] in refused.text
    child.expected_exit = 2
    assert child.wait_exit()[0] == 2
    wait_told(child, LEADS_TO[case])
    assert LEADS_TO[case] in child.stderr_text and fake.seen("*") == []


@pytest.mark.parametrize("stay", [None, "1"])
def test_fault_A6_without_a_host_it_ends_at_once(mcp_binary, env, stay):
    changed = {**env, "MOLECULE_MCP_STAY": stay or ""}
    del changed["WORKSPACE_ID"]
    start = time.monotonic()
    ended = subprocess.run([mcp_binary], env=changed, stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=DEADLINE)
    assert ended.returncode == 2 and b"WORKSPACE_ID" in ended.stderr
    assert time.monotonic() - start < 1.5
    terminal, other_end = pty.openpty()
    start = time.monotonic()
    ended = subprocess.run([mcp_binary], env=changed, stdin=other_end, capture_output=True,
                           timeout=DEADLINE)
    assert ended.returncode == 2 and time.monotonic() - start < 1.5
    os.close(terminal)
    os.close(other_end)


@pytest.mark.parametrize("code", [2, 3])
def test_fault_A6_a_silent_pipe_is_no_host(spawn, fake, code):
    fake.always("register", REJECTED)
    child = spawn({"MOLECULE_MCP_STAY": "1", **({"WORKSPACE_ID": None} if code == 2 else {})})
    child.expected_exit = code
    ended, seconds = child.wait_exit()
    assert ended == code and seconds < 5


# -- MOLECULE_MCP_STAY ---------------------------------------------------------------------------------


def test_fault_A6_it_stays_with_a_host_and_goes_on_with_a_new_token(spawn, fake, tmp_path, token):
    file = tmp_path / "token"
    file.write_text("wrong-" + token)

    def registers(request):
        right = request.headers["authorization"] == f"Bearer {token}"
        return fake._register(request) if right else REJECTED

    for route in ("register", "peers"):
        fake.always(route, lambda r: registers(r) if r.route == "register" else
                    (Reply(body=[]) if r.headers["authorization"] == f"Bearer {token}" else REJECTED))
    child = spawn({"MOLECULE_MCP_STAY": "1", "MOLECULE_WORKSPACE_TOKEN": None,
                   "MOLECULE_WORKSPACE_TOKEN_FILE": str(file)}, speed=10, secrets=["wrong-" + token])
    child.initialize()
    child.wait_stderr("rejected")
    for name, arguments in CALLS.items():
        answer = child.call(name, **arguments)
        assert answer.failed or name in ("inbox_pop", "inbox_peek"), (name, answer)
        assert "token" in answer.text and "no restart" in answer.text, (name, answer)
    waited = child.call("wait_for_message", timeout_secs=20).json
    assert waited["timeout"] is True and "token" in waited["note"]
    file.write_text(token)
    fake.wait_for("heartbeat")
    assert not child.call("list_peers").failed
    assert "note" not in child.call("wait_for_message", timeout_secs=0).json


def test_fault_A6_it_goes_on_when_the_platform_takes_the_token_after_all(spawn, fake):
    fake.script("register", REJECTED)
    child = spawn({"MOLECULE_MCP_STAY": "1"}, speed=8)
    child.initialize()
    child.wait_stderr("rejected")
    fake.wait_for("heartbeat")
    assert len(fake.seen("register")) == 2
    assert not child.call("list_peers").failed


def test_fault_A6_it_goes_on_when_the_missing_token_appears(spawn, fake, tmp_path, token):
    file = tmp_path / "token"
    child = spawn({"MOLECULE_MCP_STAY": "1", "MOLECULE_WORKSPACE_TOKEN": None,
                   "MOLECULE_WORKSPACE_TOKEN_FILE": str(file)}, speed=10)
    child.initialize("2025-11-25", "claude-code")
    for name, arguments in CALLS.items():
        answer = child.call(name, **arguments)
        assert answer.failed and str(file) in answer.text, (name, answer)
    resource = child.request("resources/read", {"uri": "molecule://inbox"})["result"]["contents"][0]
    assert str(file) in json.loads(resource["text"])["error"]
    waiting = child.start_tool("wait_for_message", {"timeout_secs": 300})
    assert child.call("wait_for_message", timeout_secs=1).json["note"]
    file.write_text(token)
    fake.wait_for("heartbeat")
    fake.add_message("hello")
    message = child.tool_result(waiting).json
    assert message["text"] == "hello"
    assert not child.call("reply", activity_id=message["activity_id"], text="hi").failed


# -- what fails is told (A7) ---------------------------------------------------------------------------


@pytest.mark.parametrize("reply, says", [
    (Reply(503, {"error": "down for repairs"}), "down for repairs"), (HTML, "not from a Molecule platform"),
    (Reply(body={"hello": "world"}), "does not match"), (REJECTED, "token")],
    ids=["down", "html", "json", "refused"])
def test_fault_A7_wait_and_peek_say_what_fails(spawn, fake, reply, says):
    fake.always("activity", reply)
    child = spawn(speed=5)
    child.initialize()
    fake.wait_for("activity", 2)
    waited = child.call("wait_for_message", timeout_secs=1).json
    assert waited["timeout"] is True
    assert says in waited["note"] and "since 20" in waited["note"], waited
    peek = child.call("inbox_peek").raw
    assert says in peek["structuredContent"]["note"] and says in peek["content"][1]["text"]
    fake.always("activity", None)
    child.wait_until(lambda: "note" not in child.call("wait_for_message", timeout_secs=1).json,
                     "an end of the note")


def test_fault_F13_the_last_pop_is_acknowledged_on_the_way_out(spawn, fake):
    child = spawn()
    child.initialize()
    fake.add_message("one", seq=41)
    message = child.call("wait_for_message", timeout_secs=60).json
    assert child.call("inbox_pop", activity_id=message["activity_id"]).json["removed"]
    child.close_stdin()
    assert child.wait_exit()[0] == 0
    # The place before the message may have been acknowledged too, once it was known.
    told = [request.json["acked_seq"] for request in fake.seen("acknowledge")]
    assert told[-1] == 41 and told in ([41], [40, 41])
