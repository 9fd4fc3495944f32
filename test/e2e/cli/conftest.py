import shutil
import sqlite3
import subprocess
import uuid

import pytest

from support.deadline import DEADLINE
from support.platform import child_env
from support.run import run


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def cli(mcp_binary, home):
    """A function: runs a command with this home and no other environment; `input` is its stdin."""

    def command(*arguments, code=0, input=None, env=None, path=None):
        changes = {"PATH": path} if path else {}
        stdin = None
        if input is not None:
            (home / ".stdin").write_text(input)
            stdin = (home / ".stdin").open()
        ended = run(mcp_binary, child_env(home) | changes | (env or {}), *arguments,
                    **({"stdin": stdin} if stdin else {}))
        assert ended.returncode == code, (arguments, ended)
        return ended

    return command


@pytest.fixture
def agent(platform, cli, home):
    """A workspace of the real platform that `setup` has configured."""
    made = platform.create_workspace("builder")
    token = home / "token"
    token.write_text(made.token + "\n")
    cli("setup", "--url", platform.url, "--id", made.id, "--token-file", str(token), "--name", "builder")
    token.unlink()
    return made


@pytest.fixture
def no_hosts():
    """A PATH without any agent host's program."""
    return ":".join(sorted({shutil.which(name).rpartition("/")[0] for name in ("env",)}))


@pytest.fixture
def own():
    return str(uuid.uuid4())


@pytest.fixture
def inbox(mcp_binary, home, own):
    """A function: puts messages into the workspace's inbox, as a poll does."""
    state = home / ".molecule-workspace"
    env = child_env(home) | {"WORKSPACE_ID": own, "PLATFORM_URL": "http://127.0.0.1:1",
                             "MOLECULE_WORKSPACE_TOKEN": "a-token-for-nothing"}
    # Whatever opens the inbox makes its tables.
    state.mkdir(mode=0o700)
    (state / ".workspace_id").write_text(own + "\n")
    (state / "inbox.db").touch(mode=0o600)
    subprocess.run([mcp_binary, "inbox"], env=env, capture_output=True, timeout=DEADLINE, check=True)

    def add(count, kind="peer_agent", name="Researcher"):
        with sqlite3.connect(state / "inbox.db") as db:
            db.executemany(
                "INSERT INTO messages(activity_id, text, peer_id, kind, method, created_at, peer_name,"
                " peer_role) VALUES(?, 'x', '', ?, 'message/send', '2026-01-01T00:00:00Z', ?, '')",
                [(str(uuid.uuid4()), kind, name) for _ in range(count)])
        db.close()

    return add
