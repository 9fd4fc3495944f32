"""A proxy that serves a platform below a path, and takes that path away before it asks."""

import contextlib

from support.listener import Listener, relay


class Prefixed:
    def __init__(self, port, prefix):
        self._target, self._prefix = port, prefix.encode()
        self._listener = Listener(self._serve)
        self.url = f"http://127.0.0.1:{self._listener.port}{prefix}"
        self.outside = []  # request lines of what is not below the path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            line, rest = head.split(b"\r\n", 1)
            method, path, version = line.split(b" ")
            if not path.startswith(self._prefix + b"/"):
                self.outside.append(line.decode())
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            # One request a connection, so that each has its path changed.
            rest = rest.replace(b"Connection: keep-alive", b"Connection: close")
            changed = b" ".join((method, path[len(self._prefix):], version)) + b"\r\n" + rest
            relay(client, self._target, changed)
