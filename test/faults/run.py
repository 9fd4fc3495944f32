#!/usr/bin/env python3
"""The fault-injection suite: counts messages that are lost or duplicated.

    test/faults/run.py BUILD [--rounds N] [--seed S]

Injects every fault into every call in turn. Then runs rounds of kill -9 (sessions, the polling
one, the platform), a lossy network, a full disk, a read-only folder and a suspended owner, under
the load of two sessions. Exits with 1 at the first message that is lost, handed out twice or
comes back.
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / "e2e")]
from rounds import Deaths, spoil_each_call  # noqa: E402
from world import World  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=1000, help="rounds of crashes (default: 1000)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="reproduces a run's choices")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="molecule-faults-") as folder, \
            World(options.build, folder, options.seed) as world:
        world.start_session()
        met = spoil_each_call(world)
        print(f"{met} calls failed, one per fault: {world.ledger.summary()}", flush=True)
        deaths = Deaths(world, options.seed)
        for number in range(1, options.rounds + 1):
            deaths.round()
            if number % 10 == 0 or number == options.rounds:
                world.settle()
            if number % 50 == 0:
                print(f"round {number}: {world.ledger.summary()}", file=sys.stderr, flush=True)
        while world.sessions:
            world.end(world.sessions[0])
        world.check_tasks()
        print(f"{options.rounds} rounds in {time.monotonic() - started:.0f} s: {deaths.counts}")
        print(world.ledger.summary())


if __name__ == "__main__":
    main()
