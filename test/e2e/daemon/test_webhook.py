"""A webhook as the handler: what it is sent, its signature, and what its answers mean."""

import hashlib
import hmac
import http.server
import json
import threading

import pytest

from support.daemon import Daemon
from support.deadline import DEADLINE
from support.platform import until


@pytest.fixture
def hook():
    """A server on this machine; `replies` are (status, type, body), the last one for ever."""
    requests, replies = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((dict(self.headers), body))
            server.may_answer.wait(DEADLINE)
            status, kind, text = replies[0] if len(replies) == 1 else replies.pop(0)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.requests, server.replies = requests, replies
    server.may_answer = threading.Event()
    server.may_answer.set()
    yield server
    server.may_answer.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(mcp_binary, platform, tmp_path, hook, keep):
    def begin(*arguments, env=None):
        secret = tmp_path / "secret"
        secret.write_text("a shared secret\n")
        secret.chmod(0o600)
        daemon = Daemon(mcp_binary, platform, platform.create_workspace("Ada"), tmp_path / "home",
                        "--handler", "webhook", "--url", f"http://127.0.0.1:{hook.server_port}/in",
                        "--secret-file", secret, "--retry-secs", "0", *arguments, env=env)
        return keep(daemon)

    return begin


def test_a_signed_request_and_an_answer(start, hook):
    hook.replies += [(200, "application/json", b'{"text":"from the hook"}')]
    daemon = start()
    daemon.ask("hello")
    assert daemon.wait_answers(1) == ["from the hook"]
    headers, body = hook.requests[0]
    assert json.loads(body)["text"] == "hello"
    signature = hmac.new(b"a shared secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Molecule-Signature"] == f"sha256={signature}"
    assert daemon.workspace.token not in str(headers) and "a shared secret" not in daemon.log()


def test_text_and_202_and_failures(start, hook):
    hook.replies += [(500, "text/plain", b"no"), (200, "text/plain", b" plain "),
                     (202, "text/plain", b""), (404, "text/plain", b"")]
    daemon = start()
    daemon.ask("one")
    assert daemon.wait_answers(1) == ["plain"]
    daemon.ask("two")
    until(lambda: len(hook.requests) == 3 and not daemon.waiting())
    assert daemon.answers() == ["plain"]
    daemon.ask("three")
    assert "status 404" in until(daemon.set_aside)[0][1]


def test_a_long_request_keeps_its_message(start, hook, speedup):
    """The lease is renewed; else another session would be given the message after ten minutes."""
    hook.replies += [(200, "text/plain", b"at last")]
    hook.may_answer.clear()
    daemon = start("--deadline-secs", "86400", env=speedup(20))
    daemon.ask("hello")
    (first,) = until(lambda: hook.requests and daemon.rows("SELECT leased_at FROM leases"))
    until(lambda: daemon.rows("SELECT 1 FROM leases WHERE leased_at > ?", *first))
    hook.may_answer.set()
    assert daemon.wait_answers(1) == ["at last"]


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1", "https://",
                                 "http://127.0.0.1.evil.example/", "http://user@127.0.0.1/",
                                 "http://127.0.0.1@evil.example/"])
def test_other_addresses_are_refused(mcp_binary, platform, tmp_path, url):
    daemon = Daemon(mcp_binary, platform, platform.create_workspace("Ada"), tmp_path / "home",
                    "--handler", "webhook", "--url", url)
    assert daemon.start().wait() == 2
    assert "url must be https" in daemon.log()
