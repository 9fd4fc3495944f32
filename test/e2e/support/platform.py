"""The real molecule-platform as a child process, for tests.

    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        platform.request("GET", f"/workspaces/{agent.id}").body["status"]

Leaving the block stops it. The test fails if it did not exit cleanly, a sanitizer reported
something, or a secret reached its output.
"""

import http.client
import json as json_module
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import typing
import urllib.parse
import uuid

from support import postgres
from support.deadline import DEADLINE

SANITIZER = re.compile(r"(Address|Leak|UndefinedBehavior|Memory|Thread)Sanitizer|runtime error:")
SECRET_FIELDS = ("auth_token", "platform_inbound_secret")


class Workspace(typing.NamedTuple):
    id: str
    token: str
    connection: dict


class Reply(typing.NamedTuple):
    status: int
    body: typing.Any  # parsed if the content type is JSON, else text
    headers: typing.Any  # an email.message.Message: case-insensitive names, get_all()


class Platform:
    def __init__(self, build, data_dir=None, env=None, listen="127.0.0.1:0", args=()):
        self.binary = str(pathlib.Path(build, "molecule-platform").resolve())
        self._scratch = pathlib.Path(tempfile.mkdtemp(prefix="platform-"))
        self.data_dir = pathlib.Path(data_dir) if data_dir else self._scratch / "data"
        self.secrets = set()  # every secret that this platform has issued
        self._listen, self._args = listen, list(args)
        # With MOLECULE_TEST_STORE=postgres each data folder has a database of its own.
        self.store, self.store_args = None, []
        if postgres.CHOSEN and "--store" not in self._args:
            self.store = store_of(self.data_dir)
            self.store_args = ["--store", self.store]
            self._args += self.store_args
        self._env = child_env(self._scratch, env)
        self._stderr = open(self._scratch / "stderr", "w+b")
        self._stdout = []
        self.process = None

    # --- life -----------------------------------------------------------------------------

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except AssertionError:
            if kind is None:  # the test's own failure is more informative
                raise
        finally:
            self._stderr.close()
            shutil.rmtree(self._scratch, ignore_errors=True)
            if self.store and self._scratch in self.data_dir.parents:
                drop_store_of(self.data_dir)

    def start(self):
        command = [self.binary, "--listen", self._listen, "--data", str(self.data_dir)]
        self.process = subprocess.Popen(
            command + self._args, env=self._env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._stderr)
        first_line = threading.Event()

        def read(pipe):
            for line in pipe:
                self._stdout.append(line.decode(errors="replace"))
                first_line.set()
            pipe.close()
            first_line.set()

        seen = len(self._stdout)
        self._reader = threading.Thread(target=read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        assert first_line.wait(DEADLINE), f"no first line; stderr: {self.stderr()}"
        line = self._stdout[seen] if len(self._stdout) > seen else ""
        match = re.fullmatch(r"listening on (http://([^/\s]+):(\d+))\n", line)
        if not match:
            self.kill9()
            raise AssertionError(f"first line {line!r}; stderr: {self.stderr()}")
        self.url, self.host, self.port = match[1], match[2].strip("[]"), int(match[3])
        if "ADMIN_TOKEN" in self._env:
            self.admin_token = self._env["ADMIN_TOKEN"]
        elif "CREDENTIALS_DIRECTORY" in self._env:
            credential = os.path.join(self._env["CREDENTIALS_DIRECTORY"], "ADMIN_TOKEN")
            self.admin_token = open(credential).read().strip()
        else:
            self.admin_token = (self.data_dir / "admin_token").read_text().strip()
        self.secrets.add(self.admin_token)
        return self

    def stop(self, sig=signal.SIGTERM):
        """Stops it gracefully and checks its output. Does nothing if it was already stopped."""
        if self.process is None:
            return
        process, self.process = self.process, None
        ended_before = process.poll()
        process.send_signal(sig)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"did not exit within {DEADLINE} s; {self.stderr()}") from None
        self._reader.join(DEADLINE)
        self.check_output()
        assert ended_before is None, f"it had exited early: {ended_before}; {self.stderr()}"
        assert process.returncode == 0, f"exit {process.returncode}; {self.stderr()}"

    def kill9(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()
        self._reader.join(DEADLINE)

    def restart(self, same_port=True):
        """Restarts on the same data, after `kill9` or with a clean stop first."""
        self.stop()
        if same_port:
            self._listen = f"{self._listen.rpartition(':')[0]}:{self.port}"
        return self.start()

    def change_database(self, *statements):
        """Changes the database while the platform is stopped, for states that no route leads to."""
        self.stop()
        if self.store:
            postgres.shared_server().sql(self.store, *statements)
            self.start()
            return
        connection = sqlite3.connect(database_of(self.data_dir))
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        self.start()

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def stderr(self):
        return (self._scratch / "stderr").read_text(errors="replace")

    def stdout(self):
        return "".join(self._stdout)

    def check_output(self):
        text = self.stdout() + self.stderr()
        assert not SANITIZER.search(text), text
        leaked = [secret for secret in self.secrets if secret and secret in text]
        assert not leaked, "the output of molecule-platform contains a secret"

    # --- requests -------------------------------------------------------------------------

    def request(self, method, path, token=None, json=None, body=None, headers=None, timeout=DEADLINE):
        """Sends one request on a new connection. `json` is encoded; `body` is sent unchanged."""
        if json is not None:
            body = json_module.dumps(json)
        fields = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=fields | (headers or {}))
            reply = connection.getresponse()
            return self.read_reply(reply)
        finally:
            connection.close()

    def read_reply(self, reply):
        text = reply.read().decode()  # strict: everything sent must be valid UTF-8
        body = text
        if (reply.headers.get("Content-Type") or "").startswith("application/json"):
            body = json_module.loads(text)
            if isinstance(body, dict):
                found = [body, body.get("connection") or {}]
                self.secrets.update(part[f] for part in found for f in SECRET_FIELDS if part.get(f))
        return Reply(reply.status, body, reply.headers)

    def admin(self, method, path, json=None, **rest):
        return self.request(method, path, token=self.admin_token, json=json, **rest)

    def create_workspace(self, name, **fields):
        """An external workspace, as a user creates it; it polls unless `fields` say otherwise."""
        wanted = {"name": name, "external": True, "delivery_mode": "poll"} | fields
        status, body, _ = self.admin("POST", "/workspaces", wanted)
        assert status == 201, (status, body)
        connection = body.get("connection") or {}
        return Workspace(body["id"], connection.get("auth_token"), connection)

    def register(self, workspace, **fields):
        wanted = {"id": workspace.id, "url": "", "agent_card": {"name": "agent"},
                  "delivery_mode": "poll"} | fields
        return self.request("POST", "/registry/register", workspace.token, wanted)

    def heartbeat(self, workspace, **fields):
        return self.request("POST", "/registry/heartbeat", workspace.token,
                            {"workspace_id": workspace.id} | fields)

    def status_of(self, workspace):
        # Anybody may ask, but not as often as tests do.
        return self.admin("GET", f"/workspaces/{workspace.id}").body["status"]

    def send(self, target, text, caller=None, message_id=None):
        """message/send to `target`, as the user or as the workspace `caller`."""
        message = {"role": "user", "messageId": message_id or str(uuid.uuid4()),
                   "parts": [{"kind": "text", "text": text}]}
        envelope = {"jsonrpc": "2.0", "id": "1", "method": "message/send",
                    "params": {"message": message}}
        headers = {"X-Workspace-ID": caller.id} if caller else {}
        token = caller.token if caller else self.admin_token
        return self.request("POST", f"/workspaces/{target.id}/a2a", token, envelope,
                            headers=headers)

    def activity(self, workspace, token=None, **parameters):
        query = urllib.parse.urlencode(parameters)
        return self.request("GET", f"/workspaces/{workspace.id}/activity?{query}",
                            token or workspace.token)


