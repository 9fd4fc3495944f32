"""Checks that a room includes only its own headers and those of rooms on lower floors."""

import pathlib
import re
import sys

FLOORS = {"base": 0, "net": 1, "platform": 2, "mcp": 2, "workspace": 3, "server": 3, "tools": 4, "cli": 5, "app": 6}
INCLUDE = re.compile(r'#include "(?:molecule/)?(\w+)/')
# Each library has one wrapper: the files that may include its headers.
LIBRARIES = {
    "curl/": "net", "sqlite3.h": "base", "simdjson.h": "base", "restinio/": "server", "CLI/": "app",
}
LIBRARY = re.compile(r"#include <([^>]+)>")


def findings():
    for path in sorted(pathlib.Path(".").glob("*/**/*.[ch]pp")):
        parts = path.parts
        room = parts[2] if parts[:2] == ("include", "molecule") else parts[1] if parts[0] == "src" else None
        if room not in FLOORS:
            continue
        text = path.read_text()
        for other in INCLUDE.findall(text):
            if other != room and FLOORS[other] >= FLOORS[room]:
                yield f"{path}: {room} (floor {FLOORS[room]}) uses {other} (floor {FLOORS[other]})"
        for header in LIBRARY.findall(text):
            for library, owner in LIBRARIES.items():
                if header.startswith(library) and room != owner:
                    yield f"{path}: <{header}> belongs in {owner}"


def main():
    found = list(findings())
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
