"""Invocation, exit codes and the end of the process (molecule-mcp.md 1, mcp-protocol.md 2)."""

import os
import re
import select
import signal
import subprocess
import sys
import time
import uuid

import pytest

from support.fake_platform import HANG, Reply
from support.mcp import wait_pid_gone
from support.deadline import DEADLINE
from support.run import run


@pytest.fixture
def prompt(sanitized):
    """Checks that the process ends within 100 ms. A busy machine gets many tries, and what `cat` takes
    to end at the same time is how long a process waits for its turn."""
    limit = 1.0 if sanitized else 0.1

    def cat_ends():
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat:
            started = time.monotonic()
            cat.stdin.close()
            cat.wait(DEADLINE)
            return time.monotonic() - started

    def check(end_once):
        measured = []
        while len(measured) < 40:
            took = end_once()
            assert took < DEADLINE
            measured.append(took if took <= limit else took - cat_ends())
            if measured[-1] <= limit:
                break
        print("ended after", " ".join(f"{1000 * s:.1f} ms" for s in measured))
        assert min(measured) <= limit
    return check


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_1_help_and_version_need_no_configuration(mcp_binary, base_env, option):
    ended = run(mcp_binary, base_env, option)
    assert ended.returncode == 0 and ended.stderr == "" and ended.stdout.strip()
    if option == "--version":
        assert re.search(r"\d+\.\d+\.\d+", ended.stdout)
    else:
        for name in ("WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN", "serve"):
            assert name in ended.stdout


@pytest.mark.parametrize("args", [["frobnicate"], ["--frobnicate"], ["-x"], ["serve", "more"], [""],
                                  ["serve", "serve"], ["--", "serve", "x"]],
                         ids=lambda args: " ".join(args) or "empty")
def test_1_any_other_argument_prints_usage(mcp_binary, env, fake, args):
    ended = run(mcp_binary, env, *args)
    assert ended.returncode == 2 and ended.stdout == ""
    assert "sage" in ended.stderr and len(ended.stderr.splitlines()) <= 40
    assert fake.seen("*") == []


def test_1_serve_is_the_default(spawn):
    named, default = spawn(args=["serve"]), spawn({"CONFIGS_DIR": None})
    assert named.initialize() == default.initialize()


def test_1_ends_at_eof(spawn, prompt):
    def once():
        child = spawn()
        child.initialize()
        child.close_stdin()
        code, seconds = child.wait_exit()
        assert code == 0
        return seconds
    prompt(once)


def test_1_ends_at_eof_without_any_input(mcp_binary, env):
    assert run(mcp_binary, env).returncode == 0


def test_1_requests_before_eof_are_answered(spawn):
    child = spawn()
    child.start("initialize", {"protocolVersion": "2025-06-18", "capabilities": {},
                               "clientInfo": {"name": "x", "version": "1"}}, id="i")
    asked = [child.start("ping") for _ in range(50)] + [child.start("tools/list")]
    asked.append(child.start_tool("inbox_peek"))
    child.close_stdin()
    for id in ["i", *asked]:
        assert "result" in child.wait_answer(id)


def waiting(child, fake):
    child.start_tool("wait_for_message", {"timeout_secs": 300})
    child.ping()


def calling(child, fake):
    fake.always("peers", HANG)
    child.start_tool("list_peers")
    fake.wait_for("peers")


def delegating(child, fake):
    fake.always("a2a", HANG)
    child.start_tool("delegate_task", {"workspace_id": "11111111-2222-4333-8444-555555555555",
                                       "task": "t"})
    fake.wait_for("a2a")


def hanging(child, fake):
    fake.wait_for("register")


@pytest.mark.parametrize("busy", [None, waiting, calling, delegating, hanging],
                         ids=lambda b: b.__name__ if b else "idle")
@pytest.mark.parametrize("how", ["EOF", "SIGINT", "SIGTERM", "SIGHUP"])
def test_1_ends_within_100_ms_whatever_it_is_doing(spawn, fake, prompt, how, busy):
    def once():
        if busy is hanging:
            fake.always_everything(HANG)
        else:
            fake.always_everything(None)
        child = spawn()
        child.initialize()
        if busy:
            busy(child, fake)
        if how == "EOF":
            child.close_stdin()
        else:
            child.signal(getattr(signal, how))
        code, seconds = child.wait_exit()
        assert code == 0, child.stderr_text
        return seconds
    prompt(once)


