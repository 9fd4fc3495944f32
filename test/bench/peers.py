#!/usr/bin/env python3
"""Compares molecule-mcp with servers of other SDKs: startup, memory, latency, throughput.

    test/bench/peers.py BUILD [--quick] [--document] [--json FILE]

The same client (the build's mcp_load) sends every server the same requests. The servers take
turns for several rounds, and medians are compared. The tool called is `inbox_peek`: ours reads
its SQLite file, the others return a constant. Prerequisites are installed into
~/.cache/molecule-bench; a server that cannot be built here is left out, with the reason.
--document writes the table into docs/benchmarks.md, and the plot beside this script.
"""

import argparse
import datetime
import json
import pathlib
import platform as host
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench import Agent, Platform, child_env, in_turns, machine, memory_of, say
from peer_servers import Server, prepare_all
from peers_plot import plot

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLOT = pathlib.Path("test/bench/peers.svg")
DOCUMENT = pathlib.Path("docs/benchmarks.md")
MARKS = ("<!-- written by test/bench/peers.py -->", "<!-- /peers -->")

# key, heading, formatter, whether less is better
FIGURES = (
    ("start", "start to answered `initialize`",
     lambda us: f"{us / 1000:.1f} ms" if us < 100_000 else f"{us / 1000:.0f} ms", True),
    ("memory", "memory", lambda kb: f"{kb / 1024:.0f} MB", True),
    ("ping", "ping p50", lambda us: f"{us:.0f} µs", True),
    ("ping_p99", "ping p99", lambda us: f"{us:.0f} µs", True),
    ("call", "tool call p50", lambda us: f"{us:.0f} µs", True),
    ("pings", "pings a second", lambda rate: f"{rate:,.0f}", False),
    ("calls", "tool calls a second", lambda rate: f"{rate:,.0f}", False),
)


class Comparison:
    def __init__(self, build, servers, quick):
        self.loader = build / "test" / "bench" / "mcp_load"
        self.servers, self.quick = servers, quick
        self.samples = {server.name: {} for server in servers}

    def run(self, env_of):
        self.env_of = env_of
        for number in range(2 if self.quick else 5):
            order = self.servers[:]
            random.shuffle(order)
            self.starts(order)
            for server in order:
                say(f"round {number + 1}: {server.name}")
                self.measure(server)
        return {name: {key: statistics.median(values) for key, values in figures.items()}
                for name, figures in self.samples.items()}

    def add(self, server, key, value):
        self.samples[server.name].setdefault(key, []).append(value)

    def load(self, *words, command):
        with self.env_of() as env:
            done = subprocess.run([self.loader, *map(str, words), *command], env=env,
                                  capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"mcp_load {words[0]} {command[0]}: {done.stderr}")
        return json.loads(done.stdout)

    def starts(self, order):
        found = self.load("start", 3 if self.quick else 5,
                          command=in_turns(server.command for server in order))
        for server in order:
            self.add(server, "start", found[" ".join(server.command)]["p50"])

    def measure(self, server):
        single, many = (500, 2000) if self.quick else (2000, 10000)
        ping = self.load("ping", single, command=server.command)
        self.add(server, "ping", ping["p50"])
        self.add(server, "ping_p99", ping["p99"])
        self.add(server, "call",
                 self.load("call", single, server.tool, command=server.command)["p50"])
        self.add(server, "pings",
                 self.load("pipeline", many, command=server.command)["per_second"])
        self.add(server, "calls",
                 self.load("calls", many, server.tool, command=server.command)["per_second"])
        name, _, arguments = server.tool.partition("=")
        with self.env_of() as env, Agent(server.command, env) as agent:
            for _ in range(100):
                agent.call(name, json.loads(arguments or "{}"))
            self.add(server, "memory", memory_of(agent.process.pid)["resident_kb"])


def table(found, ours):
    """A Markdown table. A ratio says how many times better ours is; below 1 the other one is
    better."""
    head = ["", *(heading for _, heading, _, _ in FIGURES)]
    lines = [head, ["---", *("---:" for _ in FIGURES)]]
    for name, figures in found.items():
        cells = [f"**{name}**" if name == ours else name]
        for key, _, show, less_is_better in FIGURES:
            value, own = figures[key], found[ours][key]
            ratio = value / own if less_is_better else own / value
            shown = f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
            cells.append(show(value) if name == ours else f"{show(value)} ({shown} ×)")
        lines.append(cells)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def text(found, ours, missing, where):
    parts = [table(found, ours), f"![The same figures as bars](../{PLOT})",
             f"Measured {datetime.date.today().isoformat()} by `test/bench/peers.py`: medians of "
             "interleaved runs, one client, over pipes; in brackets how many times better "
             "`molecule-mcp` is. It runs a platform client, TLS, an inbox in SQLite and timers, and "
             "its tool call reads that inbox; the minimal servers have none of it, and answer a "
             "constant, as does the second row, the conformance suite's fixture on the same core. "
             f"{where}."]
    if missing:
        parts.append("Left out: " + "; ".join(missing) + ".")
    return "\n\n".join(parts)


def write_into_document(words):
    document = ROOT / DOCUMENT
    before, mark, rest = document.read_text().partition(MARKS[0])
    old, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        raise SystemExit(f"{DOCUMENT} lacks the markers {MARKS[0]} … {MARKS[1]}")
    document.write_text(f"{before}{mark}\n{words}\n{end}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--quick", action="store_true", help="run fewer rounds")
    parser.add_argument("--document", action="store_true", help="write the table and the plot into the project")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all numbers")
    options = parser.parse_args()
    where = machine()
    others, missing = prepare_all(say)
    ours = Server("molecule-mcp", [str(options.build / "molecule-mcp")])
    core = Server("its protocol core alone", [str(options.build / "test/conformance/fixture_server")],
                  "test_simple_text")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="molecule-bench-"))
    try:
        with Platform(options.build) as platform:
            agent = platform.create_workspace("bench")
            comparison = Comparison(options.build, [ours, core, *others], options.quick)
            found = comparison.run(lambda: Environment(scratch, platform, agent))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    words = text(found, ours.name, missing, where)
    print(words)
    if options.json:
        options.json.write_text(json.dumps({"machine": where, "servers": found}, indent=2) + "\n")
    if options.document:
        (ROOT / PLOT).write_text(plot(found, FIGURES, ours.name))
        write_into_document(words)


class Environment:
    """The environment that ours needs and the others ignore, with a new state folder per
    process."""

    def __init__(self, scratch, platform, agent):
        self.folder = tempfile.TemporaryDirectory(dir=scratch)
        self.env = child_env(pathlib.Path(self.folder.name), {
            "WORKSPACE_ID": agent.id, "PLATFORM_URL": platform.url,
            "CONFIGS_DIR": self.folder.name, "MOLECULE_WORKSPACE_TOKEN": agent.token})

    def __enter__(self):
        return self.env

    def __exit__(self, *_):
        self.folder.cleanup()


if __name__ == "__main__":
    main()
