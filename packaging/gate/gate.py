"""The release gate: what a person gets from the packages, tried on bare systems.

Each step prints one line: ok, FAILED with the reason, or skipped with the reason. The exit code is
1 if a step failed.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import agent
import root as roots

TOP = Path(__file__).resolve().parents[2]


class Gate:
    """Runs steps and remembers how they ended."""

    def __init__(self):
        self.failed = 0
        self.skipped = 0
        self.passed = 0

    @contextmanager
    def step(self, name):
        """Its value takes what is to be said of a step that went well."""
        started = time.monotonic()
        said = []
        try:
            yield said.append
        except roots.Skipped as reason:
            self.skipped += 1
            print(f"skipped  {name}: {reason}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            print(f"FAILED   {name}: {describe(error)}", flush=True)
        else:
            self.passed += 1
            text = f"ok       {name} ({time.monotonic() - started:.1f} s)"
            print(": ".join([text, *said]), flush=True)

    def summary(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def describe(error):
    if isinstance(error, subprocess.CalledProcessError):
        output = ((error.stdout or "") + (error.stderr or "")).strip()
        return f"{error.cmd} exited {error.returncode}:\n{output[-3000:]}"
    return f"{type(error).__name__}: {error}"


def packages_in(folder):
    found = {}
    for path in folder.glob("*.deb"):
        found[path.name.partition("_")[0]] = path
    missing = {"molecule-mcp", "molecule-platform"} - set(found)
    if missing:
        sys.exit(f"gate: no package {', '.join(sorted(missing))} in {folder}")
    return found


def check_contents(packages, installed):
    """What meson installs is what the packages hold, in both directions."""
    held = set()
    for path in packages.values():
        listing = subprocess.run(["dpkg-deb", "-c", path], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            name = line.split()[5].removeprefix(".")
            if not name.endswith("/"):
                held.add(re.sub(r"\.gz$", "", name))
    expected = {re.sub(r"^/usr/lib/systemd/system", "/lib/systemd/system", name)
                for name in installed}
    held = {re.sub(r"^/usr/lib/systemd/system", "/lib/systemd/system", name) for name in held}
    assert expected <= held, f"in no package: {sorted(expected - held)}"
    added_by_debian = re.compile(r"/usr/share/(doc|lintian)/")
    extra = {name for name in held - expected if not added_by_debian.match(name)}
    assert not extra, f"not installed by meson: {sorted(extra)}"


def installed_by_meson(tree):
    """The destinations of what meson installs in the build of the packages. Read from its file: the
    meson of this machine may be another one than the build's."""
    known = next(tree.glob("obj-*")) / "meson-info" / "intro-installed.json"
    return set(json.loads(known.read_text(encoding="utf-8")).values())


def try_bare(gate, suite, packages, folder):
    """In a minimal system without systemd: installs, runs, reaches HTTPS, leaves nothing."""
    with gate.step(f"{suite}: a bare system"):
        system = roots.unpack(suite, folder / f"{suite}-bare")
    if not (folder / f"{suite}-bare").exists():
        return
    for package in packages.values():
        shutil.copy(package, system.path / "tmp")
    with gate.step(f"{suite}: the packages install with what they depend on"):
        system.run("apt-get", "update", "-qq")
        system.run("apt-get", "install", "-y", "--no-install-recommends",
                   *[f"/tmp/{package.name}" for package in packages.values()])
    with gate.step(f"{suite}: --version of both programs"):
        for program in packages:
            shown = system.run(program, "--version").stdout
            assert re.search(r"\d+\.\d+\.\d+", shown), shown
    with gate.step(f"{suite}: without a configuration it exits with 2 and says what is missing"):
        ended = system.run("molecule-mcp", "serve", check=False)
        assert ended.returncode == 2, ended
        assert "WORKSPACE_ID" in ended.stderr, ended.stderr
    with gate.step(f"{suite}: an HTTPS request works"):
        agent.reach_over_https(system)
    with gate.step(f"{suite}: every file is as it was packed"):
        changed = system.run("dpkg", "-V", *packages).stdout
        assert not changed, changed
    with gate.step(f"{suite}: purging leaves nothing behind"):
        system.run("apt-get", "purge", "-y", *packages)
        left = system.run("find", "/etc", "/usr", "/lib", "/var/lib", "-name", "*molecule*",
                          "-not", "-path", "/var/lib/dpkg/*", "-not", "-path",
                          "/var/lib/systemd/*").stdout
        assert not left, left


