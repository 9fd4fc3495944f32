"""A certificate authority of a test's own, and a way to reach names of the network on this machine."""

import subprocess

from support.listener import Listener, relay


def make_certificate(folder, *names):
    """fullchain.pem and privkey.pem for these names, signed by themselves."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={names[0]}", "-keyout", folder / "privkey.pem",
                    "-out", folder / "fullchain.pem", "-addext",
                    "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)],
                   check=True, capture_output=True)
    return folder / "fullchain.pem"


class Tunnel:
    """An HTTP proxy that takes every CONNECT, whatever its host, to one port of this machine."""

    def __init__(self, port):
        self._port = port
        self._listener = Listener(self._serve)
        self.url = f"http://127.0.0.1:{self._listener.port}"
        self.close = self._listener.close

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        if not head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        relay(client, self._port)
