"""The attacks themselves. Each takes a world and how hard to try (1: a few seconds), and gives its
`Result`. Named after the rows of the fault report that they come from."""

import collections
import contextlib
import http.client
import os
import select
import struct
import time

from attacked_platform import MIB, RawConnection, Result


def drop_quietly(action):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return action()
    return None


def c2_unread_downloads(world, scale=1):
    """One token: downloads that nobody reads, each with a second descriptor, and idle
    connections up to the limit."""
    path = world.store_file(8 * MIB)
    with world.attack("C2 unread downloads") as result:
        for _ in range(120 * scale):
            client = drop_quietly(lambda: world.connect(4096))
            if client:
                drop_quietly(lambda: client.sendall(world.text("GET", path, world.attacker.token)))
        for _ in range(150 * scale):
            drop_quietly(world.connect)
        time.sleep(2)
    return result


def c4_silent_strangers(world, scale=1):
    """More connections than descriptors, of one byte each, renewed as they are dropped."""
    with world.attack("C4 silent strangers") as result:
        end = time.monotonic() + 3 * scale
        opened = 0
        while time.monotonic() < end:
            client = drop_quietly(lambda: world.connect(timeout=0.5))
            if client is None:
                continue
            drop_quietly(lambda: client.sendall(b"G"))
            opened += 1
            if opened >= 400 * scale:
                time.sleep(0.01)
        result.notes["opened"] = opened
    return result


def c4_slow_heads(world, scale=1):
    """Heads that come a byte at a time: how long each is waited for."""
    with world.attack("C4 slow heads") as result:
        crowd = [world.connect() for _ in range(20 * scale)]
        start = time.monotonic()
        open_still = list(crowd)
        while open_still and time.monotonic() - start < 20:
            for client in list(open_still):
                try:
                    client.sendall(b"G")
                except OSError:
                    open_still.remove(client)
            time.sleep(0.5)
        result.notes["dropped_after"] = round(time.monotonic() - start, 1)
        result.notes["still_open"] = len(open_still)
    return result


def c4_declared_bodies(world, scale=1):
    """Heads that declare 100 MB with three bytes of body: others' larger bodies must pass."""
    head = world.text("POST", f"/workspaces/{world.attacker.id}/chat/uploads",
                      world.attacker.token, [f"Content-Length: {101 * MIB}"])
    with world.attack("C4 declared bodies") as result:
        for _ in range(8 * scale):
            world.connect().sendall(head + b"abc")
        time.sleep(0.3)
        body = '{"workspace_id": "%s"%s}' % (world.other.id, " " * 100_000)
        refused = [reply.status for _ in range(10)
                   if (reply := world.platform.request("POST", "/registry/heartbeat",
                                                       world.other.token, body=body)).status != 200]
        result.notes["others_refused"] = len(refused)
    return result


def c3_pings(world, scale=1):
    """Empty pings, and nothing is read."""
    ping = struct.pack("!BBI", 0x89, 0x80, 0) * 10_000
    with world.attack("C3 pings") as result:
        client, status = world.web_socket(world.attacker.token, 4096)
        assert status == 101
        client.setblocking(False)
        end = time.monotonic() + 4 * scale
        sent = 0
        while time.monotonic() < end:
            select.select([], [client], [], 0.1)
            try:
                sent += client.send(ping[sent % 6:])
            except BlockingIOError:
                pass
            except OSError:
                break
        result.notes["pings"] = sent // 6
    return result


def c3_unread_events(world, scale=1):
    """WebSockets of several tokens that read nothing, while large events come."""
    tokens = [world.attacker.token, world.platform.admin_token]
    with world.attack("C3 unread events") as result:
        opened = 0
        for number in range(256):
            _, status = world.web_socket(tokens[number % 2], 4096)
            opened += status == 101
        for _ in range(25 * scale):
            drop_quietly(lambda: world.change_card(200_000))
        result.notes["opened"] = opened
    return result


