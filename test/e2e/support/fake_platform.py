"""A scripted platform: implements the part of the HTTP API that one workspace uses, records
every request, and injects faults on any route."""

import json
import re
import select
import socket
import struct
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from support.deadline import DEADLINE

PEER = "11111111-2222-4333-8444-555555555555"

# The tools that call the platform: the route, and valid arguments.
CALLS = {"list_peers": ("peers", {}), "get_workspace_info": ("info", {}),
         "send_message_to_user": ("notify", {"message": "m"}),
         "commit_memory": ("commit", {"content": "c"}), "recall_memory": ("recall", {}),
         "delegate_task_async": ("delegate", {"workspace_id": PEER, "task": "t"}),
         "check_task_status": ("delegations", {"workspace_id": PEER, "task_id": "x"}),
         "delegate_task": ("a2a", {"workspace_id": PEER, "task": "t"})}

ROUTES = [
    ("health", "GET", r"/health"),
    ("register", "POST", r"/registry/register"),
    ("heartbeat", "POST", r"/registry/heartbeat"),
    ("peers", "GET", r"/registry/(?P<id>[^/]+)/peers"),
    ("discover", "GET", r"/registry/discover/(?P<id>[^/]+)"),
    ("a2a", "POST", r"/workspaces/(?P<id>[^/]+)/a2a"),
    ("activity", "GET", r"/workspaces/(?P<id>[^/]+)/activity"),
    ("report", "POST", r"/workspaces/(?P<id>[^/]+)/activity"),
    ("events", "GET", r"/workspaces/(?P<id>[^/]+)/events/stream"),
    ("acknowledge", "POST", r"/workspaces/(?P<id>[^/]+)/activity/ack"),
    ("notify", "POST", r"/workspaces/(?P<id>[^/]+)/notify"),
    ("uploads", "POST", r"/workspaces/(?P<id>[^/]+)/chat/uploads"),
    ("pending", "GET", r"/workspaces/(?P<id>[^/]+)/pending-uploads/(?P<file>[^/]+)/content"),
    ("pending_ack", "POST", r"/workspaces/(?P<id>[^/]+)/pending-uploads/(?P<file>[^/]+)/ack"),
    ("update_card", "POST", r"/registry/update-card"),
    ("broadcast", "POST", r"/workspaces/(?P<id>[^/]+)/broadcast"),
    ("history", "GET", r"/workspaces/(?P<id>[^/]+)/chat-history"),
    ("delegate", "POST", r"/workspaces/(?P<id>[^/]+)/delegate"),
    ("delegations", "GET", r"/workspaces/(?P<id>[^/]+)/delegations"),
    ("commit", "POST", r"/workspaces/(?P<id>[^/]+)/memories"),
    ("recall", "GET", r"/workspaces/(?P<id>[^/]+)/memories"),
    ("info", "GET", r"/workspaces/(?P<id>[^/]+)"),
]

# What the client asks beside its poll of the inbox: each is a route of its own, which answers as
# "activity" does if that one always answers the same.
SIDE_POLLS = {"broadcasts": "activity", "anchor": "activity"}

ROUTES = [(name, method, re.compile(path + r"\Z")) for name, method, path in ROUTES]

# What the program asks for by itself, whatever its agent does.
BACKGROUND = {"register", "heartbeat", "activity", "anchor", "broadcasts", "events"}


