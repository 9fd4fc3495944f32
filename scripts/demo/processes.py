"""The demonstration's child processes: the platform, and agents' molecule-mcp processes, driven
over their pipes like an agent host does."""

import http.client
import json
import os
import queue
import re
import subprocess
import threading
import time
from urllib.parse import urlsplit

# Long enough for a machine that does much else; each wait ends when what it waits for is there.
START_SECONDS = 60
STOP_SECONDS = 30
ANSWER_SECONDS = 120


class Failure(Exception):
    """A failure, described for the user."""


def clean_environment():
    """The caller's environment, without variables that would make the children act for another
    workspace."""
    own = ("WORKSPACE_ID", "PLATFORM_URL", "CONFIGS_DIR", "ADMIN_TOKEN", "CORS_ORIGINS")
    kept = {name: value for name, value in os.environ.items()
            if name not in own and not name.startswith("MOLECULE_")}
    # The platform is local: do not use a proxy.
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = ",".join(filter(None, [kept.get(name), "127.0.0.1"]))
    return kept


class Child:
    """A context manager for a child process whose stderr goes to a file."""

    def __init__(self, name, command, log, env):
        self.name, self._log = name, log
        # Use a new session: Ctrl-C then reaches only the demonstration, which stops its children in
        # order.
        with open(log, "wb") as stderr:
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=env,
                    start_new_session=True)
            except OSError as error:
                raise Failure(f"{command[0]} could not be started: {error.strerror}") from error
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.decode("utf-8", "replace"))
        self._lines.put(None)

    def next_line(self, seconds):
        """The next line, or None if none arrives in time."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)
            raise Failure(f"{self.name} has exited{self.last_words()}")
        return line

    def last_words(self):
        self._process.poll()
        code = self._process.returncode
        with open(self._log, encoding="utf-8", errors="replace") as log:
            said = log.read().strip()
        return (f" with exit code {code}" if code is not None else "") + (
            f"; it said:\n{said}" if said else "; it said nothing on stderr")

    def end(self):
        """Stops the process gracefully; returns True if it exited by itself with code 0."""
        try:
            self._ask_to_end()
            return self._process.wait(STOP_SECONDS) == 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False


class Platform(Child):
    """molecule-platform on a free port, with a client for its admin API."""

    def __init__(self, binary, data, log):
        super().__init__("molecule-platform",
                         [binary, "--listen", "127.0.0.1:0", "--data", data], log,
                         clean_environment())
        try:
            line = self.next_line(START_SECONDS) or ""
            found = re.fullmatch(r"listening on (http://\S+)", line.strip())
            if not found:
                raise Failure(f"molecule-platform did not print its address{self.last_words()}")
            self.url = found[1]
            with open(os.path.join(data, "admin_token"), encoding="ascii") as file:
                self.admin_token = file.read().strip()
        except BaseException:
            self.end()
            raise

    def _ask_to_end(self):
        self._process.terminate()

    def ask(self, method, path, body=None):
        """Sends one request as the user; returns the parsed response."""
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body),
                               headers={"Authorization": f"Bearer {self.admin_token}"})
            reply = connection.getresponse()
            text = reply.read().decode("utf-8")
            if reply.status >= 300:
                raise Failure(f"{method} {path}: HTTP {reply.status}: {text[:300]}")
            return json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Failure(f"{method} {path}: {error}{self.last_words()}") from error
        finally:
            connection.close()


def agent_environment(name, workspace_id, url, token_file, state):
    """The configuration of molecule-mcp for one workspace, without the user's own config.toml."""
    env = clean_environment()
    env.update(WORKSPACE_ID=workspace_id, PLATFORM_URL=url, CONFIGS_DIR=state,
               MOLECULE_WORKSPACE_TOKEN_FILE=token_file, MOLECULE_AGENT_NAME=name,
               XDG_CONFIG_HOME=os.path.join(state, "config"))
    return env


class Daemon(Child):
    """molecule-mcp daemon for one workspace, with a command as its handler."""

    def __init__(self, binary, name, workspace_id, url, token_file, state, log, handler):
        self.workspace_id = workspace_id
        env = agent_environment(name, workspace_id, url, token_file, state)
        super().__init__(f"{name}'s daemon", [binary, "daemon", "--handler", "command", "--", *handler],
                         log, env)

    def _ask_to_end(self):
        self._process.terminate()


class Agent(Child):
    """molecule-mcp for one workspace, and the agent host that speaks MCP with it."""

    def __init__(self, binary, name, workspace_id, url, token_file, state, log):
        self.workspace_id, self._last_id = workspace_id, 0
        env = agent_environment(name, workspace_id, url, token_file, state)
        super().__init__(f"{name}'s molecule-mcp", [binary], log, env)

    def _ask_to_end(self):
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # already gone

    def _send(self, message):
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise Failure(f"{self.name} accepts no input{self.last_words()}") from error

    def request(self, method, params=None, seconds=ANSWER_SECONDS, tick=lambda: None):
        """The result of a request; calls `tick` regularly while waiting."""
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        self._send(dict(message, params=params) if params is not None else message)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line = self.next_line(0.2)
            tick()
            if line is None:
                continue
            try:
                answer = json.loads(line)
            except ValueError as error:
                raise Failure(f"{self.name} wrote a line that is not JSON: {line[:100]!r}") from error
            if answer.get("id") != self._last_id or "method" in answer:
                continue  # a notification
            if "error" in answer:
                raise Failure(f"{self.name}: {method}: {answer['error'].get('message')}")
            return answer["result"]
        raise Failure(f"{self.name} did not answer {method} within {seconds} s{self.last_words()}")

    def initialize(self):
        """The MCP handshake; returns the server's info."""
        about = self.request("initialize", {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "molecule-demo", "version": "1"}})
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return about

    def call(self, tool, seconds=ANSWER_SECONDS, tick=lambda: None, **arguments):
        """The text of a tool result."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments}, seconds, tick)
        text = "".join(part.get("text", "") for part in result["content"])
        if result.get("isError"):
            raise Failure(f"{self.name}: {tool}: {text}")
        return text
