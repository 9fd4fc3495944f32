#!/usr/bin/env python3
"""Measures many workspaces in one process, and the handover between two processes of one.

    test/bench/many_workspaces.py BUILD [--workspaces N] [--settle N] [--seconds N] [--rounds N] [--json FILE]

One molecule-mcp serves all workspaces on the build's real molecule-platform; heartbeat times are
read from the platform's database. Then two sessions serve one workspace. Measured are the time
from the end of the first until the platform hears from the second as the owner, and the time
until a waiter in the second gets a message that the first has stored.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / "e2e"), str(pathlib.Path(__file__).parent)]
from bench import machine, memory_of, print_table  # noqa: E402
from support.mcp import McpProcess  # noqa: E402
from support.platform import Platform, child_env, until  # noqa: E402

BEAT_SECONDS = 20.0
ENDINGS = {"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL, "SIGSTOP": signal.SIGSTOP}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written_bytes(pid):
    """Bytes that the process caused to be written to disk, as far as accounted for."""
    text = pathlib.Path(f"/proc/{pid}/io").read_text()
    return int(re.search(r"^write_bytes: (\d+)", text, re.M)[1])


def read_only(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


class Many:
    """All workspaces in one process."""

    def __init__(self, build, scratch, count, settle, seconds):
        self.build, self.scratch, self.count, self.seconds = build, scratch, count, seconds
        self.settle = settle

    def run(self):
        with Platform(self.build) as platform:
            listed = [{"id": w.id, "token": w.token} for w in
                      (platform.create_workspace(f"agent {i}") for i in range(self.count))]
            env = child_env(self.scratch, {
                "MOLECULE_WORKSPACES": json.dumps(listed, separators=(",", ":")),
                "PLATFORM_URL": platform.url, "CONFIGS_DIR": str(self.scratch / "many")})
            start = time.monotonic()
            child = McpProcess(self.build / "molecule-mcp", env)
            child.initialize()
            answered = time.monotonic() - start
            self.database = read_only(platform.data_dir / "platform.db")
            until(lambda: len(self.heartbeats()) == self.count, 120, "a first heartbeat of every workspace")
            online = time.monotonic() - start
            time.sleep(self.settle)  # the files are made, and are not what a minute costs
            found = self.watch(child.pid)
            found |= {"initialize_ms": answered * 1000, "all_online_s": online,
                      "ping_ms": max(child.ping() for _ in range(20)) * 1000,
                      "stderr_lines": len(child.stderr_text.splitlines())}
            child.finish()
            self.database.close()
        return found

    def heartbeats(self):
        return dict(self.database.execute("SELECT id, last_heartbeat_at FROM workspaces"
                                          " WHERE last_heartbeat_at IS NOT NULL"))

    def watch(self, pid):
        begin, cpu, written = time.monotonic(), cpu_seconds(pid), written_bytes(pid)
        last, intervals = self.heartbeats(), []
        while time.monotonic() - begin < self.seconds:
            time.sleep(1.0)  # heartbeats are 20 s apart, so none is missed
            for id, at in self.heartbeats().items():
                if at != last[id]:
                    intervals.append((at - last[id]) / 1e6)
                    last[id] = at
        took = time.monotonic() - begin
        late = [interval - BEAT_SECONDS for interval in intervals]
        return {"workspaces": self.count, "seconds": took, **memory_of(pid),
                "cpu_seconds_per_minute": (cpu_seconds(pid) - cpu) * 60 / took,
                "written_kb_per_minute": (written_bytes(pid) - written) / 1024 * 60 / took,
                "heartbeats": len(late), "latest_s": max(late),
                "late_p99_s": statistics.quantiles(late, n=100)[98],
                "over_2_s": sum(one > 2 for one in late),
                # A workspace whose heartbeats stopped yields no interval that could be late.
                "silent": sum(time.time() - at / 1e6 > BEAT_SECONDS + 2 for at in last.values())}


class Handover:
    """Two sessions of one workspace."""

    def __init__(self, build, scratch, rounds):
        self.build, self.scratch, self.rounds = build, scratch, rounds

    def run(self):
        with Platform(self.build) as self.platform:
            wake = self.wake_ups()
            takeover = {name: [self.takeover(ending) for _ in range(self.rounds)]
                        for name, ending in ENDINGS.items()}
        return {"wake_up_ms": wake, "takeover_s": takeover}

    def sessions(self):
        """Starts two sessions on a new workspace; the first becomes the owner."""
        self.agent = self.platform.create_workspace("agent")
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        env = child_env(self.folder, {
            "WORKSPACE_ID": self.agent.id, "MOLECULE_WORKSPACE_TOKEN": self.agent.token,
            "PLATFORM_URL": self.platform.url, "CONFIGS_DIR": str(self.folder)})
        first = McpProcess(self.build / "molecule-mcp", env)
        first.initialize()
        until(self.last_heartbeat, what="the owner's first heartbeat")
        second = McpProcess(self.build / "molecule-mcp", env)
        second.initialize()
        second.call("inbox_peek")  # by now it has opened the inbox
        return first, second

    def last_heartbeat(self):
        database = read_only(self.platform.data_dir / "platform.db")
        row = database.execute("SELECT last_heartbeat_at FROM workspaces WHERE id = ?",
                               (self.agent.id,)).fetchone()
        database.close()
        return row[0] or 0

    def takeover(self, ending):
        first, second = self.sessions()
        before = self.last_heartbeat()
        start = time.monotonic()
        first.signal(ending)
        until(lambda: self.last_heartbeat() > before, 60, "the second session's register")
        took = time.monotonic() - start
        if ending == signal.SIGSTOP:
            first.signal(signal.SIGCONT)
        if ending == signal.SIGKILL:
            first.kill()
        first.finish()
        second.finish()
        return took

    def wake_ups(self):
        first, second = self.sessions()
        inbox = read_only(self.folder / "inbox.db")
        found = []
        for i in range(self.rounds * 4):
            waiting = second.start_tool("wait_for_message", {"timeout_secs": 60})
            second.ping()  # by now it is waiting
            self.platform.send(self.agent, f"message {i}")
            until(lambda: inbox.execute("SELECT count(*) FROM messages").fetchone()[0], 30,
                  "the owner's poll")
            stored = time.monotonic()
            message = second.tool_result(waiting).json
            found.append((time.monotonic() - stored) * 1000)
            second.call("inbox_pop", activity_id=message["activity_id"])
        inbox.close()
        second.finish()
        first.finish()
        return found


def rows(found):
    many = found["many"]
    yield "workspaces in one process", str(many["workspaces"]), ""
    yield "resident memory", f"{many['resident_kb'] / 1024:.1f} MB", ""
    yield ("memory for a workspace",
           f"{many['resident_kb'] / many['workspaces']:.1f} KB", "")
    yield "CPU", f"{many['cpu_seconds_per_minute']:.1f} s a minute", ""
    yield "written to disk", f"{many['written_kb_per_minute']:,.0f} KB a minute", ""
    yield "answered initialize", f"{many['initialize_ms']:.0f} ms", ""
    yield "all online", f"{many['all_online_s']:.1f} s after the start", ""
    yield "slowest of 20 pings", f"{many['ping_ms']:.1f} ms", ""
    yield ("heartbeats, latest and p99 after 20 s",
           f"{many['heartbeats']}: {many['latest_s']:+.2f} s, {many['late_p99_s']:+.2f} s", "2 s")
    yield "heartbeats later than 2 s, silent workspaces", f"{many['over_2_s']}, {many['silent']}", "0, 0"
    if "handover" not in found:
        return
    for name, times in found["handover"]["takeover_s"].items():
        yield (f"takeover after {name}, median and longest of {len(times)}",
               f"{statistics.median(times):.2f} s, {max(times):.2f} s",
               "5 s")
    wake = found["handover"]["wake_up_ms"]
    yield (f"wake-up of the other session, median and longest of {len(wake)}",
           f"{statistics.median(wake):.1f} ms, {max(wake):.1f} ms", "100 ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--workspaces", type=int, default=1000)
    parser.add_argument("--settle", type=int, default=40,
                        help="seconds after the start that are not watched")
    parser.add_argument("--seconds", type=int, default=120, help="how long to watch the heartbeats")
    parser.add_argument("--rounds", type=int, default=5, help="takeovers of each kind; 0 for none")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all numbers")
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="molecule-many-"))
    found = {"machine": machine(), "date": time.strftime("%Y-%m-%d")}
    try:
        found["many"] = Many(options.build, scratch, options.workspaces,
                             options.settle, options.seconds).run()
        if options.rounds:
            found["handover"] = Handover(options.build, scratch, options.rounds).run()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{found['machine']}, {found['date']}")
    print_table([("what", "measured", "aim"), *rows(found)])
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
