#!/usr/bin/env python3
"""Real agent hosts in whole turns with molecule-mcp and a molecule-platform of their own.

Each host is installed with a pinned version below $HOSTS_DIR (~/.cache/molecule-hosts), gets a
temporary HOME, no login, and a scripted model on loopback. Where the system allows it, everything
but the installation runs in a network namespace that has only loopback. The exit code is 1 where
a step failed.

    test/clients/run.py                                every host, every scenario
    test/clients/run.py claude-code codex --scenario turn --scenario two-hosts
    test/clients/run.py --report docs/hosts.md         puts the table into the page
"""

import argparse
import datetime
import shutil
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hosts
import install
import isolation
import report
import scenarios
from lab import Lab

ROOT = Path(__file__).resolve().parents[2]


def arguments():
    names = [host.name for host in hosts.ALL]
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description=__doc__)
    parser.add_argument("hosts", nargs="*", metavar="HOST", help=", ".join(names))
    parser.add_argument("--scenario", action="append", choices=list(scenarios.ALL), default=[])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--jobs", type=int, default=1, help="scenarios at a time")
    parser.add_argument("--report", type=Path, help="the page for the table")
    parser.add_argument("--keep", type=Path, help="a new folder that keeps every log")
    given = parser.parse_args()
    unknown = sorted(set(given.hosts) - set(names))
    if unknown:
        parser.error(f"unknown host {', '.join(unknown)}; known: {', '.join(names)}")
    return given


def installed(host):
    """None, or why the host is skipped."""
    try:
        host.install()
    except (install.NotInstalled, StopIteration, OSError) as error:
        return str(error) or "its program is not in the package"
    return None


def run(host, name, build, folder):
    """The steps of one scenario and how long they took."""
    started = time.monotonic()
    lab = Lab(host, build, folder)
    try:
        with lab:
            scenarios.ALL[name].run(lab)
    except Exception as error:
        (folder / "error").write_text(traceback.format_exc())
        lab.check("the scenario runs", False, f"{type(error).__name__}: {error}")
    return report.Result(host, name, lab.steps, lab.revision(), time.monotonic() - started)


def main():
    given = arguments()
    chosen = [host for host in hosts.ALL if not given.hosts or host.name in given.hosts]
    skipped = {host: why for host in chosen if (why := installed(host))}
    alone = isolation.leave_network()  # before there are threads
    folder = given.keep or Path(tempfile.mkdtemp(prefix="molecule-clients-"))
    work = [(host, name, given.build.resolve(), folder / host.name / name)
            for host in chosen if host not in skipped
            for name in given.scenario or scenarios.ALL if scenarios.fits(host, name)]
    results = []
    try:
        with ThreadPoolExecutor(given.jobs) as pool:
            for result in pool.map(lambda one: run(*one), work):
                results.append(result)
                print(report.lines(result), flush=True)
        for host, why in skipped.items():
            print(f"{host.title} is skipped: {why}")
        if given.report:
            day = datetime.date.today()
            report.write(given.report, report.block(results, skipped, day, alone))
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if all(result.right for result in results) else 1)


if __name__ == "__main__":
    main()
