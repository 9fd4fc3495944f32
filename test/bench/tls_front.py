"""A TLS server on a free loopback port that forwards everything to a plain one."""

import pathlib
import ssl
import subprocess

from support.listener import Listener, relay


class TlsFront:
    """`url` is its address; `folder` is an SSL_CERT_DIR that trusts it, created below `scratch`."""

    def __init__(self, scratch, port):
        folder = pathlib.Path(scratch, "certificates")
        folder.mkdir(exist_ok=True)
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        if not certificate.exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days",
                 "2", "-subj", "/CN=localhost", "-addext",
                 "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
            name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", certificate],
                                  check=True, capture_output=True, text=True).stdout.strip()
            (folder / f"{name}.0").symlink_to(certificate)
        self._port = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = Listener(self._serve)
        self.url = f"https://127.0.0.1:{self._listener.port}"
        self.folder = str(folder)
        self.close = self._listener.close

    def _serve(self, client):
        try:
            with self._context.wrap_socket(client, server_side=True) as encrypted:
                relay(encrypted, self._port)
        except OSError:
            pass  # the client closed the connection
