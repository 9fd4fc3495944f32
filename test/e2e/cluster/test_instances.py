"""Several instances on one store behave as one platform (platform-operation.md 3)."""

import concurrent.futures
import http.client
import json
import signal
import time

import pytest

from support.cluster import Cluster
from support.deadline import DEADLINE
from support.events import EventStream
from support.platform import text_of, until


@pytest.fixture(scope="module")
def cluster(build):
    with Cluster(build, 3) as started:
        yield started


@pytest.fixture
def agent(cluster):
    first = cluster.instances[0]
    made = first.create_workspace("agent")
    assert first.register(made).status == 200
    return made


def open_stream(platform, workspace):
    connection = http.client.HTTPConnection(platform.host, platform.port, timeout=DEADLINE)
    connection.request("GET", f"/workspaces/{workspace.id}/events/stream",
                       headers={"Authorization": f"Bearer {workspace.token}"})
    reply = connection.getresponse()
    assert reply.status == 200
    return connection, reply


def next_event(reply, kind):
    while True:
        line = reply.readline()
        assert line, "the stream ended"
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            if event["type"] == kind:
                return event


def test_an_event_reaches_the_clients_of_every_instance_once(cluster, agent):
    first, second, third = cluster.instances
    with EventStream(first, first.admin_token) as here, EventStream(third, third.admin_token) as there, \
            EventStream(second, agent.token) as own:
        connection, stream = open_stream(third, agent)
        for number in range(20):
            sender = cluster.instances[number % 3]
            assert sender.send(agent, f"message {number}", message_id=f"m{number}").status == 200
        for listener in (here, there, own):
            seen = []
            while len(seen) < 20:
                frame = listener.wait_for("ACTIVITY_LOGGED", agent.id)
                seen.append(frame["payload"]["message_id"])
            assert sorted(seen) == sorted(f"m{number}" for number in range(20))
        seen = [next_event(stream, "ACTIVITY_LOGGED")["data"]["message_id"] for _ in range(20)]
        assert sorted(seen) == sorted(f"m{number}" for number in range(20))
        connection.close()
        # What the person says, and how far the agent has come, is said everywhere too.
        said = {frame["payload"]["messageId"] for frame in there.seen if frame["event"] == "USER_MESSAGE"}
        assert said >= {f"m{number}" for number in range(19)}
        second.activity(agent, type="a2a_receive")
        assert there.wait_for("MESSAGE_FETCHED", agent.id)["payload"]["seq"] > 0
        first.heartbeat(agent, current_task="thinking")
        assert there.wait_for("TASK_UPDATED", agent.id)["payload"]["current_task"] == "thinking"
        there.wait_for("WORKSPACE_HEARTBEAT", agent.id)


def test_an_agent_beats_on_one_polls_on_another_and_logs_in_anywhere(cluster, agent):
    first, second, third = cluster.instances
    assert second.heartbeat(agent).status == 200
    assert third.send(agent, "hello").status == 200
    assert [text_of(row) for row in first.activity(agent, type="a2a_receive").body] == ["hello"]
    assert [one.status_of(agent) for one in cluster.instances] == ["online"] * 3
    # The same message again, wherever it comes from, is no other one.
    for one in cluster.instances:
        assert one.send(agent, "twice?", message_id="same").status == 200
    assert [text_of(row) for row in second.activity(agent, type="a2a_receive").body].count("twice?") == 1
    login = first.request("POST", "/login", json={"token": first.admin_token})
    assert login.status == 200
    session = login.body["session"]["id"]
    assert session in [one["id"] for one in second.admin("GET", "/sessions").body["sessions"]]
    token = second.request("POST", f"/workspaces/{agent.id}/tokens", agent.token, {}).body["auth_token"]
    third.secrets.add(token)
    assert third.request("GET", f"/workspaces/{agent.id}/activity", token).status == 200


def test_a_revoked_token_ends_at_every_instance(cluster, agent):
    first, second, _ = cluster.instances
    connection, stream = open_stream(second, agent)
    assert first.admin("POST", f"/workspaces/{agent.id}/external/rotate", {}).status == 200
    while stream.readline():
        pass
    connection.close()
    assert second.request("GET", f"/workspaces/{agent.id}/activity", agent.token).status == 401


