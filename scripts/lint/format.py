"""Every C++ file is as clang-format-19 would write it."""

import shutil
import subprocess
import sys

from support import ROOT, skip, sources

if not shutil.which("clang-format-19"):
    skip("clang-format-19 is missing (Debian: clang-format-19)")
sys.exit(subprocess.run(["clang-format-19", "--dry-run", "--Werror", *sources()], cwd=ROOT).returncode)
