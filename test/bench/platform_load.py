#!/usr/bin/env python3
"""What molecule-platform carries, on one machine: rates, latencies, processor time and memory, beside
what the disk can do in the same minute.

    test/bench/platform_load.py BUILD [--against BINARY] [--store URL] [--document] [--quick]

With --against each row is also measured with another molecule-platform, in turn. With --store
(postgres://…; an empty database) all rows run on that server. --document writes the table and the
pictures into docs/. A run takes about ten minutes; --quick is for a first look.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import sys
import time

from load_plot import plot_lines
from load_server import Server, fill_postgres, fill_sqlite, scratch, slow_disk, sync_rate

ROOT = pathlib.Path(__file__).parents[2]
OFFERED = {"polls": 2000, "heartbeats": 500, "messages": 100}  # a second, of 10,000 workspaces
SPARE_FILES = 800  # what the server keeps for other things than connections


class Bench:
    def __init__(self, options):
        self.options = options
        self.load = pathlib.Path(options.build, "test", "bench", "platform_load")
        self.binaries = {"this build": pathlib.Path(options.build, "molecule-platform")}
        if options.against:
            self.binaries["before"] = pathlib.Path(options.against)
        self.seconds = 2 if options.quick else options.seconds
        self.small, self.large = (200, 500) if options.quick else (2000, 10_000)
        self.per_agent = 5 if options.quick else options.each
        self.rows = []

    def server(self, binary, folder, **how):
        return Server(binary, self.load, folder, store=self.options.store, **how)

    def measure(self, server, command, *args):
        """One run, with what it cost the server."""
        seconds = self.seconds
        child = server.load(command, "--seconds", seconds, *args)
        if command == "offered":
            child.stdout.readline()  # connected
        before, start = server.cpu_seconds(), time.monotonic()
        out, _ = child.communicate()
        spent, took = server.cpu_seconds() - before, time.monotonic() - start
        if child.returncode:
            raise SystemExit(f"platform_load {command} failed")
        works = json.loads(out)
        count = sum(work["count"] for work in works.values())
        failures = sum(work["failures"] for work in works.values())
        return {"works": works, "core": spent / took, "micros": spent / max(count, 1) * 1e6,
                "mib": server.resident_mib(), "failures": failures}

    # --- rows -----------------------------------------------------------------------------

    def add(self, name, aim, measure, slow=False):
        """`measure(binary, folder)` returns a text and whether the aim is met."""
        with scratch(self.options.folder) as folder:
            library = slow_disk(folder) if slow else None
            found = {}
            disk = sync_rate(folder)
            for label, binary in self.binaries.items():
                found[label] = measure(binary, folder / label.replace(" ", "-"), library)
            disk = (disk + sync_rate(folder)) / 2
        row = {"what": name, "aim": aim, "disk": disk, "load": os.getloadavg()[0], **found}
        self.rows.append(row)
        print(f"{name}: " + "; ".join(f"{label}: {found[label]}" for label in found)
              + f" (aim {aim}; disk {disk:,.0f}/s, load {row['load']:.1f})", flush=True)

    def closed(self, work):
        def measure(binary, folder, library):
            with self.server(binary, folder, slow=library) as server:
                server.create(self.small)
                found = self.measure(server, "closed", "--work", work)
            rate = found["works"][work]["rate"]
            return (f"{rate:,.0f}/s, p99 {found['works'][work]['p99_ms']:.1f} ms, "
                    f"{found['micros']:.0f} µs of CPU each" + failed(found))
        return measure

    def polls_beside_messages(self, binary, folder, library):
        with self.server(binary, folder, slow=library) as server:
            server.create(self.small)
            found = self.measure(server, "offered", "--connections", min(1000, self.small),
                                 "--messages", 500, "--polls", 500)
        return latencies(found, ("poll", "message"))

    def many(self, streams, per_agent):
        def measure(binary, folder, library):
            with self.server(binary, folder) as server:
                server.create(self.large)
            self.fill(folder, per_agent)
            with self.server(binary, folder, limited=True) as server:
                server.run("cursors")
                found = self.offered(server, self.large, streams)
            return latencies(found, ("poll", "heartbeat", "message")) + (
                f"; {found['core']:.0%} of a core, {found['mib']:.0f} MiB")
        return measure

    def fill(self, folder, per_agent):
        if self.options.store:
            fill_postgres(self.options.store, per_agent)
        else:
            fill_sqlite(folder, per_agent)

    def offered(self, server, agents, streams=False, factor=1.0):
        each = min(agents, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES)
                   // (2 if streams else 1))
        share = factor * agents / self.large
        rates = [f"--{kind}={rate * share}" for kind, rate in OFFERED.items()]
        return self.measure(server, "offered", "--connections", each, "--streams",
                            each if streams else 0, *rates)

    def table(self):
        self.add("heartbeats, 64 connections", "15,000/s", self.closed("heartbeat"))
        self.add("messages, 64 connections", "8,000/s", self.closed("message"))
        self.add("messages, 64 connections, each fsync 5 ms slower", "5,000/s",
                 self.closed("message"), slow=True)
        self.add("500 empty polls/s beside 500 messages/s, each fsync 5 ms slower",
                 "poll p99 10 ms", self.polls_beside_messages, slow=True)
        self.add("empty polls, 64 connections", "", self.closed("poll"))
        offered = (f"{self.large:,} workspaces: 500 heartbeats/s, 2,000 polls/s, 100 messages/s, a "
                   "kept connection each")
        self.add(offered, "p99 10 ms, 60 % of a core, 64 MiB", self.many(False, 1))
        self.add(offered + " and an event stream", "p99 10 ms, 60 % of a core, 256 MiB",
                 self.many(True, 1))
        self.add(f"the same with {self.large * self.per_agent:,} messages stored",
                 "within 1.3 ×", self.many(True, self.per_agent))

    # --- curves ---------------------------------------------------------------------------

    def curves(self):
        binary = self.binaries["this build"]
        over_load, over_workspaces, over_messages = [], [], []
        with scratch(self.options.folder) as folder:
            with self.server(binary, folder) as server:
                server.create(self.large)
                for factor in (0.5, 1, 2, 3, 4, 6):
                    found = self.offered(server, self.large, factor=factor)
                    over_load.append((factor * sum(OFFERED.values()), found))
        for agents in sorted({self.large // 100, self.large // 10, self.large // 3, self.large}):
            with scratch(self.options.folder) as folder, self.server(binary, folder) as server:
                server.create(agents)
                over_workspaces.append((agents, self.offered(server, agents)))
        with scratch(self.options.folder) as folder:
            stored = 0
            for per_agent in sorted({1, self.per_agent // 10 or 2, self.per_agent}):
                with self.server(binary, folder) as server:
                    if not stored:
                        server.create(self.large)
                self.fill(folder, per_agent - stored // self.large)
                stored = self.large * per_agent
                with self.server(binary, folder) as server:
                    server.run("cursors")
                    over_messages.append((stored, self.offered(server, self.large)))
        return {"load": over_load, "workspaces": over_workspaces, "messages": over_messages}


def failed(found):
    return f", {found['failures']} FAILED" if found["failures"] else ""


def latencies(found, kinds):
    works = found["works"]
    return "p99 " + ", ".join(
        f"{kind} {works[kind]['p99_ms']:.1f} ms" for kind in kinds if kind in works) + failed(found)


def pictures(curves, folder):
    def lines(points, kinds):
        return {kind: [(at, found["works"][kind]["p99_ms"]) for at, found in points
                       if kind in found["works"]] for kind in kinds}

    kinds = ("poll", "heartbeat", "message")
    (folder / "platform-load.svg").write_text(plot_lines(
        "Latency over load: p99 in ms, 10,000 workspaces", "requests a second", "ms",
        lines(curves["load"], kinds)))
    cost = {"% of a core": [(at, found["core"] * 100) for at, found in curves["workspaces"]],
            "MiB resident": [(at, found["mib"]) for at, found in curves["workspaces"]]}
    (folder / "platform-workspaces.svg").write_text(plot_lines(
        "Cost over the number of workspaces", "workspaces", "", cost))
    stored = {"% of a core": [(at, found["core"] * 100) for at, found in curves["messages"]],
              "message p99, ms": [(at, found["works"]["message"]["p99_ms"])
                                  for at, found in curves["messages"]]}
    (folder / "platform-messages.svg").write_text(plot_lines(
        "Cost over the number of stored messages", "messages stored", "", stored))


def markdown(bench):
    labels = list(bench.binaries)
    lines = ["| what | disk, fdatasync/s | load | " + " | ".join(labels) + " | aim |",
             "|---|---|---|" + "---|" * len(labels) + "---|"]
    for row in bench.rows:
        cells = [row["what"], f"{row['disk']:,.0f}", f"{row['load']:.1f}",
                 *(row[label] for label in labels), row["aim"]]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", f"Measured {time.strftime('%Y-%m-%d')} by `test/bench/platform_load.py`, load and "
              f"server on one machine of {os.cpu_count()} cores; *load* is the load average at the end "
              "of the row."]
    return "\n".join(lines)


def write_document(bench, curves):
    document = ROOT / "docs" / "benchmarks.md"
    name = "platform_load-postgres" if bench.options.store else "platform_load"
    mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
    text, count = mark.subn(lambda m: m[1] + markdown(bench) + "\n" + m[2], document.read_text())
    if count != 1:
        raise SystemExit(f"{document} has no place for {name}")
    document.write_text(text)
    if curves and not bench.options.store:
        pictures(curves, ROOT / "docs" / "pictures")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--against", help="another molecule-platform, measured in turn")
    parser.add_argument("--store", help="postgres://… of an empty database")
    parser.add_argument("--folder", help="where the stores are made; the disk that is measured")
    parser.add_argument("--document", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement (8)")
    parser.add_argument("--each", type=int, default=100,
                        help="messages stored for each of the 10,000 workspaces (100)")
    parser.add_argument("--no-curves", action="store_true")
    parser.add_argument("--json", help="a file for all figures")
    options = parser.parse_args()
    bench = Bench(options)
    bench.table()
    curves = {} if options.no_curves else bench.curves()
    print("\n" + markdown(bench))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rows": bench.rows, "curves": curves}))
    if options.document:
        write_document(bench, curves)
    return 0


if __name__ == "__main__":
    sys.exit(main())
