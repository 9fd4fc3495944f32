"""Minimal Debian systems in folders: made once, unpacked for each try, entered or booted."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "molecule-gate"
NEEDED = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container", "dpkg-deb": "dpkg-dev"}
SYSTEMD = ["systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd"]
DEADLINE = 240


class Skipped(Exception):
    """A step that cannot run here."""


def require():
    """Raises Skipped if this machine cannot run whole systems."""
    if os.geteuid() != 0:
        raise Skipped("it needs root")
    missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
    if missing:
        raise Skipped(f"not installed: {', '.join(missing)}")


def suite_of_this_machine():
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r"^VERSION_CODENAME=(\S+)", text, re.M)
    return found[1] if found else ""


class System:
    """A Debian system in a folder. Its processes see this machine's network."""

    def __init__(self, path):
        self.path = path

    def run(self, *command, check=True, env=None, text=None):
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                       "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        environment.update(env or {})
        # A mount namespace of its own: /proc is gone with the process.
        inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", inside, str(self.path), *map(str, command)],
            check=check, env=environment, input=text or "", capture_output=True, text=True)


def made_once(suite, with_systemd):
    """An archive of the system, in the cache."""
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"{suite}{'-systemd' if with_systemd else ''}.tar"
    if not archive.exists():
        part = archive.with_suffix(".part.tar")
        include = [f"--include={','.join(SYSTEMD)}"] if with_systemd else []
        subprocess.run(["mmdebstrap", "--variant=minbase", *include, suite, part], check=True,
                       capture_output=True, text=True)
        part.rename(archive)
    return archive


def unpack(suite, folder, with_systemd=False):
    require()
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-C", folder, "-xpf", made_once(suite, with_systemd)], check=True)
    shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
    return System(folder)


def wait_for(condition, what):
    """Waits until `condition()` is true."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


class Booted:
    """A system with systemd as its first process."""

    def __init__(self, system, container):
        self.system = system
        self.container = container
        self.first = None

    def run(self, *command, check=True, text=None, user=None):
        inside = list(map(str, command))
        if user is not None:
            number = self.run("id", "-u", user).stdout.strip()
            inside = ["runuser", "-u", user, "--", "env", "-C", f"/home/{user}", f"HOME=/home/{user}",
                      f"XDG_RUNTIME_DIR=/run/user/{number}",
                      f"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{number}/bus", *inside]
        return subprocess.run(
            ["nsenter", "-t", str(self.first), "-m", "-u", "-i", "-p", "-r", "-w", "--", *inside],
            check=check, input=text or "", capture_output=True, text=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})

    def power_off(self):
        if self.first is not None and self.container.poll() is None:
            self.run("systemctl", "poweroff", "--no-block", check=False)
        try:
            self.container.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.container.pid, signal.SIGKILL)
            self.container.wait()


def children(process):
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    except OSError:
        return []
    return [int(number) for number in text.split()]


def first_process(container):
    """systemd inside: the process below systemd-nspawn whose namespace has it as number 1."""
    waiting = [container.pid]
    while waiting:
        process = waiting.pop()
        for child in children(process):
            try:
                status = Path(f"/proc/{child}/status").read_text(encoding="utf-8")
            except OSError:
                continue
            if re.search(r"^NSpid:\t\d+(\t\d+)*\t1$", status, re.M):
                return child
            waiting.append(child)
    return None


def boot(system):
    """Boots the system without asking this machine's own service manager for anything."""
    inside = ("mount -t tmpfs tmpfs /run && mkdir -p /run/systemd && "
              "exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -D \"$0\" --register=no "
              "--keep-unit -b --console=pipe --hostname=molecule-gate")
    with open(system.path.with_suffix(".console"), "w", encoding="utf-8") as console:
        container = subprocess.Popen(
            ["unshare", "-m", "bash", "-c", inside, str(system.path)], stdin=subprocess.DEVNULL,
            stdout=console, stderr=subprocess.STDOUT, start_new_session=True)
    booted = Booted(system, container)
    try:
        def is_up():
            if container.poll() is not None:
                raise AssertionError(f"systemd-nspawn ended: see {console.name}")
            booted.first = booted.first or first_process(container)
            if booted.first is None:
                return False
            state = booted.run("systemctl", "is-system-running", check=False).stdout.strip()
            return state in ("running", "degraded")

        wait_for(is_up, "the system has booted")
    except BaseException:
        booted.power_off()
        raise
    return booted


def newer(package, folder):
    """The same package with a higher version."""
    tree = folder / "newer"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+gate", text, flags=re.M), encoding="utf-8")
    made = folder / f"{package.stem}+gate.deb"
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree, made], check=True,
                   capture_output=True)
    return made