def test_1_a_signal_before_any_input_ends_it(spawn, fake):
    child = spawn()
    fake.wait_for("register")
    child.signal(signal.SIGTERM)
    assert child.wait_exit()[0] == 0


def test_1_sigint_followed_by_sigterm_as_claude_code_sends_them(spawn):
    child = spawn()
    child.initialize()
    waiting(child, None)
    child.signal(signal.SIGINT)
    child.signal(signal.SIGTERM)
    assert child.wait_exit()[0] == 0


@pytest.mark.parametrize("message", [
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"inbox_peek"}}\n' * 20],
    ids=["ping", "20 calls"])
def test_1_ends_when_stdout_is_closed(spawn, prompt, message):
    def once():
        ours, theirs = os.pipe()
        child = spawn(stdout=theirs)
        os.close(theirs)
        child.send_raw(b'{"jsonrpc":"2.0","id":0,"method":"ping"}\n')
        assert select.select([ours], [], [], 20)[0] and os.read(ours, 1000)
        os.close(ours)
        child.send_raw(message)
        code, seconds = child.wait_exit()
        assert code == 0, child.stderr_text
        return seconds
    prompt(once)


def test_1_ends_when_the_parent_dies(mcp_binary, env, prompt):
    """The host is killed while another process still holds the other ends of the pipes."""
    host = ("import subprocess, sys\n"
            "child = subprocess.Popen(sys.argv[1:])\n"
            "print(child.pid, file=sys.stderr, flush=True)\n"
            "child.wait()\n")

    def once():
        parent = subprocess.Popen([sys.executable, "-c", host, str(mcp_binary)], env=env, bufsize=0,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            pidfd = os.pidfd_open(int(parent.stderr.readline()))
            parent.stdin.write(b'{"jsonrpc":"2.0","id":0,"method":"ping"}\n')
            assert b"result" in parent.stdout.readline()
            parent.kill()
            parent.wait()
            seconds = wait_pid_gone(pidfd)
            os.close(pidfd)
            return seconds
        finally:
            for pipe in (parent.stdin, parent.stdout, parent.stderr):
                pipe.close()
    prompt(once)


def test_1_a_short_probe_leaves_nothing_behind(spawn):
    """Some clients start a process only to probe; the real one gets tools/call as its first
    line."""
    probe = spawn()
    probe.initialize()
    probe.signal(signal.SIGTERM)
    assert probe.wait_exit()[0] == 0
    real = spawn()
    assert not real.call("inbox_peek").failed


@pytest.mark.parametrize("level, verbose, told", [
    ("debug", None, True), ("info", None, True), (None, "1", True), ("", "1", True),
    ("warning", None, False), ("error", "1", False), (None, None, False),
], ids=lambda value: str(value))
def test_5_the_log_level_decides_what_stderr_gets(spawn, level, verbose, told):
    child = spawn({"MOLECULE_LOG": level, "MOLECULE_MCP_VERBOSE": verbose}, speed=20)
    child.initialize()
    child.call("list_peers")
    child.close_stdin()
    child.expect_exit(0)
    child.finish()
    assert ("molecule: info: the host has gone" in child.stderr_text) == told, child.stderr_text


@pytest.mark.parametrize("level, told", [("debug", True), ("info", False)])
def test_5_debug_lines_can_be_seen(spawn, fake, level, told):
    """For instance of a report that the platform refuses, which no user needs to hear of."""
    fake.always("report", Reply(400, {"error": "no"}))
    child = spawn({"MOLECULE_LOG": level}, speed=20)
    child.initialize()
    child.call("delegate_task", workspace_id=str(uuid.uuid4()), task="try")
    fake.wait_for("report", 2)  # at its start and its end
    child.ping()
    child.close_stdin()
    child.expect_exit(0)
    child.finish()
    assert ("molecule: debug: an activity report was not taken" in child.stderr_text) == told


def test_5_an_unknown_log_level_names_the_allowed_ones(mcp_binary, base_env):
    ended = run(mcp_binary, base_env | {"MOLECULE_LOG": "loud"}, "--version")
    assert ended.returncode == 0
    assert "loud" in ended.stderr and "debug, info, warning or error" in ended.stderr
