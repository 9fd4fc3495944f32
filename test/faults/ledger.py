"""Records what was promised and what was seen; every fault is checked against it."""

import collections
import threading
import time


class Ledger:
    """Thread-safe. `violations` must stay empty."""

    def __init__(self):
        self.lock = threading.RLock()
        self.acknowledged = {}  # message text → True, once the platform answered 200
        self.holders = {}  # activity id → the live session that holds it
        self.ended = set()  # sessions that were killed or have ended: others may hold their messages
        self.popping = {}  # activity id → (session, text): pops with an unknown outcome
        self.uncertain = set()  # texts whose pop was in progress when the session died
        self.popped = {}  # activity id → text
        self.tasks = {}  # task text → "sent", "failed" or "unknown"
        self.handed_on = 0
        self.story = collections.deque(maxlen=200)  # the latest events, shown with a violation
        self.violations = []
        self.started = time.monotonic()

    def log(self, event):
        self.story.append(f"{time.monotonic() - self.started:.2f} {event}")

    def acknowledge(self, text):
        with self.lock:
            self.acknowledged[text] = True

    def hand(self, session, message):
        """`session` received `message` from wait_for_message."""
        with self.lock:
            id, text = message["activity_id"], message["text"]
            self.log(f"{text}: to {session}")
            if session in self.ended:
                return  # read from the pipe of a dead session; another one may hold it by now
            self.uncertain.discard(text)
            if id in self.popped:
                self.violations.append(f"{text!r} came back after it was popped")
            holder = self.holders.get(id)
            if holder not in (None, session) and holder not in self.ended:
                self.violations.append(f"{text!r} was handed to {session} while {holder} has it")
            self.handed_on += holder in self.ended
            self.holders[id] = session

    def ask_pop(self, session, id, text):
        with self.lock:
            self.popping[id] = session, text

    def pop(self, id, text):
        with self.lock:
            self.popping.pop(id, None)
            self.popped[id] = text
            self.log(f"{text}: popped")
            self.holders.pop(id, None)

    def not_popped(self, id, why):
        with self.lock:
            self.log(f"{self.popping.pop(id)[1]}: not popped, {why}")

    def kill(self, session):
        """The session is about to be killed."""
        with self.lock:
            self.log(f"{session} is killed")
            self.ended.add(session)

    def gone(self, session):
        """The session has ended, and all of its output was read."""
        with self.lock:
            self.log(f"{session} is gone")
            self.ended.add(session)
            for id, (asker, text) in list(self.popping.items()):
                if asker == session:
                    del self.popping[id]
                    self.uncertain.add(text)

    def task(self, text, outcome):
        with self.lock:
            self.tasks[text] = outcome

    def waiting(self):
        """Acknowledged messages that were not popped yet."""
        with self.lock:
            done = set(self.popped.values()) | self.uncertain
            return [text for text in self.acknowledged if text not in done]

    def check_tasks(self, arrived):
        """`arrived`: text → how often it is in the peer's queue."""
        with self.lock:
            for text, outcome in self.tasks.items():
                count = arrived.get(text, 0)
                if count > 1:
                    self.violations.append(f"task {text!r} was sent {count} times")
                if outcome == "sent" and count == 0:
                    self.violations.append(f"task {text!r} was reported as sent and never arrived")

    def summary(self):
        with self.lock:
            return {"acknowledged": len(self.acknowledged), "popped": len(self.popped),
                    "pops cut by a death": len(self.uncertain), "tasks": len(self.tasks),
                    "handed on after a death": self.handed_on,
                    "violations": len(self.violations)}
