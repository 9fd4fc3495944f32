"""Three instances behind nginx on one PostgreSQL, with agents that write to each other, while
instances are killed and PostgreSQL is restarted:

    python3 test/cluster/chaos.py [--minutes 10] [--agents 200] [--build build]

Nothing that was acknowledged may be lost or come twice. The last line has the counts; the exit code
is 0 if they are right.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "e2e")]

from cluster.load import Agent, Ledger, Listener  # noqa: E402
from support import postgres  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.deadline import DEADLINE  # noqa: E402
from support.platform import until  # noqa: E402

INSTANCES = 3
# How long an event may take to a client that listens, on a loaded machine.
SLACK = 8.0


def missing():
    """Why this cannot run here; empty if it can."""
    if postgres.programs() is None:
        return "PostgreSQL is not installed"
    return "" if shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") else "nginx is not installed"


class Balancer:
    """nginx, as docs/deploy.md has it."""

    def __init__(self, folder, ports):
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.port = postgres.free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        places = "".join(f"{name}_temp_path {folder}/{name};" for name in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        servers = "".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in ports)
        configuration = folder / "nginx.conf"
        configuration.write_text(
            f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;"
            "events { worker_connections 4096; } http { access_log off; " + places +
            f"upstream molecule {{ {servers} keepalive 32; }} "
            "map $http_upgrade $molecule_connection { default upgrade; '' ''; } "
            f"server {{ listen 127.0.0.1:{self.port}; location / {{ proxy_pass http://molecule; "
            "proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; "
            "proxy_set_header Connection $molecule_connection; proxy_connect_timeout 2s; } } }\n")
        self._process = subprocess.Popen([program, "-e", "stderr", "-c", configuration], stdin=subprocess.DEVNULL,
                                         stderr=open(folder / "stderr", "wb"))

    def stop(self):
        self._process.terminate()
        self._process.wait(DEADLINE)


async def break_things(cluster, server, seconds, counts):
    """Kills an instance every few seconds, and restarts PostgreSQL every now and then."""
    end, next_restart = time.monotonic() + seconds, time.monotonic() + seconds / 3
    while time.monotonic() < end:
        await asyncio.sleep(random.uniform(2, 5))
        if time.monotonic() >= next_restart:
            next_restart += max(seconds / 3, 20)
            how = random.choice([signal.SIGINT, signal.SIGQUIT])
            await asyncio.to_thread(server.stop, how)
            await asyncio.sleep(random.uniform(0, 2))
            await asyncio.to_thread(server.start)
            counts["restarts of PostgreSQL"] += 1
            continue
        instance = random.choice(cluster.instances)
        instance._listen = f"127.0.0.1:{instance.port}"
        await asyncio.to_thread(instance.kill9)
        await asyncio.sleep(random.uniform(0, 2))
        await asyncio.to_thread(instance.start)
        counts["kills of instances"] += 1


async def work(cluster, server, port, agents, seconds, ledger, counts):
    ended = asyncio.Event()
    await asyncio.gather(*(agent.register() for agent in agents))
    tasks = [asyncio.create_task(part) for agent in agents
             for part in (agent.beat(ended), agent.poll(ended), agent.send(agents, ended))]
    breaking = asyncio.create_task(break_things(cluster, server, seconds, counts))
    # Agents end before that only by an exception.
    await asyncio.wait([breaking, *tasks], return_when=asyncio.FIRST_COMPLETED)
    ended.set()
    await asyncio.gather(breaking, *tasks)
    # What is still on its way arrives now that nothing breaks.
    give_up = time.monotonic() + DEADLINE
    while ledger.lost() and time.monotonic() < give_up:
        await asyncio.gather(*(agent.poll_once() for agent in agents))
    # Whoever listens now hears of everything.
    await asyncio.sleep(SLACK)
    last = time.monotonic()
    await asyncio.gather(*(agents[i].send_one(agents[i - 1]) for i in range(min(50, len(agents)))))
    await asyncio.sleep(SLACK + time.monotonic() - last)
    await asyncio.gather(*(agent.poll_once() for agent in agents))
    for agent in agents:
        agent.close()


def run(build, seconds, count, listeners=6, out=print):
    """The counts by name; `right` says whether they are."""
    ledger = Ledger()
    counts = {"kills of instances": 0, "restarts of PostgreSQL": 0}
    with tempfile.TemporaryDirectory(prefix="cluster-run-") as scratch, postgres.Server() as server, \
            Cluster(build, INSTANCES, env={"RATE_LIMIT": "0"}, server=server) as cluster:
        first = cluster.instances[0]
        made = [first.create_workspace(f"agent {number}") for number in range(count)]
        balancer = Balancer(pathlib.Path(scratch), [instance.port for instance in cluster.instances])
        pages = [Listener(balancer.port, cluster.admin_token) for _ in range(listeners)]
        try:
            until(lambda: connects(balancer.port), what="nginx")
            for page in pages:
                page.start()
            agents = [Agent(one.id, one.token, balancer.port, ledger) for one in made]
            asyncio.run(work(cluster, server, balancer.port, agents, seconds, ledger, counts))
            offline = sum(one["status"] != "online" for one in cluster.instances[1].admin("GET", "/workspaces").body)
        finally:
            for page in pages:
                page.ended = True
            for page in pages:
                if page.ident:
                    page.join(DEADLINE)
            balancer.stop()
    missed, twice = (sum(part) for part in zip(*(page.problems(ledger, SLACK) for page in pages)))
    counts |= {"messages acknowledged": len(ledger.sent), "lost": len(ledger.lost()), "twice": len(ledger.twice()),
               "agents not online": offline, "stays of listeners": sum(len(page.stays) for page in pages),
               "events missed": missed, "events twice": twice, "tries that failed": sum(ledger.failures.values())}
    counts["right"] = not any(counts[name] for name in
                              ("lost", "twice", "agents not online", "events missed", "events twice"))
    out(json.dumps(counts))
    return counts


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--build", default=os.environ.get("MOLECULE_BUILD", "build"))
    options = parser.parse_args()
    if why := missing():
        sys.exit(why)
    counts = run(options.build, options.minutes * 60, options.agents)
    sys.exit(0 if counts["right"] else 1)


if __name__ == "__main__":
    main()
