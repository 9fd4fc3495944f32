"""A way to the platform whose event stream can be cut, while its calls go on."""

import contextlib
import socket
import threading

from support.listener import Listener, relay


class Cuttable:
    def __init__(self, port):
        self._target = port
        self._listener = Listener(self._serve)
        self.url = f"http://127.0.0.1:{self._listener.port}"
        self._lock = threading.Lock()
        self._is_cut = False
        self._streams = []
        self.refused = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self.cut()

    def cut(self):
        with self._lock:
            self._is_cut = True
            streams, self._streams = self._streams, []
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def mend(self):
        with self._lock:
            self._is_cut = False

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            first = client.recv(65536)
            if first.startswith(b"GET /ws "):
                with self._lock:
                    if self._is_cut:
                        self.refused += 1
                        return
                    self._streams.append(client)
            relay(client, self._target, first)
