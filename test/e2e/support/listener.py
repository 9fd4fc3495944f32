"""A TCP server on a free loopback port, with one thread per connection; and relays to another one."""

import contextlib
import socket
import threading


class Listener:
    """`serve(connection)` runs on its own thread; the connection closes when it returns."""

    def __init__(self, serve):
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()


def relay(client, port, first=b""):
    """Takes bytes both ways between `client` and a new connection to `port`, until both have ended.
    `first` was read of the client already."""
    with socket.create_connection(("127.0.0.1", port)) as server:
        server.sendall(first)
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    # Who has ended hears no more of the other either, so that no relay outlives its client.
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