def try_service(gate, suite, packages, folder):
    """In a booted system: setup, the service, an answered message, an upgrade, a purge."""
    booted = None
    with gate.step(f"{suite}: a booted system with systemd"):
        system = roots.unpack(suite, folder / f"{suite}-booted", with_systemd=True)
        for package in packages.values():
            shutil.copy(package, system.path / "tmp")
        system.run("apt-get", "update", "-qq")
        system.run("apt-get", "install", "-y", "--no-install-recommends",
                   *[f"/tmp/{package.name}" for package in packages.values()])
        booted = roots.boot(system)
    if booted is None:
        return
    try:
        person = agent.Person(booted)
        with gate.step(f"{suite}: molecule-platform is ready under systemd"):
            person.start_platform()
        with gate.step(f"{suite}: molecule-mcp setup brings a workspace online"):
            person.set_up()
        with gate.step(f"{suite}: the user service is ready"):
            person.start_service()
        with gate.step(f"{suite}: a message is answered by the handler"):
            person.ask("what is the answer?", expect="the answer to: what is the answer?")
        with gate.step(f"{suite}: the idle daemon is small and sleeps") as say:
            say(person.be_idle())
        with gate.step(f"{suite}: the agent's service does what docs/service.md says"):
            person.use_service()
            person.ask("and after the restart?", expect="the answer to: and after the restart?")
        with gate.step(f"{suite}: the platform's service does what docs/service.md says"):
            person.use_platform_service()
        with gate.step(f"{suite}: the platform's service stores in PostgreSQL"):
            person.use_postgres()
        with gate.step(f"{suite}: a platform of one user runs in the user's manager"):
            person.use_own_platform()
        with gate.step(f"{suite}: an upgrade keeps the inbox and the service goes on"):
            person.upgrade(packages, roots.newer(packages["molecule-mcp"], folder))
            person.ask("and after the upgrade?", expect="the answer to: and after the upgrade?")
        with gate.step(f"{suite}: purging leaves nothing but the person's data"):
            person.purge()
    finally:
        booted.power_off()


def main():
    parser = argparse.ArgumentParser(prog="packaging/gate/run", description=__doc__)
    parser.add_argument("--debs", type=Path, metavar="DIR",
                        help="take the packages from DIR instead of building them")
    parser.add_argument("--suite", action="append", choices=["bookworm", "trixie"],
                        help="Debian 12 or 13; may be repeated (default: both). Packages for "
                        "trixie are built in a trixie system, as its libraries are others")
    options = parser.parse_args()
    gate = Gate()
    started = time.monotonic()
    folder = TOP / "build-gate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for suite in options.suite or ["bookworm", "trixie"]:
        packages = None
        with gate.step(f"{suite}: the packages build, and lintian accepts them"):
            packages, tree = build(suite, options.debs, folder)
            if tree is None:
                raise roots.Skipped("the packages are given")
        if packages is None:
            continue
        with gate.step(f"{suite}: the packages hold what meson installs"):
            if tree is None:
                raise roots.Skipped("the packages are given")
            check_contents(packages, installed_by_meson(tree))
        with gate.step(f"{suite}: this machine can try them"):
            roots.require()
        if os.geteuid() != 0:
            continue
        try_bare(gate, suite, packages, folder)
        try_service(gate, suite, packages, folder)
    print(f"{time.monotonic() - started:.0f} s")
    print(gate.summary())
    return 1 if gate.failed else 0


def tree_in(made):
    return next(path for path in made.glob("molecule-mcp-*") if path.is_dir())


def build(suite, given, folder):
    """The packages, and the tree in which they were built; None if they are given."""
    if given is not None:
        return packages_in(given), None
    if suite == roots.suite_of_this_machine():
        subprocess.run([TOP / "packaging" / "build-deb"], check=True, capture_output=True, text=True)
        made = TOP / "build-deb"
        return packages_in(made), tree_in(made)
    system = roots.unpack(suite, folder / f"{suite}-build")
    clone = system.path / "src"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", TOP, clone], check=True)
    system.run("apt-get", "update", "-qq")
    system.run("apt-get", "install", "-y", "--no-install-recommends", "git", "ca-certificates")
    system.run("git", "config", "--global", "--add", "safe.directory", "/src")
    system.run("/src/packaging/build-deb")
    made = clone / "build-deb"
    return packages_in(made), tree_in(made)


if __name__ == "__main__":
    sys.exit(main())
