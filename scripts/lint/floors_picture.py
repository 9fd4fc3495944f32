"""docs/floors.svg shows the rooms and arrows of this tree."""

import pathlib
import subprocess
import sys

DRAW = pathlib.Path(__file__).resolve().parents[1] / "docs" / "floors.py"

sys.exit(subprocess.run([sys.executable, str(DRAW), "--check"], check=False).returncode)
