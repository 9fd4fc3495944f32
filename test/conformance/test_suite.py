"""Runs the public suite's requirement sets on the fixture: no failures, no warnings."""

import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import NODE, PACKAGES, REVISIONS, SUITE, WHY_NOT, Bridge, failures

REQUIREMENTS = PACKAGES / "@modelcontextprotocol/conformance/requirements"

def required(revision):
    """The server scenarios of a requirement set, listed one per line under `server:`."""
    scenarios, inside = [], False
    for line in (REQUIREMENTS / f"{revision}.yaml").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            inside = line == "server:"
        elif inside and line.startswith("  - "):
            scenarios.append(line[4:].strip())
    return scenarios


class Run:
    """Runs one requirement set on one fixture, in the background; results by scenario."""

    def __init__(self, program, revision):
        self.bridge = Bridge(program)
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [NODE, SUITE, "server", "--url", self.bridge.url, "--requirements", revision,
             "--output-dir", self.folder.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = None

    def checks_of(self, scenario):
        if self.output is None:
            self.output, _ = self.process.communicate(timeout=240)
        found = list(Path(self.folder.name).glob(f"server-{scenario}-2*"))
        assert found, f"{scenario} did not run: {self.output[-2000:]}"
        return found[0]

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.bridge.__exit__()
        self.folder.cleanup()


@pytest.fixture(scope="module")
def runs(fixture_program):
    """Starts both sets, which run concurrently."""
    started = {revision: Run(fixture_program, revision) for revision in REVISIONS}
    yield started
    for run in started.values():
        run.close()


ON_FIXTURE = [] if WHY_NOT else [(r, s) for r in REVISIONS for s in required(r)]


@pytest.mark.parametrize("revision, scenario", ON_FIXTURE or [("all", "all")])
def test_requirement(runs, revision, scenario):
    assert failures(runs[revision].checks_of(scenario)) == []
