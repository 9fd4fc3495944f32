"""An HTTP/1.1 loopback proxy between programs and platform that injects faults on demand."""

import re
import socket
import struct
import threading

from support.listener import Listener

# The faults for one exchange. Before the platform sees the request: "refuse" (reset at once),
# "hang" (no response until `release`). After: "lose" (reset instead of the response), "truncate"
# (half of it, then close), "garbage" (not HTTP), "html" (a proxy's page with status 200), "delay"
# (late).
FAULTS = ("refuse", "hang", "lose", "truncate", "garbage", "html", "delay")
PAGE = b"<html><body>Please sign in</body></html>"
HTML = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b"
        % (len(PAGE), PAGE))
GARBAGE = bytes(range(255, 127, -1)) * 4 + b"\r\n\r\n"


class Proxy:
    """`url` never changes; set `port` when the platform behind it moves."""

    def __init__(self, port):
        self.port = port
        self.spoiled = 0
        self._plan = lambda method, path: None
        self._released = threading.Event()
        self._listener = Listener(self._serve)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def plan(self, choose):
        """`choose(method, path)` returns a fault or None for each request from now on."""
        self._plan = choose

    def heal(self):
        self._plan = lambda method, path: None
        self.release()

    def release(self):
        """Resets the connections of all hanging exchanges."""
        released, self._released = self._released, threading.Event()
        released.set()

    def close(self):
        self.release()
        self._listener.close()

    def _serve(self, client):
        """One exchange at a time: the client sends its next request after the response."""
        platform = None
        try:
            while request := read_message(client):
                method, path = request.split(b" ", 2)[:2]
                fault = self._plan(method.decode(), path.decode())
                self.spoiled += fault is not None
                if fault == "hang":
                    self._released.wait(60)
                if fault in ("hang", "refuse"):
                    return reset(client)
                if platform is None:
                    platform = socket.create_connection(("127.0.0.1", self.port), 10)
                platform.sendall(request)
                answer = read_message(platform, of=method)
                if not answer or fault == "lose":
                    return reset(client)
                if fault == "delay":
                    self._released.wait(0.3)
                if fault == "truncate":
                    return client.sendall(answer[:max(1, len(answer) // 2)])
                if fault in ("garbage", "html"):
                    return client.sendall(HTML if fault == "html" else GARBAGE)
                client.sendall(answer)
        except OSError:
            reset(client)
        finally:
            client.close()
            if platform:
                platform.close()


def reset(client):
    """Closes the connection with RST."""
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    client.close()


def read_message(source, of=b""):
    """One complete HTTP message, or None if the other side closed the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = source.recv(65536)
        if not more:
            return b""
        data += more
        if b"\r\n\r\n" in data and re.search(rb"(?i)\r\nexpect: 100", data):
            source.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    chunked = re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head)
    while chunked and not body.endswith(b"0\r\n\r\n") or length and len(body) < int(length[1]):
        more = source.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body
