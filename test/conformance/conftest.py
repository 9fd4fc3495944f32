"""What the public checkers need: Node, their packages (both from scripts/conformance.sh), a bridge."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from support.platform import Platform  # noqa: E402

PACKAGES = HERE / "node_modules"
SUITE = PACKAGES / "@modelcontextprotocol/conformance/dist/index.js"
REVISIONS = ("2025-11-25", "2026-07-28")


def find_node():
    """Why there is no Node for us, or nothing and its path."""
    prepared = HERE.parents[1] / "build" / "node.path"  # by ./check
    node = (os.environ.get("MOLECULE_NODE") or prepared.exists() and prepared.read_text().strip()
            or shutil.which("node"))
    why = os.environ.get("MOLECULE_NO_NODE")
    if why or not node:
        return why or "no Node", None
    if not SUITE.exists():
        return "the npm packages are not installed", None
    return None, node


WHY_NOT, NODE = find_node()


def pytest_collection_modifyitems(items):
    if WHY_NOT:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=WHY_NOT))


def pytest_sessionfinish(session):
    """Meson's word for "skipped"."""
    if WHY_NOT and "MESON_TEST_ITERATION" in os.environ:
        session.exitstatus = 77


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("MOLECULE_BUILD", "build")).resolve()


@pytest.fixture(scope="session")
def fixture_program(build):
    return build / "test/conformance/fixture_server"


def run_node(*args, env=None, timeout=120):
    """Runs a Node program to its end."""
    return subprocess.run([NODE, *map(str, args)], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout)


class Bridge:
    """bridge.mjs before a program that speaks on stdio."""

    def __init__(self, *command, env=None):
        self.process = subprocess.Popen([NODE, HERE / "bridge.mjs", *map(str, command)],
                                        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://"), "the bridge did not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()


class Product:
    """molecule-mcp's command and environment on a platform of its own."""

    def __init__(self, build, folder):
        self.binary = build / "molecule-mcp"
        self.platform = Platform(build)
        self.folder = folder

    def __enter__(self):
        self.platform.start()
        return self

    def __exit__(self, *error):
        self.platform.__exit__(*error)

    def environment(self):
        """Of a new workspace: processes that run at once must not share one."""
        workspace = self.platform.create_workspace("checked")
        state = self.folder / secrets.token_hex(4)
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
                "WORKSPACE_ID": workspace.id, "PLATFORM_URL": self.platform.url,
                "MOLECULE_WORKSPACE_TOKEN": workspace.token, "CONFIGS_DIR": str(state)}


@pytest.fixture(scope="session")
def product(build, tmp_path_factory):
    with Product(build, tmp_path_factory.mktemp("product")) as started:
        yield started


def failures(folder):
    """What went wrong in a scenario of the suite, from the checks it left in `folder`."""
    checks = json.loads((folder / "checks.json").read_text())
    assert checks, "the scenario checked nothing"
    return [f"{c['id']}: {c.get('errorMessage') or c['description']}" for c in checks
            if c["status"] in ("FAILURE", "WARNING")]
