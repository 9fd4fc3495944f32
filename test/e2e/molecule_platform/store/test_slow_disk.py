"""A disk that does not answer holds up what must be kept, and nothing else."""

import threading
import time

import pytest

from support.platform import Platform, text_of, until

pytestmark = pytest.mark.sqlite


@pytest.fixture
def held(build, preload, tmp_path):
    """A platform, and the file that holds its disk while it exists."""
    hold = tmp_path / "hold"
    env = {"LD_PRELOAD": preload("hold_sync"), "HOLD_SYNC": str(hold)}
    with Platform(build, env=env) as platform:
        try:
            yield platform, hold
        finally:
            hold.unlink(missing_ok=True)


class Asked(threading.Thread):
    """A message on its way."""

    def __init__(self, platform, workspace, text):
        super().__init__(daemon=True)
        self._send = lambda: platform.send(workspace, text)
        self.reply = None
        self.start()

    def run(self):
        self.reply = self._send()


def texts(platform, agent):
    rows = platform.activity(agent, type="a2a_receive").body
    return [text_of(row) for row in rows]


def test_reads_and_heartbeats_go_on_while_a_commit_waits(held):
    platform, hold = held
    agent = platform.create_workspace("agent")
    platform.register(agent)
    assert platform.send(agent, "kept").status == 200
    hold.touch()
    waiting = [Asked(platform, agent, f"waits {i}") for i in range(3)]
    # What is not on the disk is not told.
    for _ in range(20):
        start = time.monotonic()
        assert texts(platform, agent) == ["kept"]
        assert platform.heartbeat(agent).status == 200
        assert platform.request("GET", "/health").status == 200
        assert platform.request("GET", "/workspaces", platform.admin_token).status == 200
        assert time.monotonic() - start < 2
    assert [asked.reply for asked in waiting] == [None, None, None]
    hold.unlink()
    for asked in waiting:
        asked.join(20)
        assert asked.reply.status == 200
    assert sorted(texts(platform, agent)) == ["kept", "waits 0", "waits 1", "waits 2"]


def test_a_write_behind_a_silent_disk_is_refused_and_can_be_repeated(held):
    platform, hold = held
    agent = platform.create_workspace("agent")
    hold.touch()
    sent = []

    def refused():
        # The first ones are in the commit that waits, the others wait for it.
        if len(sent) < 20:
            sent.append(Asked(platform, agent, f"message {len(sent)}"))
        return next((asked.reply for asked in sent if asked.reply), None)

    assert platform.request("GET", "/ready").status == 200
    reply = until(refused, 60, "a refusal")
    assert reply.status == 503, reply
    assert "Retry-After" in reply.headers
    until(lambda: platform.request("GET", "/ready").status == 503, 20, "not ready")
    hold.unlink()
    until(lambda: platform.request("GET", "/ready").status == 200, 20, "ready again")
    for asked in sent:
        asked.join(20)
    statuses = [asked.reply.status for asked in sent]
    assert set(statuses) == {200, 503}
    assert platform.send(agent, "repeated").status == 200
    kept = [f"message {i}" for i, status in enumerate(statuses) if status == 200] + ["repeated"]
    assert sorted(texts(platform, agent)) == sorted(kept)
