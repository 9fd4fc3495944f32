"""What operators and load balancers rely on (platform-api.md 9.8): /ready, /metrics, the drain, and
presence that survives the end of the process, however it ends."""

import json
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import urllib.request

import pytest

from e2e.molecule_platform.test_cli import run
from support.deadline import DEADLINE
from support.platform import Platform, database_of, until

DASHBOARD = pathlib.Path(__file__).parents[4] / "packaging/grafana/molecule-platform.json"


def stored_heartbeat(platform, agent):
    connection = sqlite3.connect(database_of(platform.data_dir))
    try:
        return connection.execute("SELECT coalesce(last_heartbeat_at, 0) FROM workspaces WHERE id = ?",
                                  (agent.id,)).fetchone()[0]
    finally:
        connection.close()


def shown_heartbeat(platform, agent):
    return platform.request("GET", f"/workspaces/{agent.id}").body["last_heartbeat_at"]


def metric(text, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])


def test_ready_tells_engine_and_version(platform):
    reply = platform.request("GET", "/ready")
    assert reply.status == 200
    assert reply.body["status"] == "ready" and reply.body["version"] and reply.body["engine"]


def test_a_drain_tells_load_balancers_and_goes_on_serving(build):
    with Platform(build, args=["--drain-delay", "600"]) as platform:
        agent = platform.create_workspace("agent")
        platform.process.send_signal(signal.SIGTERM)
        until(lambda: platform.request("GET", "/ready").status == 503, what="/ready says so")
        assert platform.request("GET", "/ready").body["status"] == "draining"
        assert platform.request("GET", "/health").body == {"status": "ok"}
        assert platform.send(agent, "still served").status == 200
        platform.process.send_signal(signal.SIGTERM)  # the second one ends the wait
        assert platform.process.wait(DEADLINE) == 0
        platform.kill9()
        platform.start()
        assert len(platform.activity(agent).body) == 1
        platform.kill9()  # a signal alone would wait again


def test_without_a_delay_it_ends_at_once(build):
    with Platform(build) as platform:
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(DEADLINE) == 0
        platform.kill9()
        platform.start()


@pytest.mark.parametrize("value", ["-1", "x", "3601"])
def test_a_wrong_drain_delay_is_refused(build, tmp_path, value):
    ended = run(build, "--drain-delay", value, "--data", str(tmp_path / "data"), home=tmp_path)
    assert ended.returncode == 2 and "--drain-delay" in ended.stderr


