import shutil

import pytest

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
