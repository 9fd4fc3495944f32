#!/usr/bin/env python3
"""Measures the time, memory and wake-ups of the programs of a build.

    test/bench/bench.py BUILD [BUILD…] [--quick] [--start] [--callgrind] [--json FILE]

Everything runs against the real molecule-platform of the first build, in temporary folders. With
several builds (for example one with -Dlibcurl=linked) their startup and memory are compared. With
--start only the startup is measured.
Machine-dependent figures are also given as a ratio to a reference measured alternately in the
same run.
"""

import argparse
import json
import os
import pathlib
import platform as host
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / "e2e")]
from support.platform import Platform, child_env  # noqa: E402
from tls_front import TlsFront  # noqa: E402

INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {},
              "clientInfo": {"name": "bench", "version": "1"}}
AIMS = {"start": "3 ms (libcurl loaded late), 9 ms (linked); portable 2 × C", "ping": "p50 25 µs",
        "pipeline": "200,000/s", "list_peers": "0.5 ms", "https": "15 MB, 3 MB private"}


class Agent:
    """A server with a host that has initialized and is silent since."""

    def __init__(self, command, env):
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.last_id = 0
        self.ask("initialize", INITIALIZE)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(5)
        self.process.stdout.close()

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.last_id += 1
        self.send({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self.last_id:
                return answer["result"]

    def call(self, tool, arguments=None):
        result = self.ask("tools/call", {"name": tool, "arguments": arguments or {}})
        assert not result.get("isError"), result
        return result["content"][0]["text"]


def memory_of(pid):
    """Kilobytes: resident, the proportional share (PSS), and private dirty. (Whether a clean
    page of a library counts as private depends on what else is running.)"""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    field = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    return {"resident_kb": field["Rss"], "proportional_kb": field["Pss"],
            "private_kb": field["Private_Dirty"]}


def wakeups_of(pid, seconds):
    """How often the process's threads blocked voluntarily."""
    def switches():
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M)[1])
                   for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"))

    before = switches()
    time.sleep(seconds)
    return switches() - before


def in_turns(commands):
    """Runs `mcp_load start` for several commands in alternation."""
    return [word for command in commands for word in ("--", *command)][1:]