_stores = {}


def store_of(folder):
    """The URL of the database that belongs to the data folder, made if there is none."""
    name = str(pathlib.Path(folder).absolute())
    if name not in _stores:
        _stores[name] = postgres.shared_server().new_database()
    return _stores[name]


def drop_store_of(folder):
    postgres.shared_server().drop_database(_stores.pop(str(pathlib.Path(folder).absolute())))


def database_of(folder):
    """The only SQLite file in the folder, found by its first bytes."""
    found = [path for path in pathlib.Path(folder).iterdir()
             if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    assert len(found) == 1, found
    return found[0]


def child_env(home, extra=None):
    """The environment of a child: none of the caller's settings, and its own home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    sanitizers = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:exitcode=99",
                  "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99"}
    # Where the tests are not root's, /proc shows nothing of a process whose memory is private.
    if os.geteuid() != 0:
        kept["MOLECULE_ALLOW_CORE_DUMPS"] = "1"
    return kept | sanitizers | {"HOME": str(home), "XDG_DATA_HOME": str(home / "share")} | (
        extra or {})


def text_of(row):
    """The text of a message row."""
    return row["request_body"]["params"]["message"]["parts"][0]["text"]


def until(condition, seconds=DEADLINE, what="the condition"):
    """Waits until `condition()` is true and returns its value. Polls with a short pause."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.005)
