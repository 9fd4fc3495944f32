"""A platform under attack, and another client that measures how it is served meanwhile.

Everything runs on loopback, against a process that this starts, for a bounded time.
"""

import contextlib
import json
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from support.platform import Platform, Workspace  # noqa: E402,F401
from support.raw_http import RawConnection, request_text  # noqa: E402,F401

MIB = 1 << 20


class Victim(threading.Thread):
    """Beats on a connection of its own each time, and notes how long each beat took."""

    def __init__(self, platform, workspace, pause=0.05, timeout=20):
        super().__init__(daemon=True)
        self.platform, self.workspace = platform, workspace
        self.pause, self.timeout = pause, timeout
        self.seconds, self.failures = [], []
        self._ending = threading.Event()

    def run(self):
        while not self._ending.is_set():
            start = time.monotonic()
            try:
                reply = self.platform.request(
                    "POST", "/registry/heartbeat", self.workspace.token,
                    {"workspace_id": self.workspace.id}, timeout=self.timeout)
                if reply.status != 200:
                    self.failures.append(reply.status)
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))
            except Exception as error:  # http.client's own
                self.failures.append(repr(error))
            self.seconds.append(time.monotonic() - start)
            self._ending.wait(self.pause)

    def stop(self):
        self._ending.set()
        self.join(self.timeout + 5)


class Result:
    """What an attack cost: `grown` bytes at the high-water mark, the victim's seconds."""

    def __init__(self, name):
        self.name = name
        self.grown = self.slowest = self.median = self.recovery = 0.0
        self.failures = []
        self.notes = {}

    def line(self):
        notes = " ".join(f"{key}={value}" for key, value in self.notes.items())
        return (f"{self.name:20} memory +{self.grown / MIB:7.1f} MiB   others: median "
                f"{self.median * 1000:6.1f} ms, slowest {self.slowest * 1000:8.1f} ms, "
                f"{len(self.failures)} failed   recovered in {self.recovery:5.2f} s   {notes}")


class World:
    def __init__(self, build, descriptors=None, scratch=None):
        self.platform = Platform(build)
        self._sockets = []
        if descriptors:
            wrapper = pathlib.Path(scratch, "limited")
            wrapper.write_text(f"#!/bin/sh\nulimit -n {descriptors}\n"
                               f"exec {self.platform.binary} \"$@\"\n")
            wrapper.chmod(0o700)
            self.platform.binary = str(wrapper)

    def __enter__(self):
        self.platform.start()
        self.attacker = self.platform.create_workspace("attacker")
        self.other = self.platform.create_workspace("other")
        return self

    def __exit__(self, *kind):
        self.release()
        if kind[0] is None:
            self.platform.__exit__(*kind)
            return
        with contextlib.suppress(AssertionError):
            self.platform.stop()

    def release(self):
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.close()
        self._sockets.clear()

    def high_water(self):
        with open(f"/proc/{self.platform.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    @contextlib.contextmanager
    def attack(self, name):
        """Yields the result, which is complete after the block; then all sockets are released."""
        result = Result(name)
        before = self.high_water()
        victim = Victim(self.platform, self.other)
        victim.start()
        try:
            yield result
        finally:
            result.grown = self.high_water() - before
            victim.stop()
            self.release()
        result.failures = victim.failures
        result.slowest = max(victim.seconds)
        result.median = sorted(victim.seconds)[len(victim.seconds) // 2]
        start = time.monotonic()
        assert self.platform.request("GET", "/health", timeout=60).status == 200
        result.recovery = time.monotonic() - start

    # --- what attackers do ------------------------------------------------------------------

    def connect(self, receive_buffer=None, timeout=10):
        """A socket that is closed after the attack; raises OSError where there is none."""
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(timeout)
        client.connect((self.platform.host, self.platform.port))
        self._sockets.append(client)
        return client

    def text(self, method, path, token=None, headers=(), body=""):
        fields = list(headers) + ([f"Authorization: Bearer {token}"] if token else [])
        return request_text(self.platform, method, path, fields, body).encode()

    def web_socket(self, token, receive_buffer=None):
        """A WebSocket, and the status of its handshake."""
        client = self.connect(receive_buffer)
        client.sendall(self.text("GET", "/ws", token, [
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(1)
            if not part:
                break
            head += part
        return client, int(head.split(b" ")[1]) if head else 0

    def store_value(self, size):
        reply = self.platform.request(
            "POST", f"/workspaces/{self.attacker.id}/memory", self.attacker.token,
            {"key": "large", "value": "x" * size})
        assert reply.status in (200, 201), reply.status
        return f"/workspaces/{self.attacker.id}/memory/large"

    def store_file(self, size):
        boundary = "b"
        body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"f\""
                f"\r\n\r\n{'x' * size}\r\n--{boundary}--\r\n")
        reply = self.platform.request(
            "POST", f"/workspaces/{self.attacker.id}/chat/uploads", self.attacker.token, body=body,
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
        assert reply.status == 200, reply
        file = reply.body["files"][0]["uri"].rpartition("/")[2]
        return f"/workspaces/{self.attacker.id}/pending-uploads/{file}/content"

    def change_card(self, size):
        card = json.dumps({"workspace_id": self.attacker.id, "agent_card": {"name": "x" * size}})
        return self.platform.request("POST", "/registry/update-card", self.attacker.token,
                                     body=card)
