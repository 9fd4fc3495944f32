"""Kills the daemon and its handler in turn, at random times, while messages come in.

    python3 test/e2e/daemon/kill_run.py [--build build] [--kills 200]
"""

import argparse
import collections
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from support.daemon import Daemon, processes_with, script  # noqa: E402
from support.platform import Platform, until  # noqa: E402


def kill_handler(daemon):
    """False if none ran."""
    for pid in processes_with("MOLECULE_WORKSPACE_ID=" + daemon.workspace.id):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        return True
    return False


def kill_run(binary, platform, folder, kills, seed=None):
    random.seed(seed)
    folder = pathlib.Path(folder)
    # A helper in its group outlives a handler that is killed.
    handler = script(folder, f"""read line
echo x >> {folder}/turns
sleep 0.0$((RANDOM % 10)) & sleep 0.1; wait
echo "$line" | sed 's/.*"text":"\\([^"]*\\)".*/answer to \\1/'""", shebang="#!/bin/bash")
    daemon = Daemon(binary, platform, platform.create_workspace("Ada"), folder / "home",
                    "--handler", "command", "--max-parallel", "4", "--conversation", "message",
                    "--retry-secs", ",".join(["0"] * 30), "--argv", handler)
    asked = 0
    counts = collections.Counter()
    with daemon:
        while counts["kills of daemon"] + counts["kills of handler"] < kills:
            for _ in range(2):
                daemon.ask(f"message {asked}")
                asked += 1
            time.sleep(random.uniform(0, 0.4))  # the fault's moment, not a wait
            if random.random() < 0.5:
                daemon.kill9()
                counts["kills of daemon"] += 1
                daemon.start()
            elif kill_handler(daemon):
                counts["kills of handler"] += 1
        # The daemon that is stopped must be one that has begun to work.
        daemon.ask(f"message {asked}")
        asked += 1
        until(lambda: not daemon.waiting() and len(set(daemon.answers())) == asked,
              what=f"{asked} answers; {daemon.log()[-3000:]}")
        daemon.stop()
    answers = collections.Counter(daemon.answers())
    counts["messages"] = asked
    counts["turns"] = len((folder / "turns").read_text().splitlines())
    counts["unanswered"] = sum(f"answer to message {n}" not in answers for n in range(asked))
    counts["answered twice"] = sum(times > 1 for times in answers.values())
    counts["orphans"] = len(processes_with("MOLECULE_WORKSPACE_ID=" + daemon.workspace.id))
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--kills", type=int, default=200)
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    with tempfile.TemporaryDirectory(prefix="kill-") as folder, Platform(build) as platform:
        counts = kill_run(build / "molecule-mcp", platform, folder, options.kills)
    for name, count in counts.items():
        print(f"{name:18} {count}")
    return 0 if counts["unanswered"] == counts["answered twice"] == counts["orphans"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
