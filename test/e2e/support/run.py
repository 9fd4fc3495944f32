"""molecule-mcp as a command that ends by itself."""

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
    """Runs with a configuration that must be refused; gives stderr, in which all `names` are."""
    ended = run(binary, env, **popen)
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    for name in names:
        assert name in ended.stderr, (name, ended.stderr)
    assert 1 <= len(ended.stderr.splitlines()) <= 8, ended.stderr
    return ended.stderr


@contextmanager
def open_folder():
    """A folder that another user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="molecule-e2e-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_nobody():
    """Arguments of Popen that drop root's rights, so that file modes mean something."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


NAMESPACE = ["unshare", "-rm"]


def in_container_root(command, root, setup):
    """The command line that runs `command` where `/configs` exists: in a mount namespace whose
    root is `root`, a folder to which everything else of `/` is bound. `setup` is run before, in
    sh. None where the machine does not allow it."""
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