def test_one_of_several_writers_of_a_key_wins(cluster, agent):
    path = f"/workspaces/{agent.id}/memory"

    def write(number):
        return cluster.instances[number % 3].request(
            "POST", path, agent.token, {"key": "k", "value": number, "if_match_version": 0}).status

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(write, range(12)))
    assert statuses == [200] + [409] * 11


def test_requests_count_at_every_instance(build):
    with Cluster(build, 3, env={"RATE_LIMIT": "60"}) as cluster:
        agent = cluster.instances[0].create_workspace("agent")
        cluster.instances[0].register(agent)
        accepted, refused, started = 0, [0, 0, 0], time.monotonic()
        # Far more than one instance's share, slower than they tell each other.
        for number in range(600):
            status = cluster.instances[number % 3].request(
                "GET", f"/workspaces/{agent.id}/memory", agent.token).status
            accepted += status == 200
            refused[number % 3] += status == 429
            if all(refused) or time.monotonic() - started > 50:
                break
            time.sleep(0.05)
        assert all(refused), (accepted, refused)
        # Each tells what it counted once a second, of about seven requests here.
        assert 60 <= accepted <= 60 + 3 * 25, accepted


def test_an_address_without_a_token_counts_at_every_instance(build):
    with Cluster(build, 2, env={"RATE_LIMIT": "1000"}) as cluster:
        first, second = cluster.instances
        statuses = [first.request("GET", "/nothing").status for _ in range(1001)]
        assert statuses == [404] * 1000 + [429]
        accepted = 0

        def refused():
            nonlocal accepted
            time.sleep(0.02)  # or all of its own 1,000 come before it is told
            status = second.request("GET", "/nothing").status
            accepted += status == 404
            return status == 429

        until(refused, what="a refusal at the other instance")
        # It was told within a second.
        assert accepted < 900
        assert second.request("GET", "/health").status == 200


def test_wrong_logins_count_at_every_instance(build):
    with Cluster(build, 3) as cluster:
        for instance in cluster.instances:
            assert instance.request("GET", "/health").status == 200

        def refused_somewhere_new():
            statuses = [one.request("POST", "/login", json={"token": "wrong"}).status for one in cluster.instances]
            return 429 in statuses

        until(refused_somewhere_new, what="a refusal")
        # The right one is never refused.
        assert cluster.instances[1].request("POST", "/login",
                                            json={"token": cluster.admin_token}).status == 200


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_another_instance_leads_within_5_seconds(build, how):
    with Cluster(build, 3) as cluster:
        leader = until(lambda: (place := cluster.leader()) is not None and [place], what="a leader")[0]
        gone = cluster.instances.pop(leader)
        gone.process.send_signal(how)
        started = time.monotonic()
        try:
            until(lambda: cluster.leader() is not None, what="another leader")
            took = time.monotonic() - started
            assert took < 5 + 3, took  # a loaded machine included
            assert [one.admin("GET", "/admin/liveness").body["leads"] for one in cluster.instances].count(True) == 1
        finally:
            gone.process.send_signal(signal.SIGCONT)
            gone.kill9()


def test_after_a_restart_of_the_server_events_go_on(build):
    from support.postgres import Server

    with Server() as server, Cluster(build, 2, server=server) as cluster:
        first, second = cluster.instances
        agent = first.create_workspace("agent")
        first.register(agent)
        with EventStream(second, second.admin_token) as listener:
            for how in (signal.SIGINT, signal.SIGQUIT):
                server.stop(how)
                assert first.request("GET", "/health").body == {"status": "ok"}
                assert first.send(agent, "away").status == 503
                server.start()
                name = f"after {how}"
                until(lambda: first.send(agent, name, message_id=name).status == 200, what="the store")
                while listener.wait_for("ACTIVITY_LOGGED", agent.id)["payload"].get("message_id") != name:
                    pass
