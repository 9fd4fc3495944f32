"""MCP on stdio: lifecycle, framing, descriptors, back-pressure (mcp-protocol.md 1 and 2)."""

import fcntl
import json
import os
import select
import socket
import subprocess
import time

import pytest

from support.mcp import DEADLINE, McpProcess, check_message
from support.run import run

PING = b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n'
OLDER = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


def hello(id=0, version="2025-06-18"):
    return {"jsonrpc": "2.0", "id": id, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}


@pytest.mark.parametrize("asked", OLDER)
def test_1_a_known_revision_is_accepted(spawn, asked):
    assert spawn().initialize(asked)["protocolVersion"] == asked


@pytest.mark.parametrize("asked", ["2026-07-28", "2023-01-01", "1.0", "", "x" * 10_000, "2025-06-18 "])
def test_1_an_unknown_revision_gets_our_newest(spawn, asked):
    assert spawn().initialize(asked)["protocolVersion"] == "2025-11-25"


def test_1_the_initialize_result(spawn):
    result = spawn().initialize()
    assert set(result) == {"protocolVersion", "capabilities", "serverInfo", "instructions"}
    assert "tools" in result["capabilities"]


@pytest.mark.parametrize("params", [None, {}, {"protocolVersion": 7}, {"protocolVersion": None},
                                    {"capabilities": {}}, []])
def test_1_an_incomplete_initialize_is_answered(spawn, params):
    child = spawn()
    answer = child.wait_answer(child.start("initialize", params, id="poor"))
    if "error" in answer:
        assert answer["error"]["code"] in (-32600, -32602)
    child.ping()


def test_1_ping_and_list_need_no_initialize(spawn):
    child = spawn()
    child.ping()
    assert child.request("tools/list")["result"]["tools"]


def test_1_server_discover_falls_back_for_channel_hosts(spawn):
    """A channel host that probes for the newest revision must be able to fall back."""
    child = spawn()
    answer = child.request("server/discover", {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "claude-code", "version": "2.1.330"}}})
    assert answer["error"]["code"] == -32601
    assert child.initialize("2025-11-25", "claude-code")["protocolVersion"] == "2025-11-25"


def test_1_a_second_initialize_is_harmless(spawn):
    child = spawn()
    child.initialize("2025-06-18")
    child.start("initialize", hello()["params"])
    child.ping()


@pytest.mark.parametrize("prefix, ending", [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n"), (b"\n\r\n  \n\t\n", b"\n"),
                                            (b"", b"  \r\n\n"), (b" \t", b" \n")],
                         ids=["BOM", "CRLF", "blank lines", "trailing blanks", "indented"])
def test_2_input_is_read_leniently_and_output_written_strictly(spawn, prefix, ending):
    child = spawn()
    child.send_raw(prefix + json.dumps(hello()).encode() + ending)
    for i in range(1, 4):
        child.send_raw((PING % i).strip() + ending)
    for i in range(4):
        assert "result" in child.wait_answer(i)
    assert all(line == line.strip() for line in child.lines)


def test_2_a_byte_at_a_time(spawn):
    child = spawn()
    message = json.dumps({**hello(), "params": {**hello()["params"], "clientInfo": {
        "name": "ünï→👋", "version": "1"}}}, ensure_ascii=False).encode() + b"\n" + PING % 1
    for i in range(len(message)):
        child.send_raw(message[i:i + 1])
    assert "result" in child.wait_answer(0) and "result" in child.wait_answer(1)


def test_2_any_split_of_the_input(spawn):
    """Lines, blanks and four-byte characters are split at every position."""
    line = json.dumps({"jsonrpc": "2.0", "id": "👋é", "method": "ping"}, ensure_ascii=False).encode() + b"\n"
    child = spawn()
    for cut in range(1, len(line)):
        id = f"👋{cut}"
        own = line.replace("👋é".encode(), id.encode())
        child.send_raw(own[:cut])
        child.ping_id = id
        child.send_raw(own[cut:])
        assert child.wait_answer(id)["result"] == {}


def test_2_many_messages_in_one_write(spawn):
    child = spawn()
    child.send_raw(b"".join(PING % i for i in range(5000)))
    child.wait_until(lambda: len(child.lines) >= 5000, "5000 answers")
    assert [m["id"] for m in child.messages] == list(range(5000))


def test_2_a_character_split_across_two_64_kib_reads(spawn):
    child = spawn()
    for pad in range(4):
        text = "x" * pad + "👋" * 40_000
        id = child.start_tool("inbox_pop", {"activity_id": text})
        assert child.tool_result(id).json["activity_id"] == text


