"""The faults: single calls that fail in turn, and rounds of crashes under load."""

import errno
import random
import re
import signal
import threading

from proxy import FAULTS
from world import SPEED, until

# Every call that a session makes, by itself or for its agent.
CALLS = {
    "register": r"POST /registry/register",
    "heartbeat": r"POST /registry/heartbeat",
    "poll": r"GET /workspaces/[^/]+/activity",
    "notify": r"POST /workspaces/[^/]+/notify",
    "delegate": r"POST /workspaces/[^/]+/a2a",
    "delegate_async": r"POST /workspaces/[^/]+/delegate",
    "report": r"POST /workspaces/[^/]+/activity$",
    "ack": r"POST /workspaces/[^/]+/activity/ack",
}


def pause(random_source, shortest, longest):
    """A random pause: how long a fault lasts, or when it strikes. It is test input, not
    synchronisation."""
    threading.Event().wait(random_source.uniform(shortest, longest))


def spoil_each_call(world, chosen=None):
    """Injects every fault into every call, once each, under load. Returns how many took effect."""
    met = 0
    for call, fault in chosen or [(c, f) for c in CALLS for f in FAULTS]:
        left = [1]

        def choose(method, path, pattern=re.compile(CALLS[call]), fault=fault, left=left):
            if left[0] and pattern.search(f"{method} {path.partition('?')[0]}"):
                left[0] -= 1
                return fault
            return None

        world.proxy.plan(choose)
        world.wish = call
        if call == "register":
            while world.sessions:
                world.end(world.sessions[0])
            world.start_session()
        world.write(3)
        try:
            until(lambda: not left[0], 2)
        except AssertionError:
            pass  # not every round makes every call
        met += not left[0]
        world.settle()
    world.wish = None
    return met


class Deaths:
    """Rounds in which something is killed or stopped while two sessions work."""

    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)
        self.counts = {}

    def round(self):
        world = self.world
        while len(world.sessions) < 2:
            world.start_session()
        kind = self.random.choice([self.kill_session] * 4 + [self.kill_owner] * 4 +
                                  [self.kill_platform] * 3 + [self.lossy_network] * 2 +
                                  [self.full_disk, self.read_only_folder, self.stop_owner])
        world.ledger.log(kind.__name__)
        self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
        world.write(self.random.randrange(1, 6))
        pause(self.random, 0, 0.3)
        kind()
        world.write(self.random.randrange(0, 4))

    def kill_session(self):
        self.world.kill(self.random.choice(self.world.sessions))

    def kill_owner(self):
        """Kills the session that has run longest, which is the one that polls."""
        self.world.kill(self.world.sessions[0])

    def kill_platform(self):
        self.world.kill_platform()

    def lossy_network(self):
        chance = random.Random(self.random.random())
        self.world.proxy.plan(
            lambda method, path: chance.choice(FAULTS) if chance.random() < 0.5 else None)
        pause(self.random, 0.1, 0.5)
        self.world.proxy.heal()

    def full_disk(self):
        self.fail_disk(errno.ENOSPC)

    def read_only_folder(self):
        self.fail_disk(errno.EROFS)

    def fail_disk(self, error):
        self.world.disk.set(error)
        self.world.write(3)
        pause(self.random, 0.1, 0.5)
        self.world.disk.set(0)

    def stop_owner(self):
        """SIGSTOP for 60 s of accelerated time."""
        process = self.world.sessions[0].mcp.process
        process.send_signal(signal.SIGSTOP)
        self.world.write(2)
        threading.Event().wait(60 / SPEED)
        process.send_signal(signal.SIGCONT)
