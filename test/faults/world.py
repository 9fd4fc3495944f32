"""A platform behind a proxy, and sessions of one workspace that work while faults occur."""

import itertools
import pathlib
import random
import subprocess
import sys
import threading
import time

from support.mcp import McpProcess
from support.platform import Platform, child_env, text_of, until

from ledger import Ledger
from proxy import Proxy

HERE = pathlib.Path(__file__).parent
SPEED = 20  # time acceleration for the programs
PATIENCE = 60  # real seconds for everything to be delivered after the faults end


def preloads(folder):
    """Compiles the libraries that accelerate time and make disks fail into `folder`."""
    made = []
    for source in (HERE.parent / "e2e" / "support" / "speedup.c", HERE / "disk.c"):
        library = pathlib.Path(folder, source.stem + ".so")
        if not library.exists():
            subprocess.run(["clang-19", "-shared", "-fPIC", "-O1", "-o", library, source],
                           check=True)
        made.append(str(library))
    return " ".join(made)


class Disk:
    """The disk of the sessions: healthy, or failing with an errno."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder, "disk-fault")
        self.set(0)

    def set(self, error):
        with open(self.path, "r+b" if self.path.exists() else "w+b") as file:
            file.write(error.to_bytes(4, sys.byteorder))


class Session:
    """One agent host with its molecule-mcp: receives messages, acts on some, pops them."""

    serials = itertools.count(1)

    def __init__(self, world, seed):
        self.name = f"session {next(self.serials)}"
        self.world, self.random = world, random.Random(seed)
        self.ending = threading.Event()
        self.to_remove = []
        self.mcp = McpProcess(world.binary, world.session_env())
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            self.mcp.initialize()
            while not self.ending.is_set():
                self._turn()
        except (OSError, ValueError, AssertionError) as error:
            # A killed child fails at any point; the ledger shows what was lost.
            if self.name not in self.world.ledger.ended and not self.ending.is_set():
                self.world.ledger.violations.append(f"{self.name}: {error}")
        finally:
            self.mcp.process.poll()

    def _turn(self):
        # An agent tries again what failed, as the answer of a full disk tells it to: left alone, the
        # message would be another session's once its lease has run out.
        again, self.to_remove = self.to_remove, []
        for message in again:
            self._pop(message)
        # A session that was suspended for a while answers after it resumes.
        result = self.mcp.call("wait_for_message", timeout_secs=5, deadline=PATIENCE)
        if result.failed or "activity_id" not in result.json:
            return self.ending.wait(0.02) if result.failed else None
        message = result.json
        ledger = self.world.ledger
        ledger.hand(self.name, message)
        # Simulates an agent that thinks: some sessions die meanwhile, others continue.
        self.ending.wait(self.random.choice((0, 0, 0.01, 0.1)))
        call = self.world.wish or self.random.choice(
            ["notify", "delegate", "delegate_async", "nothing"])
        if call == "notify":
            self.mcp.call("send_message_to_user", message=f"re {message['text']}",
                          deadline=PATIENCE)
        elif call in ("delegate", "report"):  # delegations are reported
            self._delegate("delegate_task")
        elif call == "delegate_async":
            self._delegate("delegate_task_async")
        self._pop(message)

    def _pop(self, message):
        ledger = self.world.ledger
        ledger.ask_pop(self.name, message["activity_id"], message["text"])
        popped = self.mcp.call("inbox_pop", activity_id=message["activity_id"], deadline=PATIENCE)
        if popped.failed:
            ledger.not_popped(message["activity_id"], popped.text)
            self.to_remove.append(message)
        else:
            ledger.pop(message["activity_id"], message["text"])

    def _delegate(self, tool):
        text = self.world.new_text("task")
        self.world.ledger.task(text, "unknown")
        result = self.mcp.call(tool, workspace_id=self.world.peer.id, task=text, deadline=PATIENCE)
        self.world.ledger.task(text, "failed" if result.failed else "sent")

    def kill(self):
        self.world.ledger.kill(self.name)
        self.mcp.kill()
        self.ending.set()
        self._reap()
        self.mcp.finish()

    def end(self):
        """Ends like a host does: requests in flight are answered, then stdin is closed."""
        self.ending.set()
        self.thread.join(PATIENCE)
        self.mcp.finish()
        self._reap()

    def _reap(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), f"{self.name} did not end"
        self.world.ledger.gone(self.name)


class World:
    """A context manager. Users write to the platform directly; sessions go through the proxy."""

    def __init__(self, build, folder, seed):
        self.binary = pathlib.Path(build, "molecule-mcp").resolve()
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.disk = Disk(folder)
        self.preload = preloads(folder)
        self.epoch = str(int(time.time()))
        self.platform = Platform(build, data_dir=self.folder / "data")
        self.sessions = []
        self.wish = None  # what sessions do with a message; None: a random choice
        self._texts = itertools.count(1)

    def __enter__(self):
        self.platform.start()
        self.proxy = Proxy(self.platform.port)
        self.agent = self.platform.create_workspace("agent")
        self.peer = self.platform.create_workspace("peer")
        return self

    def __exit__(self, kind, *_):
        try:
            for session in list(self.sessions):
                session.kill() if kind else self.end(session)
        finally:
            self.proxy.close()
            self.platform.__exit__(kind, None, None)

    def session_env(self):
        return child_env(self.folder, {
            "WORKSPACE_ID": self.agent.id, "PLATFORM_URL": self.proxy.url,
            "MOLECULE_WORKSPACE_TOKEN": self.agent.token,
            "CONFIGS_DIR": str(self.folder / "state"), "LD_PRELOAD": self.preload,
            "SPEEDUP": str(SPEED), "SPEEDUP_EPOCH": self.epoch,
            "DISK_FAULT": str(self.disk.path)})

    def new_text(self, kind):
        with self.ledger.lock:
            return f"{kind} {next(self._texts)}"

    def start_session(self):
        self.sessions.append(Session(self, self.random.random()))
        return self.sessions[-1]

    def end(self, session):
        self.sessions.remove(session)
        session.end()

    def kill(self, session):
        self.sessions.remove(session)
        session.kill()

    def write(self, count):
        """Writes as a user; every message that the platform answered with 200 is promised."""
        for _ in range(count):
            text = self.new_text("message")
            assert self.platform.send(self.agent, text).status == 200
            self.ledger.acknowledge(text)

    def kill_platform(self):
        self.platform.kill9()
        self.platform.start()
        self.proxy.port = self.platform.port

    def settle(self):
        """Waits, without faults, until every acknowledged message was handed out and popped."""
        self.proxy.heal()
        self.disk.set(0)
        if not self.sessions:
            self.start_session()
        try:
            until(lambda: not self.ledger.waiting() or self.ledger.violations, PATIENCE,
                  "every message is handed out and popped")
        except AssertionError:
            raise AssertionError(f"lost or stuck: {self.ledger.waiting()[:5]}; {self.ledger.summary()}; "
                                 + "; ".join(s.mcp.stderr_text[-600:] for s in self.sessions)) from None
        self.check()

    def check(self):
        assert not self.ledger.violations, \
            self.ledger.violations[:5] + ["\n".join(self.ledger.story)]

    def check_tasks(self):
        """Checks the delegations; call it when nothing is in flight."""
        arrived, since = {}, None
        while page := self.platform.activity(
                self.peer, limit=500, type="a2a_receive", **(
                    {"since_id": since} if since else {})).body:
            if since is None:
                older = page
                while older:
                    page, older = older, self.platform.activity(
                        self.peer, limit=500, type="a2a_receive",
                        before_ts=older[-1]["created_at"]).body
                page = page[-1:]
            for row in page:
                text = text_of(row)
                arrived[text] = arrived.get(text, 0) + 1
            since = page[-1]["id"]
        self.ledger.check_tasks(arrived)
        self.check()
