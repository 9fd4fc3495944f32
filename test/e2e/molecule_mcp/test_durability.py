"""Nothing is lost or delivered twice: kill -9, full disk, signals (molecule-mcp.md 5)."""

import random
import resource
import signal
import threading
import time

import pytest

from support.fake_platform import Reply


class Feed(threading.Thread):
    """Adds messages continuously."""

    def __init__(self, fake, seconds_between):
        super().__init__(daemon=True)
        self.fake, self.between = fake, seconds_between
        self.sent, self.stopped = [], threading.Event()

    def run(self):
        while not self.stopped.wait(self.between):
            self.sent.append(self.fake.add_message(f"message {len(self.sent)}"))

    def stop(self):
        self.stopped.set()
        self.join()


@pytest.mark.parametrize("seed", range(3))
def test_5_kill_9_at_random_points(spawn, fake, seed):
    chance = random.Random(seed)
    feed = Feed(fake, 0.004)
    feed.start()
    asked, popped, seen_after_pop = set(), set(), []
    for _ in range(10):
        child = spawn(speed=100)
        child.initialize()
        end = time.monotonic() + chance.uniform(0.02, 0.4)
        while time.monotonic() < end:
            for message in child.call("inbox_peek", limit=20).json:
                id = message["activity_id"]
                if id in popped:
                    seen_after_pop.append(id)
                if chance.random() < 0.5:
                    asked.add(id)
                    child.call("inbox_pop", activity_id=id)
                    popped.add(id)
        if chance.random() < 0.5:  # while something is in progress
            pending = child.call("inbox_peek", limit=20).json
            for message in pending[:chance.randrange(10)]:
                asked.add(message["activity_id"])
                child.start_tool("inbox_pop", {"activity_id": message["activity_id"]})
        child.kill()
    feed.stop()
    assert len(feed.sent) > 50 and popped
    last = spawn(speed=100)
    last.initialize()
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == feed.sent[-1])
    left = pop_all(last)
    assert seen_after_pop == []
    assert len(left) == len(set(left)), "delivered twice"
    assert not popped & set(left), "returned after removal"
    assert set(feed.sent) <= asked | set(left), "lost"
    assert left == [id for id in feed.sent if id in set(left)], "out of order"


@pytest.mark.parametrize("end", ["EOF", "SIGTERM", "SIGINT", "SIGHUP"])
def test_5_a_clean_exit_loses_nothing(spawn, fake, end):
    feed = Feed(fake, 0.002)
    for i in range(4):
        child = spawn(speed=100)
        child.initialize()
        if i == 0:
            # A first poll finds the newest rows only: it must not come after hundreds of them.
            fake.wait_for("activity")
            feed.start()
        child.wait_messages(1)
        child.close_stdin() if end == "EOF" else child.signal(getattr(signal, end))
        assert child.wait_exit()[0] == 0
    feed.stop()
    last = spawn(speed=100)
    last.initialize()
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == feed.sent[-1])
    assert pop_all(last) == feed.sent


def test_5_killing_a_waiting_session_consumes_nothing(spawn, fake):
    first = spawn(speed=20)
    first.initialize()
    first.start_tool("wait_for_message", {"timeout_secs": 300})
    id = fake.add_message("for whoever comes next")
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == id)
    first.kill()
    second = spawn(speed=20)
    second.initialize()
    assert second.call("wait_for_message", timeout_secs=60).json["activity_id"] == id


def test_5_stored_messages_are_available_without_the_platform(spawn, fake):
    first = spawn(speed=20)
    first.initialize()
    id = fake.add_message("stored")
    first.wait_messages(1)
    first.kill()
    fake.always_everything(Reply(503, {"error": "down"}))
    second = spawn(speed=20)
    second.initialize()
    assert second.call("wait_for_message", timeout_secs=60).json["activity_id"] == id


def pop_all(child):
    """Removes all messages and returns their ids, oldest first."""
    ids = []
    while page := child.call("inbox_peek", limit=100).json:
        for message in page:
            ids.append(message["activity_id"])
            assert child.call("inbox_pop", activity_id=message["activity_id"]).json["removed"]
    return ids


def full_disk():
    """Limits files to 256 KiB, so that writes fail as on a full disk. Python ignores SIGXFSZ,
    and with restore_signals=False so does the child."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, 256 << 10))


def test_5_a_full_disk_loses_nothing(spawn, fake):
    ids = [fake.add_message("x" * 20_000 + str(i)) for i in range(5)]
    first = spawn(speed=40, preexec_fn=full_disk, restore_signals=False)
    first.initialize()
    for i in range(5, 60):
        ids.append(fake.add_message("x" * 20_000 + str(i)))
        if first.stderr_text:
            break
        if i % 5 == 0:
            fake.next("activity")
    first.wait_stderr("molecule")
    polls = fake.next("activity", 2)
    assert first.ping() < 5
    assert polls.query.get("since_id") != ids[-1], "the cursor passed what was not stored"
    fake.next("heartbeat")
    assert len(first.stderr_text.splitlines()) < 30
    first.finish()
    second = spawn(speed=40)
    second.initialize()
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == ids[-1])
    assert pop_all(second) == ids


def test_5_a_pop_on_a_full_disk_fails(spawn, fake):
    """A pop must not return `removed: true` for a message that would be back after a restart."""
    ids = [fake.add_message("x" * 20_000 + str(i)) for i in range(40)]
    first = spawn(speed=40)
    first.initialize()
    first.wait_messages(1)
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == ids[-1])
    first.finish()
    second = spawn(speed=40, preexec_fn=full_disk, restore_signals=False)
    second.initialize()
    popped = [id for id in ids if not (r := second.call("inbox_pop", activity_id=id)).failed
              and r.json["removed"]]
    assert second.ping() < 5
    second.finish()
    third = spawn(speed=40)
    third.initialize()
    got = pop_all(third)
    assert got == [id for id in ids if id not in popped], (
        [ids.index(i) for i in got], [ids.index(i) for i in popped], second.stderr_text[-1500:])
