"""A command handler: what it reads, what becomes of its answer, and each way in which it may fail."""

import json
import time

import pytest

from support.daemon import Daemon, notes, processes_with, script
from support.platform import until
from support.run import run


@pytest.fixture
def start(mcp_binary, platform, tmp_path, keep):
    """A function that starts a daemon for a new workspace."""
    def begin(*arguments, name="Ada", **more):
        workspace = platform.create_workspace(name)
        daemon = Daemon(mcp_binary, platform, workspace, tmp_path / name, *arguments, **more)
        return keep(daemon)

    return begin


def command(text, tmp_path, *more):
    return ["--handler", "command", *more, "--", script(tmp_path, text)]


def test_the_person_is_answered_and_the_message_leaves_the_inbox(start, platform, tmp_path):
    daemon = start(*command(f'cat > {tmp_path}/stdin; env > {tmp_path}/env; echo " 42 "', tmp_path))
    daemon.ask("6 times 7?")
    assert daemon.wait_answers(1) == ["42"]
    chat = platform.request("GET", f"/workspaces/{daemon.workspace.id}/chat-history", platform.admin_token)
    question, answer = chat.body["messages"]
    assert answer["in_reply_to"] == question["message_id"] != ""
    until(lambda: not daemon.waiting())
    ((activity,),) = daemon.rows("SELECT activity_id FROM popped")
    assert f"message {activity} begins a turn of command" in daemon.log()
    assert f"message {activity} is done" in daemon.log()
    read = json.loads((tmp_path / "stdin").read_text())
    assert read["text"] == "6 times 7?" and read["kind"] == "canvas_user"
    assert read["workspace_id"] == daemon.workspace.id and read["conversation"] == "user"
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert env["MOLECULE_ACTIVITY_ID"] == read["activity_id"] and env["MOLECULE_KIND"] == "canvas_user"
    assert env["MOLECULE_HANDLER"] == "1"
    assert daemon.workspace.token not in (tmp_path / "env").read_text()
    for name in ("MOLECULE_WORKSPACE_TOKEN", "NOTIFY_SOCKET", "PLATFORM_URL"):
        assert name not in env