IDS = ['"a"', '""', '"\\u00e9\\n\\"x\\\\"', "0", "-1", "1", "9007199254740993", "-9223372036854775808",
       "18446744073709551615", '"' + "x" * 5000 + '"', '"null"', '"👋"', '"\\ud83d\\udc4b"']


@pytest.mark.parametrize("id", IDS, ids=lambda i: i[:20])
def test_2_ids_are_echoed_exactly(spawn, id):
    child = spawn()
    child.send_raw(b'{"jsonrpc":"2.0","id":' + id.encode() + b',"method":"ping"}\n')
    child.wait_line(1)
    assert b'"id":' + id.encode() in child.lines[0] or child.messages[0]["id"] == json.loads(id)
    assert child.messages[0]["id"] == json.loads(id) and type(child.messages[0]["id"]) is type(json.loads(id))


def both_ways(child):
    """All messages from a server whose stdin is a file, until it exits."""
    return [json.loads(line) for line in child.stdout.splitlines()]


def test_2_stdin_may_be_a_regular_file(mcp_binary, env, tmp_path):
    (tmp_path / "in").write_bytes(json.dumps(hello()).encode() + b"\n" + b"".join(
        PING % i for i in range(1, 2001)) + b'{"jsonrpc":"2.0","id":"t","method":"tools/list"}')
    with open(tmp_path / "in") as stdin:
        ended = run(mcp_binary, env, stdin=stdin)
    assert ended.returncode == 0 and ended.stderr == ""
    messages = both_ways(ended)
    assert [m["id"] for m in messages if m["id"] != "t"] == list(range(2001))
    assert "t" in [m["id"] for m in messages]


def test_2_stdout_may_be_a_regular_file(mcp_binary, env, tmp_path):
    with open(tmp_path / "in", "wb+") as stdin, open(tmp_path / "out", "wb+") as stdout:
        stdin.write(b"".join(PING % i for i in range(2000)))
        stdin.seek(0)
        ended = subprocess.run([mcp_binary], env=env, stdin=stdin, stdout=stdout, timeout=DEADLINE,
                               stderr=subprocess.PIPE)
        stdout.seek(0)
        ids = [json.loads(line)["id"] for line in stdout]
    assert ended.returncode == 0 and ids == list(range(2000)), ended.stderr


@pytest.mark.parametrize("stdin", ["/dev/null", "empty"])
def test_2_stdin_may_be_empty(mcp_binary, env, tmp_path, stdin):
    (tmp_path / "empty").touch()
    with open(tmp_path / stdin if stdin == "empty" else stdin) as file:
        ended = run(mcp_binary, env, stdin=file)
    assert ended.returncode == 0 and ended.stdout == ""


def test_2_stdin_and_stdout_may_be_one_socket(spawn):
    ours, theirs = socket.socketpair()
    spawn(stdin=theirs, stdout=theirs)
    theirs.close()
    ours.settimeout(DEADLINE)
    ours.sendall(b"".join(PING % i for i in range(100)))
    received = b""
    while received.count(b"\n") < 100:
        received += ours.recv(65536)
    assert [json.loads(line)["id"] for line in received.splitlines()] == list(range(100))
    ours.close()


def test_2_stdin_may_be_a_terminal(spawn):
    import pty
    import tty
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    child = spawn(stdin=theirs)
    os.close(theirs)
    os.write(ours, PING % 1)
    assert child.wait_answer(1)["result"] == {}
    os.close(ours)
    assert child.wait_exit()[0] == 0


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 1, 2), (0, 2), (1,)], ids=str)
def test_2_closed_descriptors_are_harmless(mcp_binary, env, fake, closed):
    """None of the program's own files may take their numbers."""
    def close():
        for fd in closed:
            os.close(fd)

    child = subprocess.Popen([mcp_binary], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, preexec_fn=close)
    out, err = child.communicate(PING % 1 + PING % 2, timeout=DEADLINE)
    assert child.returncode == 0, err
    if 0 not in closed and 1 not in closed:
        assert [json.loads(line)["id"] for line in out.splitlines()] == [1, 2]
    else:
        assert out == b""


def test_2_the_flags_of_shared_descriptors_are_restored(mcp_binary, env):
    """A shell or host that shares a pipe with us must not find it non-blocking afterwards."""
    in_r, in_w = os.pipe()
    out_r, out_w = os.pipe()
    child = subprocess.Popen([mcp_binary], env=env, stdin=in_r, stdout=out_w, stderr=subprocess.PIPE)
    os.write(in_w, PING % 1)
    assert select.select([out_r], [], [], DEADLINE)[0]
    os.close(in_w)
    assert child.wait(DEADLINE) == 0
    for fd in (in_r, out_w):
        assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
    for fd in (in_r, out_r, out_w):
        os.close(fd)
    child.stderr.close()


