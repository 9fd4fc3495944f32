"""molecule-mcp daemon as a child process, on the real platform."""

import json
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess

from support.deadline import DEADLINE
from support.platform import SANITIZER, child_env, until

FAKES = pathlib.Path(__file__).parents[1] / "daemon" / "fakes"


def script(folder, text, name="handler", shebang="#!/bin/sh"):
    """An executable script in the folder."""
    path = pathlib.Path(folder) / name
    path.write_text(f"{shebang}\n{text}\n")
    path.chmod(0o755)
    return str(path)


class Daemon:
    """A context manager. `workspace` is one of the platform's; its token is in the environment."""

    def __init__(self, binary, platform, workspace, home, *arguments, env=None, config=None):
        self.binary, self.platform, self.workspace = str(binary), platform, workspace
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.state = self.home / "state"
        self.arguments = [str(one) for one in arguments]
        if config is not None:
            folder = self.home / ".config" / "molecule"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "daemon.toml").write_text(config)
        self.env = child_env(self.home, {
            "PLATFORM_URL": platform.url, "WORKSPACE_ID": workspace.id,
            "MOLECULE_WORKSPACE_TOKEN": workspace.token, "CONFIGS_DIR": str(self.state),
            "MOLECULE_LOG": "info", **(env or {})})
        self.env = {name: value for name, value in self.env.items() if value is not None}
        self._log = open(self.home / "daemon.log", "ab")
        self.process = None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        try:
            if self.process is not None:
                self.stop()
        except AssertionError:
            if kind is None:
                raise
        finally:
            self._log.close()

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "daemon", *self.arguments], env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._log)
        return self

    def wait(self):
        code = self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.process = None
        self.check_log()
        return code

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        code = self.wait()
        assert code == 0, (code, self.log())

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def log(self):
        return (self.home / "daemon.log").read_text(errors="replace")

    def check_log(self):
        log = self.log()
        assert not SANITIZER.search(log), log
        assert self.workspace.token not in log

    # --- the platform's side ---

    def ask(self, text, **how):
        """A message of the person."""
        return self.platform.send(self.workspace, text, **how)

    def answers(self):
        """The texts that the person was sent, oldest first."""
        return notes(self.platform, self.workspace)

    def wait_answers(self, count):
        return until(lambda: len(found := self.answers()) >= count and found,
                     what=f"{count} answers; log: {self.log()[-2000:]}")

    # --- the inbox ---

    def rows(self, query, *values):
        path = self.state / "inbox.db"
        if not path.exists():
            return []
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=DEADLINE)
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            # The file comes before its tables.
            assert "no such table" in str(error), error
            return []
        finally:
            connection.close()

    def waiting(self):
        return self.rows("SELECT text FROM messages")

    def set_aside(self):
        return self.rows("SELECT m.text, t.reason FROM turns t JOIN messages m ON m.seq = t.seq"
                         " WHERE t.set_aside != 0")


def notes(platform, workspace):
    """What the workspace wrote to its person."""
    found, before = [], ""
    while True:
        status, rows, _ = platform.request(
            "GET", f"/workspaces/{workspace.id}/activity?type=a2a_receive&limit=500{before}",
            platform.admin_token)
        assert status == 200, rows
        found += rows
        if len(rows) < 500:
            break
        before = f"&before_ts={rows[-1]['created_at']}"
    return [row["response_body"]["result"] for row in reversed(found) if row["method"] == "notify"]


def processes_with(text):
    """Running processes that have the text in their command line or environment."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            content = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if os.fsencode(str(text)) in content and state not in "ZX":
            found.append(int(folder.name))
    return found


def seen_by(home):
    """What the fake CLIs noted, one a turn."""
    path = pathlib.Path(home) / "seen.jsonl"
    if not path.exists():
        return []
    # A line that is being written has no end yet.
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()]


def is_private(path):
    return stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0