def test_a_secret_under_any_name_and_the_manager_stay_out_of_the_environment(
        mcp_binary, platform, tmp_path):
    workspace = platform.create_workspace("Ada")
    out = tmp_path / "env"
    with Daemon(mcp_binary, platform, workspace, tmp_path / "Ada",
                *command(f"cat >/dev/null; env > {out}; echo ok", tmp_path),
                env={"MY_COPY": f"Bearer {workspace.token}", "LISTEN_FDS": "0", "WATCHDOG_USEC": "9",
                     "CREDENTIALS_DIRECTORY": "/x", "KEPT": "yes"}) as daemon:
        daemon.ask("hello")
        daemon.wait_answers(1)
        env = out.read_text()
        assert workspace.token not in env and "KEPT=yes" in env
        for name in ("LISTEN_FDS", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY"):
            assert f"{name}=" not in env


def test_a_peer_gets_its_answer_as_one(start, platform, tmp_path):
    daemon = start(*command("cat >/dev/null; echo sure", tmp_path))
    ben = platform.create_workspace("Ben")
    platform.send(daemon.workspace, "Can you help?", caller=ben, message_id="task-1")
    row = until(lambda: next((row for row in platform.request(
        "GET", f"/workspaces/{ben.id}/activity?type=a2a_receive", ben.token).body
        if row["source_id"] == daemon.workspace.id), None))
    message = row["request_body"]["params"]["message"]
    assert message["parts"][0]["text"] == "sure"
    assert message["metadata"] == {"in_reply_to": "task-1", "molecule/hops": 1}


def test_bare_text_and_a_shell(start, tmp_path):
    daemon = start("--handler", "command", "--format", "text", "--shell",
                   "--argv", 'printf "%s says: " "$1"; cat', "--argv", "sh")
    daemon.ask("-n @/etc/passwd\n$(id)")
    assert daemon.wait_answers(1) == ["sh says: -n @/etc/passwd\n$(id)"]


# What the handler does to the message "poison"; others are answered. Each is tried twice.
FAILURES = {
    "code": ("exit 3", "ended with code 3"),
    "empty": ("exit 0", "without an answer"),
    "signal": ("kill -SEGV $$", "signal 11"),
    "hangs": ("sleep 1000", "did not end within 1 s"),
    "ignores SIGTERM": ("trap '' TERM; while :; do sleep 1; done", "did not end within 1 s"),
    "floods": ("exec head -c 1000000000 /dev/zero", "more than an answer may have"),
    "needs a terminal": ("read line </dev/tty || exit 9", "ended with code 9"),
    "forks": ("sleep 1000 & sleep 1001 & exit 4", "ended with code 4"),
    "endless line": ("exec yes '' | tr -d '\\n'", "1 s"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_failing_handler_is_tried_again_then_set_aside_and_others_go_on(start, how, tmp_path):
    text, reason = FAILURES[how]
    daemon = start(*command(f"""read line
case "$line" in *poison*) echo x >> {tmp_path}/tries; {text};; esac
echo well""", tmp_path, "--deadline-secs", "1", "--retry-secs", "0"))
    daemon.ask("poison")
    daemon.ask("the next one")
    found = daemon.wait_answers(2)
    assert sorted(found)[1] == "well", found
    assert "could not answer" in sorted(found)[0] and "poison" in sorted(found)[0]
    aside = until(daemon.set_aside)
    assert aside[0][0] == "poison" and reason in aside[0][1], aside
    assert (tmp_path / "tries").read_text() == "x\n" * 2
    until(lambda: [text for text, in daemon.waiting()] == ["poison"])
    assert not processes_with("MOLECULE_HANDLER=1\0MOLECULE_WORKSPACE_ID=" + daemon.workspace.id)


def test_a_program_that_is_not_there_says_so(start):
    daemon = start("--handler", "command", "--retry-secs", "", "--argv", "no-such-program")
    daemon.ask("hello")
    daemon.wait_answers(1)
    assert "no-such-program is not in PATH" in until(daemon.set_aside)[0][1]


def test_what_was_set_aside_is_tried_again_when_a_person_says_so(start, mcp_binary, tmp_path):
    daemon = start(*command(f"cat >/dev/null; cat {tmp_path}/answer", tmp_path, "--retry-secs", ""))
    daemon.ask("one")
    daemon.ask("two")
    until(lambda: len(daemon.set_aside()) == 2)
    (tmp_path / "answer").write_text("well")
    assert len(run(mcp_binary, daemon.env, "retry", "--all").stdout.split()) == 2
    until(lambda: not daemon.waiting())
    assert daemon.answers()[2:] == ["well", "well"]


def test_an_empty_answer_may_be_one(start, tmp_path):
    daemon = start(*command("cat >/dev/null", tmp_path, "--on-empty", "pop"))
    daemon.ask("hello")
    until(lambda: daemon.rows("SELECT 1 FROM popped"))
    assert daemon.answers() == [] and daemon.waiting() == []


def test_conversations_run_side_by_side_and_one_turn_at_a_time(start, platform, tmp_path):
    daemon = start(*command(f"""read line
mkdir {tmp_path}/$MOLECULE_CONVERSATION.busy || echo twice >> {tmp_path}/twice
ls -d {tmp_path}/*.busy | wc -l >> {tmp_path}/counts
while [ ! -e {tmp_path}/go ]; do sleep 0.05; done
rmdir {tmp_path}/$MOLECULE_CONVERSATION.busy
echo ok""", tmp_path, "--max-parallel", "2"))
    peers = [platform.create_workspace(name) for name in ("Ben", "Cem")]
    for number in range(3):
        daemon.ask(f"person {number}")
        for peer in peers:
            platform.send(daemon.workspace, f"peer {number}", caller=peer)
    until(lambda: len(list(tmp_path.glob("*.busy"))) == 2)
    (tmp_path / "go").touch()
    # An empty inbox would not do: a poll may have brought the first messages only.
    until(lambda: len(daemon.rows("SELECT 1 FROM popped")) == 9)
    assert daemon.answers() == ["ok"] * 3
    assert not (tmp_path / "twice").exists()
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert len(counts) == 9 and max(counts) == 2


def test_two_agents_that_always_answer_ok_are_stopped_and_both_people_know(start, platform, tmp_path):
    handler = command("cat >/dev/null; echo ok", tmp_path)
    ada, ben = start(*handler, name="Ada"), start(*handler, name="Ben")
    platform.send(ben.workspace, "ok?", caller=ada.workspace)
    for daemon in (ada, ben):
        told = daemon.wait_answers(1)
        assert "is paused: 8 automatic turns" in told[0], told
    until(lambda: not ada.rows("SELECT 1 FROM leases") and not ben.rows("SELECT 1 FROM leases"))
    rows = ada.rows("SELECT count(*) FROM turn_log") + ben.rows("SELECT count(*) FROM turn_log")
    assert sum(count for count, in rows) == 8
    # The person goes on with it.
    ada.ask("and now?")
    assert until(lambda: len(notes(platform, ada.workspace)) == 2)


def test_a_budget_delays_and_does_not_lose(start, tmp_path):
    daemon = start(*command("cat >/dev/null; echo ok", tmp_path, "--max-turns-per-hour", "1"))
    daemon.ask("one")
    daemon.wait_answers(1)
    daemon.ask("two")
    said = f"the budget of turns of workspace {daemon.workspace.id} is used up"
    until(lambda: said in daemon.log())
    assert len(daemon.waiting()) == 1 and not daemon.set_aside()
    daemon.ask("three")
    until(lambda: len(daemon.waiting()) == 2)
    assert daemon.log().count(said) == 1


def test_a_senders_own_budget_does_not_hold_up_the_person(start, platform, tmp_path):
    daemon = start(*command("cat >/dev/null; echo ok", tmp_path),
                   config='[sender."Ben"]\nmax_turns_per_hour = 1\n')
    daemon.ask("one")
    daemon.wait_answers(1)
    ben = platform.create_workspace("Ben")
    assert platform.send(daemon.workspace, "from Ben", caller=ben).status == 200
    until(lambda: "is used up" in daemon.log())
    daemon.ask("two")
    assert daemon.wait_answers(2) == ["ok", "ok"]
    # A message leaves the inbox after its answer has gone.
    until(lambda: [text for text, in daemon.waiting()] == ["from Ben"])


def test_without_a_handler_messages_stay_for_others(start):
    daemon = start()
    daemon.ask("hello")
    until(daemon.waiting)
    assert daemon.rows("SELECT 1 FROM leases") == []
    assert daemon.platform.status_of(daemon.workspace) == "online"


def test_stop_lets_a_turn_end(start, tmp_path):
    daemon = start(*command(f"""cat >/dev/null; touch {tmp_path}/begun
while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo done""", tmp_path))
    daemon.ask("hello")
    until((tmp_path / "begun").exists)
    daemon.process.terminate()
    until(lambda: "may end within" in daemon.log())
    (tmp_path / "go").touch()
    assert daemon.wait() == 0
    assert daemon.answers() == ["done"] and daemon.waiting() == []


def test_stop_ends_a_turn_that_does_not_and_keeps_the_message(start, tmp_path):
    daemon = start(*command(f"""cat >/dev/null; touch {tmp_path}/begun; trap '' TERM
while :; do sleep 1; done""", tmp_path, "--stop-grace-secs", "0"))
    daemon.ask("hello")
    until((tmp_path / "begun").exists)
    before = time.monotonic()
    daemon.stop()
    assert time.monotonic() - before < 60
    assert len(daemon.waiting()) == 1 and daemon.rows("SELECT tries FROM turns") == []
    assert not processes_with("MOLECULE_WORKSPACE_ID=" + daemon.workspace.id)