def test_2_a_full_stderr_never_blocks(spawn, fake):
    """A host may never read it."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, 1031, 4096)  # F_SETPIPE_SZ
    fcntl.fcntl(theirs, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while True:
            os.write(theirs, b"x" * 4096)
    except BlockingIOError:
        pass
    fcntl.fcntl(theirs, fcntl.F_SETFL, 0)
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=100, stderr=theirs)
    os.close(theirs)
    child.initialize()
    fake.wait_for("heartbeat", 6)
    assert child.ping() < 2
    id = fake.add_message("still alive")
    assert child.wait_messages(1)[0]["activity_id"] == id
    os.close(ours)


def test_2_a_closed_stderr_reader_is_harmless(spawn, fake):
    ours, theirs = os.pipe()
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=100, stderr=theirs)
    os.close(theirs)
    os.close(ours)
    child.initialize()
    fake.wait_for("heartbeat", 4)
    child.ping()


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def test_2_a_stalled_reader_costs_bounded_memory_and_loses_nothing(spawn, sanitized):
    """Requests 100 MB of responses, then reads them."""
    ours, theirs = os.pipe()
    child = spawn(stdout=theirs)
    os.close(theirs)
    line = b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n'
    count = 3000 if sanitized else 12_000
    wanted = b"".join(line % i for i in range(count))
    stdin = child.process.stdin.fileno()
    os.set_blocking(stdin, False)
    sent, received, answers, highest = 0, b"", 0, 0
    stalled = time.monotonic() + 1.0
    while time.monotonic() < stalled and sent < len(wanted):  # write without reading until it accepts no more
        if select.select([], [stdin], [], 0.05)[1]:
            sent += os.write(stdin, wanted[sent:sent + 65536])
            stalled = time.monotonic() + 1.0
    assert sent < len(wanted), "it keeps reading although its output is not read"
    highest = rss_kib(child.pid)
    while answers < count:
        readable, writable, _ = select.select([ours], [stdin] if sent < len(wanted) else [], [], DEADLINE)
        assert readable or writable, f"{answers} of {count} answers"
        if writable:
            sent += os.write(stdin, wanted[sent:sent + 65536])
        if readable:
            *lines, received = (received + os.read(ours, 1 << 20)).split(b"\n")
            for one in lines:
                assert json.loads(one)["id"] == answers
                answers += 1
        if answers % 500 == 0:
            highest = max(highest, rss_kib(child.pid))
    if not sanitized:
        assert highest < 60_000, f"{highest} KiB"
    os.set_blocking(stdin, True)
    child.close_stdin()
    assert child.wait_exit()[0] == 0
    os.close(ours)


def test_2_it_ends_even_if_its_output_is_not_read(spawn, sanitized):
    ours, theirs = os.pipe()
    child = spawn(stdout=theirs)
    os.close(theirs)
    stdin = child.process.stdin.fileno()
    os.set_blocking(stdin, False)
    while select.select([], [stdin], [], 0.5)[1]:
        os.write(stdin, PING % 1 * 1000)
    child.signal(15)
    code, seconds = child.wait_exit()
    assert code == 0 and seconds < 2
    os.close(ours)


def test_2_stdout_carries_only_the_protocol(spawn, fake):
    """`finish` checks every line; here, everything that can be logged goes wrong."""
    fake.always_everything(fake_fault())
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=100)
    child.initialize()
    child.call("list_peers")
    fake.wait_for("heartbeat", 5)
    for message in child.messages:
        check_message(message)
    assert child.stderr_text


def fake_fault():
    from support.fake_platform import Reply
    return Reply(500, {"error": "database is on fire\n{\"jsonrpc\":\"2.0\"}"})


def test_2_closed_stdin_costs_no_cpu(spawn, fake):
    """A pending call does not keep the process alive or make it spin."""
    child = spawn()
    child.initialize()
    child.start_tool("wait_for_message", {"timeout_secs": 300})
    child.close_stdin()
    assert child.wait_exit()[1] < 2


def test_2_idle_costs_no_cpu(spawn, fake):
    """Only timers wake it: 60 s of its time, with polls and heartbeats."""
    child = spawn(speed=20)
    child.initialize()
    fake.wait_for("heartbeat")
    cpu = lambda: sum(map(int, open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
    before = cpu()
    fake.next("heartbeat", 3)
    assert cpu() - before <= 30  # in units of 10 ms; a spinning loop takes 300


def test_2_an_ended_call_is_answered_once_and_waits_continue(mcp, fake):
    waits = [mcp.start_tool("wait_for_message", {"timeout_secs": 300}) for _ in range(100)]
    assert mcp.ping() < 2
    ids = [fake.add_message("for one of them") for _ in waits]
    assert {mcp.tool_result(wait).json["activity_id"] for wait in waits} == set(ids)