def test_metrics_have_an_address_of_their_own(build):
    with Platform(build, args=["--metrics-listen", "127.0.0.1:0"]) as platform:
        lines = until(lambda: platform.stdout().count("\n") == 2 and platform.stdout(), what="two lines")
        url = re.search(r"^metrics on (http://\S+/metrics)$", lines, re.M)[1]
        agent = platform.create_workspace("agent")
        assert platform.heartbeat(agent).status == 200
        with urllib.request.urlopen(url, timeout=DEADLINE) as reply:
            text = reply.read().decode()
            assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert metric(text, 'molecule_workspaces{status="online"}') == 1
        assert metric(text, "molecule_http_connections_active") >= 0
        assert metric(text, "molecule_http_connections_limit") > 0
        for secret in platform.secrets | {agent.id}:
            assert secret not in text
        # Nothing else is there, and bad requests harm nobody.
        port = int(url.rpartition(":")[2].partition("/")[0])
        for head in (b"GET /workspaces HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n\r\n",
                     b"GET /metricsx HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
                client.sendall(head)
                assert client.recv(65536).startswith(b"HTTP/1.1 404 ")
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            try:
                client.sendall(b"x" * 100_000)
                assert client.recv(1) == b""
            except ConnectionError:
                pass
        with urllib.request.urlopen(url, timeout=DEADLINE) as reply:
            assert reply.status == 200


@pytest.mark.parametrize("value", ["nonsense", "127.0.0.1", "example.org:1"])
def test_a_wrong_metrics_address_is_refused(build, tmp_path, value):
    ended = run(build, "--metrics-listen", value, "--data", str(tmp_path / "data"), home=tmp_path)
    assert ended.returncode == 2 and "--metrics-listen" in ended.stderr


def test_a_metrics_address_in_use_is_named(build, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run(build, "--listen", "127.0.0.1:0", "--metrics-listen", address, "--data",
                    str(tmp_path / "data"), home=tmp_path)
    assert ended.returncode == 1 and address in ended.stderr and not ended.stdout


def test_presence_is_seen_at_once_and_stored_within_seconds(platform):
    agent = platform.create_workspace("agent")
    platform.heartbeat(agent)
    first = shown_heartbeat(platform, agent)
    platform.heartbeat(agent, uptime_seconds=5)
    second = shown_heartbeat(platform, agent)
    assert second > first
    until(lambda: stored_heartbeat(platform, agent) > 0 and
          metric(platform.admin("GET", "/metrics").body, "molecule_presence_unsaved") == 0,
          what="the heartbeat is in the store")
    assert shown_heartbeat(platform, agent) == second


def test_presence_is_stored_at_the_end(build):
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        platform.heartbeat(agent)
        platform.heartbeat(agent, uptime_seconds=5)
        shown = shown_heartbeat(platform, agent)
        platform.restart()
        assert shown_heartbeat(platform, agent) == shown


def test_a_crash_takes_nobody_offline(build):
    """Heartbeats of the last seconds are lost; silence counts from the restart, see the unit tests."""
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        platform.heartbeat(agent)
        platform.kill9()
        platform.start()
        assert platform.status_of(agent) == "online"
        assert platform.heartbeat(agent, uptime_seconds=5).status == 200
        assert platform.status_of(agent) == "online"


def test_the_load_of_the_benchmark_runs(build, tmp_path):
    """test/bench/platform_load.py, in small: it must not rot between two uses."""
    load = build / "test" / "bench" / "platform_load"
    if not load.exists():
        pytest.skip("the benchmarks are not built")
    with Platform(build, env={"RATE_LIMIT": "0"}) as platform:
        token, agents = tmp_path / "token", tmp_path / "agents"
        token.write_text(platform.admin_token + "\n")

        def drive(*args):
            ended = subprocess.run([load, "--port", str(platform.port), "--agents", agents, *args],
                                   capture_output=True, text=True, timeout=DEADLINE)
            assert ended.returncode == 0, ended
            return ended.stdout

        drive("create", "--count", "20", "--token-file", token)
        drive("cursors")
        for work in ("health", "poll", "heartbeat", "message", "mix"):
            # On a busy machine a short run may end before its first answer.
            found, seconds = "{}", 0.2
            while found.strip() == "{}" and seconds < DEADLINE:
                found = drive("--seconds", str(seconds), "closed", "--connections", "4", "--work", work)
                seconds *= 4
            assert '"failures":0' in found and '"failed_status"' not in found, found
        found = drive("--seconds", "2", "offered", "--connections", "20", "--streams", "20",
                      "--polls", "50", "--heartbeats", "20", "--messages", "10")
        assert '"poll":{"count":' in found and '"failed_status"' not in found, found
        assert len(re.findall(r'"message":\{"count":(\d+)', found)) == 1


def test_the_dashboard_asks_for_series_that_exist(platform):
    dashboard = json.loads(DASHBOARD.read_text())
    asked = {name for panel in dashboard["panels"] for target in panel["targets"]
             for name in re.findall(r"molecule_\w+", target["expr"])}
    agent = platform.create_workspace("agent")
    platform.send(agent, "hello")
    text = platform.admin("GET", "/metrics").body
    served = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    assert len(asked) > 10
    assert {name.removesuffix("_bucket") for name in asked} <= served