class Bench:
    def __init__(self, builds, quick, only_start, callgrind):
        self.builds, self.quick, self.callgrind = builds, quick, callgrind
        self.only_start = only_start
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="molecule-bench-"))
        self.loader = builds[0] / "test" / "bench" / "mcp_load"
        self.found = {}

    def run(self):
        try:
            with Platform(self.builds[0]) as self.platform:
                agents = [self.platform.create_workspace(name) for name in ("bench", "other")]
                for agent in agents:
                    self.platform.register(agent)
                    self.platform.heartbeat(agent)
                self.agent = agents[0]
                self.measure()
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return self.found

    def env(self, **more):
        folder = tempfile.mkdtemp(dir=self.scratch)
        return child_env(pathlib.Path(folder), {
            "WORKSPACE_ID": self.agent.id, "PLATFORM_URL": self.platform.url, "CONFIGS_DIR": folder,
            "MOLECULE_WORKSPACE_TOKEN": self.agent.token, **more})

    def load(self, *words, command, env=None):
        done = subprocess.run([self.loader, *map(str, words), *command], env=env or self.env(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"mcp_load {words[0]}: {done.stderr}")
        return json.loads(done.stdout)

    def measure(self):
        os.sync()  # otherwise the pages of a freshly linked program count as dirty
        few = 10 if self.quick else 1
        programs = [str(build / "molecule-mcp") for build in self.builds]
        main = [programs[0]]
        say("start")
        compared = [*programs, *self.least(), shutil.which("true")]
        self.found["start"] = self.load("start", 200 // few,
                                        command=in_turns([program] for program in compared))
        if self.only_start:
            return
        say("ping")
        self.found["ping"] = self.load("ping", 50000 // few, command=main)
        say("pipeline")
        self.found["pipeline"] = self.load("pipeline", 1000000 // few, command=main)
        say("tool calls")
        self.found["inbox_peek"] = self.load("call", 10000 // few, "inbox_peek", command=main)
        self.found["compare"] = self.load("compare", 5000 // few, self.platform.port, command=main)
        for program in programs:
            say(f"memory of {program}")
            self.found.setdefault("memory", {})[program] = self.memory(program)
        self.found["platform_memory"] = memory_of(self.platform.process.pid)
        say("wake-ups")
        seconds = 3 if self.quick else 12
        with Agent(main, self.env()) as agent:
            agent.call("list_peers")
            time.sleep(1)
            self.found["wakeups"] = {"seconds": seconds,
                                     "count": wakeups_of(agent.process.pid, seconds)}
        with Agent(main, self.env(MOLECULE_MCP_DISABLE_INBOX="1",
                                     MOLECULE_MCP_DISABLE_HEARTBEAT="1")) as agent:
            agent.call("list_peers")
            time.sleep(1)
            self.found["wakeups"]["without_timers"] = wakeups_of(agent.process.pid, seconds)
        if self.callgrind:
            self.found["instructions"] = {program: self.instructions(program)
                                          for program in programs}

    def least(self):
        """A program that only answers, compiled; none without a C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return []
        program = self.scratch / "least"
        subprocess.run([compiler, "-O2", "-o", program, pathlib.Path(__file__).parent / "least.c"],
                       check=True)
        return [str(program)]

    def memory(self, program):
        found = {}
        front = TlsFront(self.scratch, self.platform.port)
        for name, env in (("http", self.env()),
                          ("https", self.env(PLATFORM_URL=front.url, SSL_CERT_DIR=front.folder))):
            with Agent([program], env) as agent:
                agent.call("list_peers")
                agent.call("inbox_peek")
                time.sleep(2)  # register, the first heartbeat and the first poll are done
                found[name] = memory_of(agent.process.pid)
        front.close()
        return found

    def instructions(self, program):
        """Instructions per request: two runs with different counts, so that start and end cancel
        out. Pings come from a file: how many a program reads at once then depends on nothing else."""
        env = self.env(MOLECULE_MCP_DISABLE_HEARTBEAT="1")
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.scratch}/callgrind.%p",
                f"--log-file={self.scratch}/valgrind.%p", program]

        def counted(run):
            for old in self.scratch.glob("callgrind.*"):
                old.unlink()
            run()
            return sum(int(re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.M)[1])
                       for out in self.scratch.glob("callgrind.*"))

        def pings(count):
            lines = [{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE},
                     {"jsonrpc": "2.0", "method": "notifications/initialized"}]
            lines += [{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in range(1, count + 1)]
            source = self.scratch / "pings"
            source.write_text("".join(json.dumps(line) + "\n" for line in lines))
            with source.open() as lines:
                subprocess.run(tool, env={**env, "MOLECULE_MCP_DISABLE_INBOX": "1"}, stdin=lines,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

        def calls(tool_name):
            return lambda count: self.load("call", count, tool_name, command=tool, env=env)

        found = {}
        for name, run in (("ping", pings), ("inbox_peek", calls("inbox_peek")),
                          ("list_peers", calls("list_peers"))):
            say(f"instructions of {name}, {program}")
            few, many = (counted(lambda count=count: run(count)) for count in (200, 1200))
            found[name] = (many - few) / 1000
        return found


def say(what):
    print(f"… {what}", file=sys.stderr)


def machine():
    try:
        cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        cpu = host.processor()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    return f"{cpu}, {os.cpu_count()} cores, {host.system()} {host.release()}, load {load:.1f}"


def label(program):
    build = pathlib.Path(program).parent
    try:
        options = json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())
        chosen = {option["name"]: option["value"] for option in options}
        return f"{os.path.relpath(build)} (libcurl {chosen['libcurl']}, {chosen['buildtype']})"
    except (OSError, KeyError):
        return build.name


def rows(found):
    """The rows of the table: what, the measured value, the ratio, the target."""
    true = next(name for name in found["start"] if name.endswith("/true"))
    base = found["start"][true]["p50"]
    yield "start of /bin/true", f"{base / 1000:.2f} ms", "", ""
    least = next((start["p50"] for name, start in found["start"].items()
                  if name.endswith("/least")), None)
    if least is not None:
        yield ("start to answered initialize, a C program of ten lines", f"{least / 1000:.2f} ms",
               f"{least / base:.1f} × true", "")
    for program, start in found["start"].items():
        if program == true or program.endswith("/least"):
            continue
        ratio = f"{start['p50'] / base:.1f} × true"
        if least is not None:
            ratio += f", {start['p50'] / least:.1f} × C"
        yield (f"start to answered initialize, {label(program)}", f"{start['p50'] / 1000:.2f} ms",
               ratio, AIMS["start"])
    if "ping" not in found:
        return
    ping = found["ping"]
    yield "ping, p50 and p99", f"{ping['p50']:.1f} and {ping['p99']:.1f} µs", "", AIMS["ping"]
    yield "pipelined pings", f"{found['pipeline']['per_second']:,.0f}/s", "", AIMS["pipeline"]
    peek = found["inbox_peek"]
    yield ("inbox_peek, p50 and p99", f"{peek['p50']:.0f} and {peek['p99']:.0f} µs",
           f"{peek['p50'] / ping['p50']:.1f} × ping", "")
    peers, bare = found["compare"]["list_peers"], found["compare"]["bare"]
    yield "bare kept-alive GET of the peers", f"{bare['p50']:.0f} µs", "", ""
    yield ("list_peers, p50 and p99", f"{peers['p50']:.0f} and {peers['p99']:.0f} µs",
           f"{peers['p50'] / bare['p50']:.1f} × bare GET", AIMS["list_peers"])

    def amounts(memory):
        return (f"{memory['resident_kb'] / 1024:.1f} MB, "
                f"{memory['private_kb'] / 1024:.1f} MB private")

    for program, memory in found["memory"].items():
        for name in ("http", "https"):
            yield (f"idle after {name.upper()}, {label(program)}", amounts(memory[name]), "",
                   AIMS.get(name, ""))
    yield "molecule-platform after all this", amounts(found["platform_memory"]), "", ""
    wakeups = found["wakeups"]
    yield (f"wake-ups in {wakeups['seconds']} s, with all timers", str(wakeups["count"]), "", "")
    yield (f"wake-ups in {wakeups['seconds']} s, without heartbeat and inbox",
           str(wakeups["without_timers"]), "", "0")
    counts = found.get("instructions", {})
    for name, first in next(iter(counts.values()), {}).items():
        for program, count in counts.items():
            where = "" if len(counts) == 1 else f", {pathlib.Path(program).parent}"
            ratio = "" if len(counts) == 1 else f"{count[name] / first:.3f} × first"
            yield f"instructions of one {name}{where}", f"{count[name]:,.0f}", ratio, ""


def print_table(table):
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("builds", nargs="+", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--quick", action="store_true", help="run a tenth of the rounds")
    parser.add_argument("--start", action="store_true", help="measure only the start")
    parser.add_argument("--callgrind", action="store_true", help="count instructions (valgrind)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all numbers")
    options = parser.parse_args()
    described = machine()
    found = Bench(options.builds, options.quick, options.start, options.callgrind).run()
    found["machine"] = described
    print(found["machine"])
    print_table([("what", "measured", "ratio", "aim"), *rows(found)])
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
