"""Reads `meson introspect --targets` from stdin; prints what `meson install` needs built, for ninja."""

import json
import os
import sys

targets = json.load(sys.stdin)
# The programs lie in the root of the build folder.
root = os.path.commonpath([os.path.dirname(file) for target in targets for file in target["filename"]])
for target in targets:
    if target["installed"]:
        for file in target["filename"]:
            print(os.path.relpath(file, root))
