"""Runs molecule-mcp as a command that exits by itself."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from support.deadline import DEADLINE

NOBODY = 65534


def run(binary, env, *args, stdin=subprocess.DEVNULL, **popen):
    env = {k: v for k, v in env.items() if v is not None}
    return subprocess.run([str(binary), *args], env=env, stdin=stdin, capture_output=True, text=True,
                          timeout=DEADLINE, **popen)


def refused(binary, env, *names, **popen):
    """Runs with a configuration that must be rejected; returns stderr, which names all of
    `names`."""
    ended = run(binary, env, **popen)
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    for name in names:
        assert name in ended.stderr, (name, ended.stderr)
    assert 1 <= len(ended.stderr.splitlines()) <= 8, ended.stderr
    return ended.stderr


@contextmanager
def open_folder():
    """A folder that other users can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="molecule-e2e-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_nobody():
    """Popen arguments that drop root's privileges, so that file modes apply."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


NAMESPACE = ["unshare", "-rm"]


def in_container_root(command, root, setup):
    """The command line that runs `command` in a mount namespace in which `/configs` exists: its
    root is `root`, with everything else of `/` bound to it. `setup` is a shell snippet that runs
    first. None if the machine does not permit it."""
    try:
        if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0:
            return None
    except FileNotFoundError:
        return None
    root.mkdir()
    script = """
      set -e
      root=$1; shift
      mount -t tmpfs none "$root"
      mkdir "$root/configs"
      for at in /*; do
        if [ -L "$at" ]; then cp -P "$at" "$root$at"
        elif [ -d "$at" ] && [ "$at" != /configs ]; then
          mkdir "$root$at"
          mount --rbind "$at" "$root$at"
        fi
      done
      """ + setup + """
      exec chroot "$root" "$@"
    """
    return [*NAMESPACE, "sh", "-c", script, "sh", str(root), *map(str, command)]
