"""The platform's event stream makes the poll run at once; without it the poll every 5 s is all
(molecule-mcp.md 5)."""

import statistics
import time

import pytest

from support.deadline import DEADLINE
from support.event_tap import PING, EventTap
from support.fake_platform import HTML, PEER, RESET, Reply

# Less than the shortest time between two polls that nothing has asked for.
SOON = 4.0


@pytest.fixture
def tap(fake):
    made = EventTap()
    fake.always("events", made)
    yield made
    made.cut()


def polls_of(fake):
    return [request.time for request in fake.seen("activity")]


def wait_woken(fake, before):
    """The poll after the first `before` ones came sooner than by itself."""
    times = [request.time for request in fake.wait_for("activity", before + 1)]
    assert times[before] - times[before - 1] < SOON, times


def settle(fake, tap, opened=1):
    """Returns how many polls there were once the stream was open and had caused its poll."""
    tap.wait_opened(opened)
    fake.wait_for("activity", 2 * opened)
    return len(polls_of(fake))


def incoming(tap, **fields):
    tap.tell("ACTIVITY_LOGGED", activity_type="a2a_receive", source_id=PEER, **fields)


def test_5_an_event_makes_the_poll_run_at_once(spawn, fake, tap):
    child = spawn()
    child.initialize()
    before = settle(fake, tap)
    waiting = child.start_tool("wait_for_message", {"timeout_secs": 30})
    id = fake.add_message("now")
    incoming(tap)
    assert child.tool_result(waiting).json["activity_id"] == id
    wait_woken(fake, before)


def test_5_messages_arrive_within_a_second_on_the_real_platform(spawn, platform, token, tmp_path):
    agent = platform.create_workspace("agent")
    peer = platform.create_workspace("peer")
    platform.register(peer)
    child = spawn({"WORKSPACE_ID": agent.id, "MOLECULE_WORKSPACE_TOKEN": agent.token,
                   "PLATFORM_URL": platform.url, "CONFIGS_DIR": str(tmp_path / "real")},
                  secrets=[agent.token])
    child.initialize()
    taken = []
    for number in range(8):
        waiting = child.start_tool("wait_for_message", {"timeout_secs": 30})
        start = time.monotonic()
        platform.send(agent, f"message {number}", caller=peer if number % 2 else None)
        message = child.tool_result(waiting).json
        taken.append(time.monotonic() - start)
        assert message["text"] == f"message {number}"
        child.call("inbox_pop", activity_id=message["activity_id"])
    assert statistics.median(taken) < 1, taken


def test_5_a_burst_of_events_is_few_polls(spawn, fake, tap):
    child = spawn()
    child.initialize()
    before = settle(fake, tap)
    for _ in range(200):
        incoming(tap)
    wait_woken(fake, before)
    first = fake.add_message("the last of the burst")
    incoming(tap)
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == first)
    times = polls_of(fake)
    # Measured where they arrive, so a little less than what lies between their beginnings.
    assert all(b - a > 0.05 for a, b in zip(times[before:], times[before + 1:])), times


def test_5_an_event_that_is_not_understood_counts(spawn, fake, tap):
    child = spawn()
    child.initialize()
    before = settle(fake, tap)
    tap.say(b"data: \x00{not json\r\n\r\n")
    wait_woken(fake, before)


@pytest.mark.parametrize("answer", [
    Reply(404, "404 page not found"), Reply(405, {"error": "method not allowed"}), HTML,
    Reply(200, {"status": "ok"}),
    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi")],
    ids=["404", "405", "html", "json", "text"])
def test_5_without_the_stream_the_poll_goes_on(spawn, fake, answer):
    fake.always("events", answer)
    child = spawn({"MOLECULE_LOG": "info"}, speed=20)
    child.initialize()
    child.wait_stderr("has no event stream")
    asked = len(fake.seen("events"))
    assert asked <= 3
    id = fake.add_message("polled")
    assert child.wait_messages(1)[0]["activity_id"] == id
    fake.next("activity", 12)  # a minute
    assert len(fake.seen("events")) == asked
    assert child.stderr_text.count("event stream") == 1


def test_5_a_proxy_that_holds_the_stream_back(spawn, fake):
    mute = EventTap(first=None)
    fake.always("events", mute)
    child = spawn({"MOLECULE_LOG": "info"}, speed=20)
    child.initialize()
    id = fake.add_message("polled")
    assert child.wait_messages(1)[0]["activity_id"] == id
    child.wait_stderr("has no event stream")
    assert len(fake.seen("events")) == 3
    mute.cut()


def test_5_a_stream_that_is_cut_comes_back_and_misses_nothing(spawn, fake, tap):
    child = spawn()
    child.initialize()
    before = settle(fake, tap)
    fake.script("events", RESET)
    id = fake.add_message("while it was cut")
    tap.cut()
    tap.wait_opened(2)
    fake.wait_for("activity", where=lambda r: r.query.get("since_id") == id)
    assert len(polls_of(fake)) > before
    before = len(polls_of(fake))
    incoming(tap)
    wait_woken(fake, before)


def test_5_a_stream_that_falls_silent_is_opened_again(spawn, fake, tap):
    child = spawn(speed=20)
    child.initialize()
    tap.wait_opened()
    tap.say(b": ping\n\n")
    tap.wait_opened(2)


def test_5_when_the_owner_is_killed_the_next_one_listens(spawn, fake, tap):
    first, second = spawn(), None
    first.initialize()
    tap.wait_opened()
    second = spawn()
    second.initialize()
    first.kill()
    tap.wait_opened(2)
    before = len(polls_of(fake))
    fake.wait_for("activity", before + 1)
    id = fake.add_message("for the second")
    incoming(tap)
    assert second.wait_messages(1, DEADLINE)[0]["activity_id"] == id


def test_5_one_process_listens(spawn, fake, tap):
    for child in (spawn(speed=20), spawn(speed=20)):
        child.initialize()
    tap.wait_opened()
    for beats in (2, 3):
        fake.wait_for("heartbeat", beats)
        # A stream that is silent for long is opened again.
        tap.say(PING)
    assert len(fake.seen("events")) == 1
