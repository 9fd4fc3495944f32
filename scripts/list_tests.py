"""Lists tests for test/meson.build, one name a line, from the files that are there.

    scripts/list_tests.py rooms | unit ROOM | e2e | conformance | page | clients | lint
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[1]
TEST = ROOT / "test"
PYTHON_SUITES = ("e2e", "conformance", "page", "clients")


def names(folder, pattern):
    """Paths below test/ without their endings."""
    return sorted(path.relative_to(TEST).with_suffix("").as_posix()
                  for path in (TEST / folder).rglob(pattern) if "node_modules" not in path.parts)


def rooms():
    """The folders of test/ that make a unit-test program."""
    return sorted(path.parent.name for path in TEST.glob("*/meson.build")
                  if names(path.parent.name, "test_*.cpp"))


def lints():
    return sorted(path.stem for path in (ROOT / "scripts" / "lint").glob("*.py"))


def everything():
    """The names of all tests, as `meson test --list` should have them."""
    found = [f"lint/{name}" for name in lints()]
    for room in rooms():
        found += names(room, "test_*.cpp")
    for suite in PYTHON_SUITES:
        found += names(suite, "test_*.py")
    return found


def main():
    match sys.argv[1:]:
        case ["rooms"]:
            found = rooms()
        case ["unit", room]:
            found = names(room, "test_*.cpp")
        case [suite] if suite in PYTHON_SUITES:
            found = names(suite, "test_*.py")
        case ["lint"]:
            found = lints()
        case _:
            sys.exit(__doc__)
    print("\n".join(found))


if __name__ == "__main__":
    main()
