"""`meson test` knows every test file: its list is read from the tree when a build is configured."""

import json
import os
import subprocess
import sys

from support import ROOT, finish, skip

sys.path.insert(0, str(ROOT / "scripts"))
from list_tests import everything  # noqa: E402

build = os.environ.get("MOLECULE_BUILD", "build")
listed = subprocess.run(["meson", "introspect", "--tests", build], cwd=ROOT, capture_output=True, text=True)
if listed.returncode != 0:
    skip(f"{build} is not configured")
known = {test["name"] for test in json.loads(listed.stdout)}
rooms_left_out = () if any(name.startswith("server/") for name in known) else ("server/", "fuzz/")
finish(f"{name} is not in the list: run `meson setup --reconfigure {build}`"
       for name in everything() if name not in known and not name.startswith(rooms_left_out))