def c3_hoarded_sockets(world, scale=1):
    """All WebSockets for one token: the person still gets one."""
    with world.attack("C3 hoarded sockets") as result:
        statuses = [world.web_socket(world.attacker.token)[1] for _ in range(256 + 44 * scale)]
        result.notes["opened"] = statuses.count(101)
        result.notes["person"] = world.web_socket(world.platform.admin_token)[1]
        result.notes["another"] = world.web_socket(world.other.token)[1]
    return result


def c3_unread_answers(world, scale=1):
    """Large answers, asked for on many connections and not read."""
    path = world.store_value(10 * MIB)
    with world.attack("C3 unread answers") as result:
        crowd = []
        for _ in range(60 * scale):
            client = drop_quietly(lambda: world.connect(4096))
            if client:
                crowd.append(client)
        for client in crowd:
            drop_quietly(lambda: client.sendall(world.text("GET", path, world.attacker.token)))
        time.sleep(3 * scale)
    return result


def c5_swallowed_requests(world, scale=1):
    """After a framing error the connection is closed: nobody's next request is swallowed."""
    health = world.text("GET", "/health")
    beginning = f"POST /health HTTP/1.1\r\nHost: {world.platform.host}\r\n"
    rows = [fields + "\r\n" + body for fields, body in [
        (f"Content-Length : {len(health)}\r\n", ""), ("Transfer-Encoding : chunked\r\n", ""),
        (f" Content-Length: {len(health)}\r\n", ""), ("X: y\n", ""), ("X: y\r\n z\r\n", ""),
        ("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"),
        ("Content-Length: 0\r\nContent-Length: 0\r\n", ""), ("Content-Length: +0\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "0\r\nX: y\n\r\n"), ("Host : y\r\n", "")]]
    result = Result("C5 swallowed requests")
    kept = []
    for row in rows * scale:
        with RawConnection(world.platform, timeout=3) as connection:
            try:
                connection.send(beginning + row)
                status = connection.read_reply().status
                connection.send(health)
                if not connection.closed() or status != 400:
                    kept.append((row, status))
            except ConnectionError:
                pass
            except TimeoutError:
                kept.append((row, "no answer"))
    result.notes["kept_open"] = len(kept)
    result.kept = kept
    return result


def as_fast_as_answered(world, seconds, request):
    """Sends what `request()` gives on ten connections; returns the number of answers by status."""
    crowd = [world.connect() for _ in range(10)]
    for client in crowd:
        client.setblocking(False)
    end = time.monotonic() + seconds
    statuses, pending = collections.Counter(), set()
    while time.monotonic() < end:
        for client in crowd:
            if client not in pending:
                drop_quietly(lambda: client.send(request()))
                pending.add(client)
        for client in select.select(crowd, [], [], 0.05)[0]:
            if answer := drop_quietly(lambda: client.recv(65536)):
                statuses[int(answer.split(b" ", 2)[1])] += 1
                pending.discard(client)
    return statuses


def c13_guesses(world, scale=1):
    """Wrong admin tokens as fast as they are answered; right ones are served meanwhile."""
    with world.attack("C13 guesses") as result:
        statuses = as_fast_as_answered(
            world, 3 * scale, lambda: world.text("GET", "/workspaces", os.urandom(8).hex()))
        result.notes["guesses_a_second"] = round(statuses.total() / (3 * scale))
        result.notes["right_token"] = world.platform.admin("GET", "/workspaces").status
    return result


def c7_strangers(world, scale=1):
    """Requests without a token as fast as they are answered, from the address of the others."""
    with world.attack("C7 strangers") as result:
        path = f"/workspaces/{world.other.id}"
        statuses = as_fast_as_answered(world, 3 * scale, lambda: world.text("GET", path))
        result.notes["answered_a_second"] = round(statuses.total() / (3 * scale))
        result.notes["served"] = statuses[200]
        result.notes["refused"] = statuses[429]
    return result


#: Attack, and the descriptors that the platform may have (nothing: as many as it likes).
ALL = [(c2_unread_downloads, 256), (c3_pings, None), (c3_unread_events, None),
       (c3_hoarded_sockets, None), (c3_unread_answers, None), (c4_silent_strangers, 256),
       (c4_slow_heads, None), (c4_declared_bodies, None), (c5_swallowed_requests, None),
       (c7_strangers, None), (c13_guesses, None)]
