"""Under load: many requests, many waits, cancellation (mcp-protocol.md 2 and 5). Timings are
reported (`-s` shows them); limits leave room for busy machines."""

import json
import os
import select
import statistics
import time

import pytest

from support.fake_platform import Reply
from support.mcp import DEADLINE
from e2e.protocol.test_eras import stateless
from e2e.protocol.test_framing import rss_kib

COUNT = 10_000


def report(what):
    print(f"\n  {what}")


@pytest.mark.parametrize("make", [dict, stateless], ids=["initialize", "stateless"])
def test_2_ten_thousand_requests_with_a_stalled_reader(spawn, sanitized, make):
    """Queued output is bounded; later every response arrives, complete and once."""
    ours, theirs = os.pipe()
    child = spawn(stdout=theirs)
    os.close(theirs)
    params = make({"name": "inbox_peek", "arguments": {}})
    requests = b"".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": "tools/call",
                                    "params": params}).encode() + b"\n" for i in range(COUNT))
    stdin = child.process.stdin.fileno()
    os.set_blocking(stdin, False)
    sent, rest, seen = 0, b"", set()
    while sent < len(requests) and select.select([], [stdin], [], 1.0)[1]:
        sent += os.write(stdin, requests[sent:sent + 65536])
    held = rss_kib(child.pid)
    while len(seen) < COUNT:
        writes = [stdin] if sent < len(requests) else []
        readable, writable, _ = select.select([ours], writes, [], DEADLINE)
        assert readable or writable, f"{len(seen)} of {COUNT} answers"
        if writable:
            sent += os.write(stdin, requests[sent:sent + 65536])
        if readable:
            *lines, rest = (rest + os.read(ours, 1 << 20)).split(b"\n")
            for answer in map(json.loads, lines):
                assert answer["result"]["content"][0]["text"] == "[]" and answer["id"] not in seen
                seen.add(answer["id"])
    os.set_blocking(stdin, True)
    os.close(ours)
    report(f"{held} KiB resident with {sent} bytes taken and none read")
    assert sanitized or held < 40_000


def test_5_pings_during_a_hundred_waits(spawn):
    child = spawn()
    child.initialize()
    waits = [child.start_tool("wait_for_message", {"timeout_secs": 300}) for _ in range(100)]
    child.ping()
    times = sorted(one_ping(child, 10_000 + i) for i in range(500))
    p50, p99 = times[249], times[494]
    report(f"ping beside 100 waits: p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    assert p99 < 0.5
    for wait in waits:
        child.notify("notifications/cancelled", {"requestId": wait})
    child.ping()
    assert not any(child.answers(wait) for wait in waits)


def one_ping(child, id):
    start = time.perf_counter()
    child.send_raw(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % id)
    child.wait_answer(id)
    return time.perf_counter() - start


def test_5_a_cancelled_call_is_released(spawn, fake):
    """Measures the time from the cancellation until the call's own connection closes; the call
    gets no response."""
    fake.always("peers", Reply(delay=300))
    child = spawn()
    child.initialize()
    seconds = []
    for turn in range(1, 8):
        call = child.start_tool("list_peers")
        fake.wait_for("peers", turn)
        start = time.perf_counter()
        child.notify("notifications/cancelled", {"requestId": call})
        fake.wait_hung_up(turn)
        seconds.append(time.perf_counter() - start)
        child.ping()
        assert child.answers(call) == []
    best, median = min(seconds), statistics.median(seconds)
    report(f"cancelled and released: best {best * 1e3:.1f} ms, median {median * 1e3:.1f} ms")
    assert best < 0.01


def test_1_a_killed_probe_does_not_disturb_the_real_process(spawn, fake):
    """A host starts one process only to probe, kills it, and continues with the other."""
    real = spawn(speed=20)
    real.initialize()
    for _ in range(3):
        probe = spawn(speed=20)
        probe.request("server/discover", stateless())
        probe.kill()
        id = fake.add_message("hello")
        assert real.call("wait_for_message", timeout_secs=60).json["activity_id"] == id
        assert real.call("inbox_pop", activity_id=id).json["removed"] is True
