"""Builds with parts left out: configured anew, and what differs from this build is compiled."""

import json
import os
import subprocess
from pathlib import Path

from .test_library import compiler_of

ROOT = Path(__file__).parents[3]


def run(*command, **more):
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


def test_the_platform_builds_without_the_page(build, tmp_path):
    """The text at `/` of such a build is in test/server/page/."""
    folder = tmp_path / "build"
    told = run("meson", "setup", folder, ROOT, "-Dpage=disabled", "-Dtests=false", "-Db_pch=false", "-Dbuildtype=plain",
               env={**os.environ, "CXX": " ".join(compiler_of(build))})
    assert "no: disabled" in told
    targets = json.loads(run("meson", "introspect", "--targets", folder))
    assert any(target["name"] == "molecule-platform" for target in targets)
    server = next(target for target in targets if target["name"] == "server")
    sources = {Path(path).name for part in server["target_sources"]
               for path in [*part.get("sources", ()), *part.get("generated_sources", ())]}
    assert "no_files.cpp" in sources and "page_files.cpp" not in sources
    run("ninja", "-C", folder, *(f"src/server/libserver.a.p/page_{name}.cpp.o" for name in ("no_files", "page")))
