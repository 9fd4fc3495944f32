"""clang-tidy-19 with the checks of .clang-tidy, on everything in src/ that the build compiles."""

import os
import re
import shutil
import subprocess

from support import ROOT, finish, skip

if not shutil.which("run-clang-tidy-19"):
    skip("clang-tidy-19 is missing (Debian: clang-tidy-19 clang-tools-19)")
build = os.environ.get("MOLECULE_BUILD", "build")
ran = subprocess.run(["run-clang-tidy-19", "-clang-tidy-binary", "clang-tidy-19", "-p", build, "-quiet",
                      "-j", str(os.cpu_count()), re.escape(str(ROOT / "src")) + "/.*"],
                     cwd=ROOT, capture_output=True, text=True)
found = {line for line in ran.stdout.splitlines() if re.search(r"error:|warning:", line)}
if ran.returncode != 0 and not found:
    found = {ran.stderr[-2000:] or "run-clang-tidy-19 failed"}
finish(sorted(found))
