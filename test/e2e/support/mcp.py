"""The real molecule-mcp as a child process, driven over real pipes like an agent host does."""

import json
import os
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

from support.deadline import DEADLINE

# If set, the folder where the lines of both sides are saved for the schema checks of
# test/conformance.
TRANSCRIPTS = os.environ.get("MOLECULE_TRANSCRIPTS")
LONGEST_TRANSCRIBED = 1 << 20
SANITIZER_MARKS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior",
                   "ThreadSanitizer")


def is_sanitized(binary):
    return b"__asan_init" in Path(binary).read_bytes()


def check_message(message):
    """Checks one JSON-RPC 2.0 message from a server: a response, a notification, or a batch."""
    if isinstance(message, list):
        assert message, "empty batch"
        for m in message:
            check_message(m)
        return
    assert isinstance(message, dict), message
    assert message.get("jsonrpc") == "2.0", message
    if "method" in message:
        assert isinstance(message["method"], str), message
        assert "result" not in message and "error" not in message, message
    else:
        assert "id" in message, message
        assert ("result" in message) != ("error" in message), message
        if "error" in message:
            assert isinstance(message["error"]["code"], int), message
            assert isinstance(message["error"]["message"], str), message


class McpProcess:
    """`env` is the child's entire environment. `finish` checks what must always hold: only
    JSON-RPC on stdout, no request answered twice, no secret in any output, the expected exit
    code, no sanitizer report."""

    def __init__(self, binary, env, args=(), secrets=(), cwd=None, **popen):
        self.secrets = set(secrets)
        self.expected_exit = 0
        self.stderr = b""
        self.sent = bytearray()
        self.lines = []
        self.messages = []
        self.closed = False
        self.ids_may_repeat = False  # set by tests that reuse an id
        self._changed = threading.Condition()
        self._next_id = 0
        self._threads = []
        popen = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen}
        self.started = time.monotonic()
        self.process = subprocess.Popen([str(binary), *args], env=env, cwd=cwd, bufsize=0, **popen)
        if self.process.stdout:
            self._start(self._read_stdout)
        if self.process.stderr:
            self._start(self._read_stderr)

    def _start(self, target):
        self._threads.append(threading.Thread(target=target, daemon=True))
        self._threads[-1].start()

    @property
    def pid(self):
        return self.process.pid

    # -- reading -----------------------------------------------------------------------------------

    def _read_stdout(self):
        pieces = []  # of an incomplete line, which may have many MiB
        fd = self.process.stdout.fileno()
        while True:
            try:
                chunk = os.read(fd, 1 << 16)
            except OSError:
                chunk = b""
            *lines, piece = chunk.split(b"\n")
            if lines:
                lines[0] = b"".join(pieces) + lines[0]
                pieces = []
            pieces.append(piece)
            rest = b"" if chunk else b"".join(pieces)
            with self._changed:
                for line in lines:
                    self.lines.append(line)
                    try:
                        self.messages.append(json.loads(line))
                    except ValueError:
                        pass  # `finish` reports it
                if not chunk:
                    if rest:
                        self.lines.append(rest)
                    self.closed = True
                self._changed.notify_all()
            if not chunk:
                return

    def _read_stderr(self):
        fd = self.process.stderr.fileno()
        while True:
            try:
                chunk = os.read(fd, 1 << 16)
            except OSError:
                chunk = b""
            with self._changed:
                self.stderr += chunk
                self._changed.notify_all()
            if not chunk:
                return

    def wait_until(self, condition, what, deadline=DEADLINE):
        with self._changed:
            until = time.monotonic() + deadline
            while not condition() and time.monotonic() < until:
                self._changed.wait(0.02)  # a condition may depend on more than our input
            if not condition():
                raise AssertionError(f"no {what} in {deadline} s; stdout: {self.lines[-5:]}; "
                                     f"stderr: {self.stderr[-2000:].decode(errors='replace')}")

    def wait_stderr(self, text, count=1, deadline=DEADLINE):
        self.wait_until(lambda: self.stderr.count(text.encode()) >= count,
                        f"{count} x {text!r} on stderr", deadline)

    @property
    def stderr_text(self):
        with self._changed:
            return self.stderr.decode(errors="replace")

    def flat(self):
        """All messages so far, with batches flattened."""
        with self._changed:
            return [m for one in self.messages for m in (one if isinstance(one, list) else [one])]

    def answers(self, id):
        return [m for m in self.flat() if "method" not in m and m.get("id") == id
                and type(m.get("id")) is type(id)]

    def notifications(self, method):
        return [m for m in self.flat() if m.get("method") == method and "id" not in m]

    def wait_answer(self, id, deadline=DEADLINE):
        self.wait_until(lambda: self.answers(id) or self.closed, f"answer to {id!r}", deadline)
        answers = self.answers(id)
        assert answers, f"stdout closed without a response to {id!r}; stderr: {self.stderr_text}"
        return answers[0]

    def wait_line(self, count, deadline=DEADLINE):
        """Line number `count`, counted from 1, as JSON."""
        self.wait_until(lambda: len(self.messages) >= count, f"line {count}", deadline)
        return self.messages[count - 1]

    def wait_notifications(self, method, count=1, deadline=DEADLINE):
        self.wait_until(lambda: len(self.notifications(method)) >= count, f"{count} {method}", deadline)
        return self.notifications(method)

    # -- writing -----------------------------------------------------------------------------------

    def send_raw(self, data):
        if TRANSCRIPTS:
            self.sent += data
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view):]

    def send(self, message):
        self.send_raw(json.dumps(message).encode() + b"\n")

    def notify(self, method, params=None):
        self.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    def start(self, method, params=None, id=None):
        """Sends a request and returns its id."""
        if id is None:
            self._next_id += 1
            id = self._next_id
        self.send({"jsonrpc": "2.0", "id": id, "method": method,
                   **({} if params is None else {"params": params})})
        return id

    def request(self, method, params=None, deadline=DEADLINE):
        return self.wait_answer(self.start(method, params), deadline)

    def initialize(self, version="2025-06-18", client_name="pytest", initialized=True):
        answer = self.request("initialize", {"protocolVersion": version, "capabilities": {},
                                             "clientInfo": {"name": client_name, "version": "1"}})
        if initialized:
            self.notify("notifications/initialized")
        return answer["result"]

    def start_tool(self, name, arguments=None, meta=None, id=None):
        params = {"name": name, "arguments": {} if arguments is None else arguments}
        if meta is not None:
            params["_meta"] = meta
        return self.start("tools/call", params, id)

    def tool_result(self, id, deadline=DEADLINE):
        answer = self.wait_answer(id, deadline)
        assert "result" in answer, answer
        return ToolResult(answer["result"])

    def call(self, name, deadline=DEADLINE, **arguments):
        """Calls a tool and returns its result."""
        return self.tool_result(self.start_tool(name, arguments), deadline)

    def ping(self, deadline=DEADLINE):
        """The response time in seconds."""
        start = time.monotonic()
        assert self.request("ping", deadline=deadline)["result"] == {}
        return time.monotonic() - start

    def wait_messages(self, count, deadline=DEADLINE):
        """Waits until the inbox has `count` messages; returns them. Reads the resource, which
        gives none of them to this session."""
        until = time.monotonic() + deadline
        while True:
            read = self.request("resources/read", {"uri": "molecule://inbox"})
            messages = json.loads(read["result"]["contents"][0]["text"]).get("messages", [])
            if len(messages) >= count:
                return messages
            assert time.monotonic() < until, f"{len(messages)} of {count} messages: {messages}"
            threading.Event().wait(0.02)

    # -- the end -----------------------------------------------------------------------------------

    def close_stdin(self):
        self.process.stdin.close()

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, deadline=DEADLINE):
        """The exit code, and the seconds until the exit."""
        if self.process.poll() is not None:
            return self.process.returncode, 0.0
        pidfd = os.pidfd_open(self.pid)  # `wait` with a timeout only polls every 50 ms
        seconds = wait_pid_gone(pidfd, deadline)
        os.close(pidfd)
        return self.process.wait(), seconds

    def expect_exit(self, code, deadline=DEADLINE):
        self.expected_exit = code
        if code == 2 and self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()  # without it, the program gives a host time to ask
        assert self.wait_exit(deadline)[0] == code, self.stderr_text

    def kill(self):
        self.expected_exit = -signal.SIGKILL
        self.process.kill()
        self.process.wait(DEADLINE)

    def finish(self):
        if self.process.poll() is None:
            if self.process.stdin and not self.process.stdin.closed:
                self.process.stdin.close()
            else:
                self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"did not exit; stderr: {self.stderr_text}") from None
        for thread in self._threads:
            thread.join(DEADLINE)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        self.check_output()
        if TRANSCRIPTS:
            self.write_transcript(Path(TRANSCRIPTS))
        assert self.process.returncode == self.expected_exit, \
            f"exit {self.process.returncode}, not {self.expected_exit}; stderr: {self.stderr_text}"

    def write_transcript(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        whole = self.lines[:-1] if self.process.returncode == -signal.SIGKILL else self.lines
        with open(folder / f"{os.getpid()}-{self.pid}-{time.monotonic_ns()}.jsonl", "w") as file:
            for side, lines in (("host", self.sent.splitlines()), ("server", whole)):
                for line in lines:
                    if len(line) <= LONGEST_TRANSCRIBED:
                        file.write(json.dumps({side: line.decode(errors="replace")}) + "\n")

    def check_output(self):
        errors = self.stderr.decode(errors="replace")
        for mark in SANITIZER_MARKS:
            assert mark not in errors, errors
        killed = self.process.returncode == -signal.SIGKILL
        output = b"\n".join(self.lines)
        for secret in self.secrets:
            assert secret.encode() not in self.stderr, "a secret on stderr"
            assert secret.encode() not in output, "a secret on stdout"
        answered = set()
        for i, line in enumerate(self.lines):
            if killed and i == len(self.lines) - 1:
                break  # cut off by SIGKILL
            assert line and not line.endswith(b"\r") and not line.startswith(b"\xef\xbb\xbf"), line
            message = json.loads(line.decode("utf-8"))
            check_message(message)
            for m in message if isinstance(message, list) else [message]:
                if "method" not in m and m["id"] is not None and not self.ids_may_repeat:
                    assert json.dumps(m["id"]) not in answered, f"two responses to one request: {m}"
                    answered.add(json.dumps(m["id"]))


class ToolResult:
    """A tool's result: `text`, the same as `json`, and whether it `failed`."""

    def __init__(self, result):
        self.raw = result
        assert {c["type"] for c in result["content"]} == {"text"}, result
        self.text = result["content"][0]["text"]
        self.failed = result.get("isError", False)

    @property
    def json(self):
        assert not self.failed, self.text
        return json.loads(self.text)

    def __repr__(self):
        return f"ToolResult(failed={self.failed}, text={self.text!r})"


def wait_pid_gone(pidfd, deadline=DEADLINE):
    """Waits until the process of `pidfd` has exited, whoever its parent is; returns the seconds."""
    start = time.monotonic()
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(deadline * 1000), "still running"
    return time.monotonic() - start