@dataclass
class Request:
    route: str
    method: str
    target: str
    headers: dict
    body: bytes
    connection: int
    time: float
    id: str = ""

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def query(self):
        return {k: v[0] for k, v in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class Reply:
    """`body`: objects are sent as JSON, text and bytes unchanged. The faults: `delay` waits that
    many seconds first; `hang` never responds until the test ends or `release()` is called;
    `reset` closes with RST before any byte; `close_after` sends that many bytes of the body and
    closes; `raw` is sent instead of an HTTP response (anything but bytes: piece by piece)."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    reset: bool = False
    close_after: int | None = None
    raw: object = None

    def encoded(self):
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body).encode()


HANG = Reply(hang=True)
RESET = Reply(reset=True)
HTML = Reply(
    body="<!DOCTYPE html><html><head><title>Sign in</title></head><body>edge-page-marker</body></html>",
    headers={"Content-Type": "text/html; charset=utf-8"},
)


class FakePlatform:
    page_size = 100

    def __init__(self, port=0):
        self.requests = []
        self.rows = []
        self.peers = []
        self.inbound_secret = None
        self.connections = 0
        self.hung_up = 0  # connections that the client closed while a response was due
        self._changed = threading.Condition()
        self._scripts = {}
        self._always = {}
        self._released = threading.Event()
        self._sockets = set()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        with self._changed:
            sockets = list(self._sockets)
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def release(self):
        """Closes the connections of all hanging responses."""
        self._released.set()

    # -- what it answers -------------------------------------------------------------------------

    def script(self, route, *replies):
        """The next responses of `route`, one each: a `Reply` or a function of the request.
        Afterwards the route responds as before."""
        with self._changed:
            self._scripts.setdefault(route, deque()).extend(replies)

    def always(self, route, reply):
        """All responses of `route` from now on; None restores the default."""
        with self._changed:
            if reply is None:
                self._always.pop(route, None)
            else:
                self._always[route] = reply

    def always_everything(self, reply):
        for name, _, _ in ROUTES:
            self.always(name, reply)

    def reply_to(self, request):
        with self._changed:
            script = self._scripts.get(request.route)
            if script:
                reply = script.popleft()
            elif (route := SIDE_POLLS.get(request.route, request.route)) in self._always:
                reply = self._always[route]
            else:
                reply = getattr(self, "_" + request.route, lambda _: Reply(404, "404 page not found"))
        return reply(request) if callable(reply) else reply

    def _health(self, request):
        return Reply(body={"status": "ok"})

    def _register(self, request):
        return Reply(body=self._with_secret({"status": "registered", "delivery_mode": "poll"}))

    def _heartbeat(self, request):
        return Reply(body=self._with_secret({"status": "ok"}))

    def _with_secret(self, body):
        if self.inbound_secret is not None:
            body["platform_inbound_secret"] = self.inbound_secret
        return body

    def _peers(self, request):
        return Reply(body=self.peers)

    def _info(self, request):
        return Reply(body={"id": request.id, "name": "A workspace", "status": "online", "tier": 1})

    def _a2a(self, request):
        return Reply(body={"delivery_mode": "poll", "method": "message/send", "status": "queued"})

    def _report(self, request):
        return Reply(body={"status": "logged"})

    def _acknowledge(self, request):
        return Reply(body={"last_acked_seq": request.json["acked_seq"]})

    def _notify(self, request):
        return Reply(body={"status": "sent"})

    def _uploads(self, request):
        names = re.findall(rb'filename="([^"]*)"', request.body)
        files = [
            {"uri": f"workspace:/uploads/{i}-{n.decode()}", "name": n.decode(), "mimeType": "text/plain",
             "size": 1}
            for i, n in enumerate(names)
        ]
        return Reply(body={"files": files})

    def _pending(self, request):
        return Reply(404, {"error": "pending upload not found or expired"})

    def _pending_ack(self, request):
        return Reply(body={"acked": True})

    def _update_card(self, request):
        return Reply(body={"status": "updated"})

    def _broadcast(self, request):
        return Reply(body={"status": "sent", "delivered": 2})

    def _history(self, request):
        return Reply(body={"messages": [], "reached_end": True})

    def _delegate(self, request):
        body = {"delegation_id": str(uuid.uuid4()), "status": "delegated",
                "target_id": request.json["target_id"]}
        return Reply(202, body)

    def _delegations(self, request):
        return Reply(body=[])

    def _commit(self, request):
        return Reply(201, {"id": str(uuid.uuid4()), "scope": request.json["scope"], "namespace": "general"})

    def _recall(self, request):
        return Reply(body=[])

    def _activity(self, request):
        query = request.query
        with self._changed:
            rows = list(self.rows)
        if request.route == "broadcasts":
            rows = [r for r in rows if r["activity_type"] == "broadcast_receive"
                    or r["id"] == query.get("since_id")]
        limit = int(query.get("limit", self.page_size))
        if "since_id" in query:
            at = next((i for i, r in enumerate(rows) if r["id"] == query["since_id"]), None)
            if at is None:
                return Reply(410, {"error": "since_id cursor not found (row may have been pruned or "
                                            "belongs to a different workspace); omit since_id to reset"})
            page = rows[at + 1:][:limit]
        else:
            page = rows[::-1][:limit]
        return Reply(body=page)

    _broadcasts = _anchor = _activity

    # -- rows of /activity -----------------------------------------------------------------------

    def add_row(self, **fields):
        """Appends a row of type a2a_receive: a message from the user, unless `fields` say
        otherwise."""
        row = {
            "id": str(uuid.uuid4()), "workspace_id": "", "activity_type": "a2a_receive",
            "source_id": None, "target_id": None, "method": "message/send", "summary": None,
            "duration_ms": None, "status": "ok", "error_detail": None, "created_at": self._created_at(),
        }
        row.update(fields)
        with self._changed:
            self.rows.append(row)
        return row

    def add_message(self, text, source_id=None, **fields):
        """Appends a row as the platform stores a message from the user or a peer; returns its
        id."""
        return self.add_row(source_id=source_id, request_body=envelope(text), **fields)["id"]

    def _created_at(self):
        start = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
        t = start + timedelta(milliseconds=len(self.rows) * 10)
        return t.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # -- what it saw -----------------------------------------------------------------------------

    def record(self, request):
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def client_hung_up(self):
        with self._changed:
            self.hung_up += 1
            self._changed.notify_all()

    def seen(self, route):
        with self._changed:
            return [r for r in self.requests if route in (r.route, "*")]

    def wait_for(self, route, count=1, deadline=DEADLINE, where=lambda r: True):
        """Waits until there are `count` requests of `route` that satisfy `where`; returns them."""
        def found():
            return [r for r in self.requests if r.route == route and where(r)]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, deadline):
                seen = [f"{r.method} {r.target}" for r in self.requests[-20:]]
                raise AssertionError(
                    f"{len(found())} of {count} {route} requests in {deadline} s; last seen: {seen}")
            return found()

    def wait_hung_up(self, count=1, deadline=DEADLINE):
        with self._changed:
            assert self._changed.wait_for(lambda: self.hung_up >= count, deadline), \
                "the client kept its connection open"

    def next(self, route, count=1, deadline=DEADLINE, where=lambda r: True):
        """Waits for `count` more requests than there are now; returns the last one."""
        now = len([r for r in self.seen(route) if where(r)])
        return self.wait_for(route, now + count, deadline, where)[-1]

    def assert_keeps_secrets(self, secrets):
        """A token may only appear in one header of a request."""
        for request in self.seen("*"):
            for secret in secrets:
                assert secret not in request.target
                assert secret.encode() not in request.body
                for name, value in request.headers.items():
                    assert name == "authorization" or secret not in value, name


def envelope(text, **message):
    return {"jsonrpc": "2.0", "id": str(uuid.uuid4()), "method": "message/send",
            "params": {"message": {"role": "user", "messageId": str(uuid.uuid4()),
                                   "parts": [{"kind": "text", "text": text}], **message}}}


def _poll_of(query):
    """The route of one query of /activity."""
    fields = parse_qs(query)
    if fields.get("type") == ["broadcast_receive"]:
        return "broadcasts"
    return "anchor" if "type" not in fields and fields.get("limit") == ["1"] else "activity"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # many tests make clients disconnect


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakePlatform

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.fake._changed:
            self.fake.connections += 1
            self.number = self.fake.connections
            self.fake._sockets.add(self.connection)

    def finish(self):
        with self.fake._changed:
            self.fake._sockets.discard(self.connection)
        super().finish()

    def log_message(self, *args):
        pass

    def handle_any(self):
        length = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self._read_chunks()
        else:
            body = self.rfile.read(length)
        path = urlsplit(self.path).path
        route, found = next(((name, m) for name, method, pattern in ROUTES
                             if method == self.command and (m := pattern.match(path))), ("", None))
        if route == "activity":
            route = _poll_of(urlsplit(self.path).query)
        request = Request(route, self.command, self.path, {k.lower(): v for k, v in self.headers.items()},
                          body, self.number, time.monotonic(),
                          found.groupdict().get("id", "") if found else "")
        reply = self.fake.reply_to(request)
        self.fake.record(request)
        self._send(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def _read_chunks(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _wait(self, seconds):
        """False if the client disconnected or the test ended first."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.fake._released.is_set():
                return False
            if not select.select([self.connection], [], [], 0.01)[0]:
                continue
            try:
                if self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                    self.fake.client_hung_up()
                    return False
                self.fake._released.wait(0.01)  # a further request: not read before the response
            except BlockingIOError:
                continue
            except OSError:
                self.fake.client_hung_up()
                return False
        return True

    def _send(self, reply):
        if reply.hang or reply.delay:
            if not self._wait(3600 if reply.hang else reply.delay):
                self.close_connection = True
                return
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RD)
            self.close_connection = True
            self.wfile.close = lambda: None
            self.connection.close()
            return
        if reply.raw is not None:
            for piece in [reply.raw] if isinstance(reply.raw, bytes) else reply.raw:
                self.connection.sendall(piece)
                self._wait(0.002)  # so that the pieces arrive one by one
            self.close_connection = True
            return
        body = reply.encoded()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))}
        headers.update(reply.headers)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if reply.close_after is None:
            self.wfile.write(body)
        else:
            self.wfile.write(body[:reply.close_after])
            self.close_connection = True
