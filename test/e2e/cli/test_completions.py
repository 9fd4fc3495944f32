"""The completions as the shells themselves see them."""

import os
import pty
import shutil
import signal
import subprocess
import threading

import pytest

from support.deadline import DEADLINE
from support.platform import until

# What the person has typed; some of what must be offered; some of what must not.
QUESTIONS = [
    ("molecule-mcp ", {"inbox", "memory", "requests", "service"}, {"find", "--json"}),
    ("molecule-mcp memory f", {"find"}, {"add", "--json"}),
    ("molecule-mcp service st", {"start", "stop", "status"}, {"install"}),
    ("molecule-mcp install ", {"claude-code", "gemini"}, {"inbox"}),
    ("molecule-mcp install --h", {"--hooks", "--help"}, {"--json"}),
    ("molecule-mcp requests new ", {"approval", "task"}, {"respond"}),
    ("molecule-mcp requests new --", {"--to", "--detail"}, {"--status"}),
    ("molecule-mcp help e", {"environment", "exit-codes"}, {"inbox"}),
    ("molecule-mcp completion ", {"bash", "zsh", "fish"}, {"inbox"}),
]
FILES = ("molecule-mcp send --file ./", {"note.txt"})


def bash(folder, script, line):
    words = line.split(" ")
    ran = subprocess.run(
        ["bash", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
         '_molecule_mcp; printf "%s\\n" "${COMPREPLY[@]}"', "bash", script, *words],
        capture_output=True, text=True, timeout=DEADLINE, cwd=folder, check=True)
    assert ran.stderr == ""
    return ran.stdout.split("\n")


def fish(folder, script, line):
    ran = subprocess.run(
        ["fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]', script, line],
        capture_output=True, text=True, timeout=DEADLINE, cwd=folder, check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"})
    assert ran.stderr == ""
    return [row.split("\t")[0] for row in ran.stdout.split("\n")]


# zsh completes in its line editor only, which needs a terminal. What it offers goes through compadd.
ZSH = r"""
unset zle_bracketed_paste; setopt no_beep; fpath=($PWD $fpath)
autoload -Uz compinit; compinit -u -D
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a __offered; builtin compadd -A __offered "$@"
  builtin compadd "$@"; local __code=$?
  print -rl -- $__offered >>offered
  return $__code
}
zle-line-init() { : >editing }
ask() { zle list-choices; : >done }
zle -N zle-line-init; zle -N ask; bindkey '^T' ask
"""


def zsh(folder, script, line):
    shutil.copy(script, folder / "_molecule-mcp")
    (folder / "begin").write_text(ZSH)
    (folder / "offered").write_text("")
    shell, terminal = pty.fork()
    if shell == 0:
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"],
                   {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"})
    said = bytearray()

    def read():
        try:
            while piece := os.read(terminal, 65536):
                said.extend(piece)
        except OSError:  # the shell has ended
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        os.write(terminal, b"source ./begin\n")
        until((folder / "editing").exists, what="zsh's answer")
        os.write(terminal, line.encode() + b"\x14")
        until((folder / "done").exists, what="zsh's answer")
    finally:
        os.kill(shell, signal.SIGKILL)
        os.waitpid(shell, 0)
        reader.join()
        os.close(terminal)
    return (folder / "offered").read_text().split("\n")


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}


@pytest.fixture(params=SHELLS)
def shell(request, cli, tmp_path):
    """A function: what that shell offers after a line."""
    name = request.param
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    script = tmp_path / f"completion.{name}"
    script.write_text(cli("completion", name).stdout)
    (tmp_path / "note.txt").touch()
    return lambda line: set(SHELLS[name](tmp_path, script, line))


@pytest.mark.parametrize("line, wanted, unwanted", QUESTIONS)
def test_a_shell_offers_what_may_follow(shell, line, wanted, unwanted):
    offered = {word.rstrip("=") for word in shell(line)}
    assert wanted <= offered and not unwanted & offered, offered


def test_a_shell_offers_files_where_one_is_taken(shell):
    line, wanted = FILES
    assert wanted <= {word.removeprefix("./") for word in shell(line)}
