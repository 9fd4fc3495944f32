"""What was promised, and what was seen: the book that every fault is held against."""

import collections
import threading
import time


class Ledger:
    """Thread-safe. `violations` is what must stay empty."""

    def __init__(self):
        self.lock = threading.RLock()
        self.acknowledged = {}  # message text → True, once the platform has said 200
        self.holders = {}  # activity id → the live session that it was handed to
        self.given = collections.Counter()  # text → how often handed out
        self.popped = {}  # activity id → text
        self.tasks = {}  # task text → "sent", "failed" or "unknown"
        self.handed_on = 0
        self.story = collections.deque(maxlen=200)  # the newest events, for a violation's sake
        self.violations = []
        self.started = time.monotonic()

    def tell(self, event):
        self.story.append(f"{time.monotonic() - self.started:.2f} {event}")

    def acknowledge(self, text):
        with self.lock:
            self.acknowledged[text] = True

    def hand(self, session, message):
        """`session` was given `message` by wait_for_message."""
        with self.lock:
            id, text = message["activity_id"], message["text"]
            self.given[text] += 1
            self.tell(f"{text}: to {session}")
            if id in self.popped:
                self.violations.append(f"{text!r} came back after it was popped")
            holder = self.holders.get(id)
            if holder not in (None, session):
                self.violations.append(f"{text!r} was handed to {session} while {holder} has it")
            self.holders[id] = session

    def pop(self, id, text):
        with self.lock:
            self.popped[id] = text
            self.tell(f"{text}: popped")
            self.holders.pop(id, None)

    def gone(self, session):
        """The session has ended: what it held may go to another."""
        with self.lock:
            held = [id for id, holder in self.holders.items() if holder == session]
            self.handed_on += len(held)
            self.tell(f"{session} is gone")
            for id in held:
                del self.holders[id]

    def task(self, text, outcome):
        with self.lock:
            self.tasks[text] = outcome

    def waiting(self):
        """Acknowledged messages that nobody has popped yet."""
        with self.lock:
            done = set(self.popped.values())
            return [text for text in self.acknowledged if text not in done]

    def check_tasks(self, arrived):
        """`arrived`: text → how often it lies in the peer's queue."""
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
                    "tasks": len(self.tasks), "handed on after a death": self.handed_on,
                    "violations": len(self.violations)}
