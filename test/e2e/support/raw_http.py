"""Handwritten HTTP: requests that no library would send, and responses that are parsed strictly."""

import json
import socket
import typing

from support.deadline import DEADLINE


class RawReply(typing.NamedTuple):
    status: int
    headers: dict  # lower-case names; a repeated field keeps its last value
    body: bytes

    def json(self):
        return json.loads(self.body)


class RawConnection:
    def __init__(self, platform, timeout=DEADLINE):
        self.socket = socket.create_connection((platform.host, platform.port), timeout)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def _more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError(f"closed after {self._buffer[:200]!r}")
        self._buffer += chunk

    def _take(self, count):
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def read_reply(self, head_only=False):
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head = self._take(self._buffer.index(b"\r\n\r\n") + 4).decode("latin-1")
        lines = head.split("\r\n")
        version, status, *_ = lines[0].split(" ")
        assert version.startswith("HTTP/1."), lines[0]
        fields = (line.split(":", 1) for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, value in fields}
        if int(status) < 200 or int(status) in (204, 304) or head_only:
            return RawReply(int(status), headers, b"")
        assert "content-length" in headers, head  # the platform always sends the length
        return RawReply(int(status), headers, self._take(int(headers["content-length"])))

    def closed(self):
        """Waits until the platform closes the connection; False if the timeout passes first."""
        try:
            while chunk := self.socket.recv(65536):
                self._buffer += chunk
            return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def exchange(platform, data):
    """Sends `data` on a new connection and returns the first final response."""
    with RawConnection(platform) as connection:
        try:
            connection.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # responded and closed before reading everything
        reply = connection.read_reply()
        while reply.status == 100:
            reply = connection.read_reply()
        return reply


def request_text(platform, method, path, headers=(), body="", host=None):
    """A well-formed request as text; `headers` are complete lines."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'{platform.host}:{platform.port}'}"]
    lines += list(headers)
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join(lines) + "\r\n\r\n" + body
