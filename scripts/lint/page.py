"""The page's TypeScript is type-checked, and its files are short."""

import os
import shutil
import subprocess

from support import ROOT, finish, skip, tracked_files

UI = ROOT / "src" / "server" / "page" / "ui"
# Where Debian's packages put the libraries that it uses.
MODULES = "/usr/share/nodejs"
CEILING = 400
COLUMNS = 160


def problems():
    for path in tracked_files():
        path = ROOT / path
        if UI not in path.parents or path.suffix not in (".ts", ".tsx", ".css"):
            continue
        lines = path.read_text().splitlines()
        if len(lines) > CEILING:
            yield f"{path.relative_to(ROOT)}: {len(lines)} lines, more than {CEILING}"
        for number, line in enumerate(lines, 1):
            if path.suffix != ".css" and len(line) > COLUMNS:
                yield f"{path.relative_to(ROOT)}:{number}: {len(line)} columns, more than {COLUMNS}"
    checked = subprocess.run(["tsc", "-p", str(UI)], cwd=ROOT, capture_output=True, text=True,
                             env={**os.environ, "NODE_PATH": MODULES})
    yield from checked.stdout.splitlines()


if not shutil.which("tsc") or not os.path.isdir(f"{MODULES}/marked"):
    skip("tsc or the page's libraries are missing (Debian: node-typescript node-marked)")
finish(problems())
