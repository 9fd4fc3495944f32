"""One run of a host: its folders, its model, its molecule-mcp, and the process itself."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import install
from model.server import ModelServer
from wire import Wire

HERE = Path(__file__).parent
START_SECONDS = 150
TURN_SECONDS = 150
END_SECONDS = 5
PROMPT = "Serve the Molecule workspace: wait for a message, answer it, and tell its user when done."
QUIET = {"DO_NOT_TRACK": "1", "DISABLE_TELEMETRY": "1", "OTEL_SDK_DISABLED": "true",
         "DISABLE_AUTOUPDATER": "1", "NO_UPDATE_NOTIFIER": "1"}


class Session:
    """`variables` is the environment of molecule-mcp, as the host's configuration gives it. With a
    terminal the host is interactive, and may take channels."""

    def __init__(self, host, folder, build, variables, model, terminal, channels):
        self.host, self.terminal, self.channels = host, terminal, channels
        self.home, self.work = folder / "home", folder / "work"
        for made in (self.home, self.work):
            made.mkdir(parents=True)
        self.folder, self.variables, self.prompt = folder, variables, PROMPT
        self.wire = Wire(folder / "wire.jsonl")
        self.server = [sys.executable, str(HERE / "record.py"), str(self.wire.log),
                       str(build / "molecule-mcp")]
        self.model = ModelServer(model, folder / "model.log")
        self.process = self.code = None

    def write(self, path, text):
        """A file below the host's HOME, or at an absolute path."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return str(target)

    def environment(self, extra):
        path = f"{install.node()}:{os.environ['PATH']}"
        found = {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", "SHELL": "/bin/sh",
                 "TERM": "xterm-256color", **QUIET, **extra}
        return {name: value for name, value in found.items() if value is not None}

    def __enter__(self):
        self.model.__enter__()
        command, extra = self.host.command(self)
        command, environment = ["nice", *map(str, command)], self.environment(extra)
        if self.terminal:
            self.process = self.terminal.start(command, environment, self.work)
        else:
            with open(self.folder / "output", "wb") as output:
                self.process = subprocess.Popen(
                    command, env=environment, cwd=self.work, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        return self

    def __exit__(self, *_):
        self.end()
        self.model.__exit__()

    def output(self):
        if self.terminal:
            return self.terminal.text()
        return (self.folder / "output").read_text(errors="replace")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def until(self, condition, seconds):
        """Waits for `condition` as long as the host runs; False where it did not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            running = self.running()
            if condition():
                return True
            if not running:
                return False
            time.sleep(0.1)
        return False

    def until_waiting(self, calls=1):
        """Until the host's call number `calls` of wait_for_message is on its way."""
        return self.until(lambda: len(self.wire.calls("wait_for_message")) >= calls, START_SECONDS)

    def finish(self, seconds=TURN_SECONDS):
        """The exit code of a host that ends by itself in time, else None."""
        deadline = time.monotonic() + seconds
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.code = self.process.poll()
        return self.code

    def end(self):
        """Ends the host where it still runs, and what it left of molecule-mcp."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.running():
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    pass
        deadline = time.monotonic() + END_SECONDS
        while self.wire.processes_left() and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in {*self.wire.processes_left(), *self.background()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def background(self):
        """What the host left in the background, by the HOME that only this session has."""
        mark = f"\0HOME={self.home}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in b"\0" + (folder / "environ").read_bytes():
                    yield int(folder.name)
