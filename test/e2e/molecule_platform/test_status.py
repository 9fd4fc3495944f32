"""The status machine (platform-api.md 2.6), seen from outside: GET, events, WebSocket."""

import datetime
import time

import pytest

from support.events import EventStream
from support.platform import Platform, until


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


@pytest.fixture
def events(platform):
    with EventStream(platform, platform.admin_token) as stream:
        yield stream


def set_status(platform, workspace, status):
    """Sets the status in the database, because no route leads to every status."""
    platform.change_database(
        f"UPDATE workspaces SET status = '{status}' WHERE id = '{workspace.id}'")


@pytest.mark.parametrize("status", ["awaiting_agent", "offline", "provisioning"])
def test_any_heartbeat_lifts_to_online_and_announces_it(platform, agent, status):
    """Lessons 1: tools worked while the canvas kept showing OFFLINE."""
    set_status(platform, agent, status)
    with EventStream(platform, platform.admin_token) as events:
        heartbeat = platform.heartbeat(agent, active_tasks=1)
        assert heartbeat.body["status"] == "ok"
        frame = events.wait_for("WORKSPACE_ONLINE", agent.id)
        wanted = {} if status == "offline" else {"recovered_from": status}
        assert frame["payload"] == wanted
        frame = events.wait_for("WORKSPACE_HEARTBEAT", agent.id)
        assert frame["payload"]["active_tasks"] == 1
    assert platform.status_of(agent) == "online"


@pytest.mark.parametrize("status", ["paused", "failed", "hibernated", "removed"])
def test_a_heartbeat_does_not_lift_these(platform, agent, status):
    set_status(platform, agent, status)
    assert platform.heartbeat(agent).status == (401 if status == "removed" else 200)
    shown = platform.request("GET", f"/workspaces/{agent.id}?include_removed=true")
    assert shown.body["status"] == status


def test_a_register_lifts_to_online(platform, agent, events):
    platform.register(agent, agent_card={"name": "x"})
    frame = events.wait_for("WORKSPACE_ONLINE", agent.id)
    assert frame["payload"] == {"url": "", "agent_card": {"name": "x"}, "delivery_mode": "poll"}
    assert platform.status_of(agent) == "online"


def test_errors_degrade_and_recover_with_hysteresis(platform, agent, events):
    platform.register(agent)
    for rate, status in ((0.3, "online"), (0.49, "online"), (0.5, "degraded"), (0.3, "degraded"),
                         (0.1, "degraded"), (0.09, "online"), (1, "degraded"), (0, "online")):
        assert platform.heartbeat(agent, error_rate=rate, sample_error="boom").status == 200
        assert platform.status_of(agent) == status, rate
    frame = events.wait_for("WORKSPACE_DEGRADED", agent.id)
    assert frame["payload"] == {"error_rate": 0.5, "sample_error": "boom"}
    assert events.wait_for("WORKSPACE_ONLINE", agent.id)["payload"] == {}


def test_a_wedged_agent_is_degraded_until_it_recovers(platform, agent, events):
    platform.register(agent)
    platform.heartbeat(agent, runtime_state="wedged", sample_error="stuck")
    frame = events.wait_for("WORKSPACE_DEGRADED", agent.id)
    assert frame["payload"] == {"runtime_state": "wedged", "sample_error": "stuck"}
    platform.heartbeat(agent, runtime_state="wedged")
    assert platform.status_of(agent) == "degraded"
    platform.heartbeat(agent)
    assert platform.status_of(agent) == "online"


def test_an_agent_that_manages_its_status_is_not_degraded_by_errors(platform, agent):
    platform.register(agent)
    managed = {"capabilities": {"status_mgmt": True}}
    platform.heartbeat(agent, error_rate=0.9, runtime_metadata=managed)
    assert platform.status_of(agent) == "online"
    platform.heartbeat(agent, error_rate=0.9)
    assert platform.status_of(agent) == "degraded"


def test_task_updated_is_sent_only_when_the_task_changes(platform, agent, events):
    platform.register(agent)
    for task in ("a", "a", "b", ""):
        platform.heartbeat(agent, current_task=task, uptime_seconds=5)
    for _ in range(4):
        events.wait_for("WORKSPACE_HEARTBEAT", agent.id)
    tasks = [frame["payload"]["current_task"] for frame in events.seen
             if frame["event"] == "TASK_UPDATED"]
    assert tasks == ["a", "b", ""]


def test_a_silent_agent_is_awaited_again_after_90_s_and_can_return(build, speedup):
    # 90 s last 9 s: `beating` must not fall silent as well where the machine is busy.
    with Platform(build, env=speedup(10)) as platform:
        silent, beating = platform.create_workspace("silent"), platform.create_workspace("beating")
        with EventStream(platform, platform.admin_token) as events:
            platform.register(silent)
            platform.register(beating)
            shown, start = events.wait_for("WORKSPACE_ONLINE", silent.id)["timestamp"], time.monotonic()
            beats = 0

            def swept():
                nonlocal beats
                # Each 5 s of the platform's: a faster beat reaches its limit of requests.
                if time.monotonic() >= start + beats * 0.5:
                    beats += 1
                    assert platform.heartbeat(beating).status == 200
                    # Who does not read does not answer the server's pings, and is dropped.
                    events.wait_for("WORKSPACE_HEARTBEAT", beating.id)
                return platform.status_of(silent) == "awaiting_agent"

            until(swept, 30, "the sweep")
            # Before anything else is waited for: it does not beat meanwhile.
            assert platform.status_of(beating) == "online"
            read = [f for f in events.seen if f["event"] == "WORKSPACE_OFFLINE"]
            frame = read[0] if read else events.wait_for("WORKSPACE_OFFLINE")
            assert frame["workspace_id"] == silent.id
            assert frame["payload"] == {}
            elapsed = seconds_of(frame["timestamp"]) - seconds_of(shown)
            assert 89 <= elapsed <= 130, elapsed  # 90 s, plus at most one sweep interval of 15 s
            assert platform.heartbeat(silent).status == 200
            events.wait_for("WORKSPACE_ONLINE", silent.id)
            assert platform.status_of(silent) == "online"


def test_presence_survives_a_restart_and_the_sweep_continues(build, speedup):
    with Platform(build, env=speedup(40)) as platform:
        agent = platform.create_workspace("agent")
        platform.register(agent)
        platform.kill9()
        platform.start()
        assert platform.status_of(agent) == "online"
        until(lambda: platform.status_of(agent) == "awaiting_agent", 30, "the sweep")


def seconds_of(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()
