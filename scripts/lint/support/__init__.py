"""What the lints share. Each one is a program of its own: exit code 0 where it finds nothing, 1 with
its findings on stdout, 77 with the reason where it cannot run here (Meson's and ./check's "skipped").
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "scripts" / "lint" / "samples"


def tracked_files(root=ROOT):
    """Paths relative to `root` of all files that belong to the project: tracked, or new."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, capture_output=True)
    if listed.returncode != 0:
        skip("not a git checkout")
    return sorted(path for name in listed.stdout.decode().split("\0") if name
                  for path in [pathlib.Path(name)] if (root / path).is_file())


def sources():
    """The C++ files, relative to the project's root."""
    return [path for path in tracked_files()
            if path.suffix in (".cpp", ".hpp") and path.parts[0] in ("docs", "include", "src", "test")]


def skip(why):
    print(why)
    sys.exit(77)


def finish(findings):
    findings = list(findings)
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


def check_samples(name, find):
    """Yields what `find(root)`, which yields (path, line number, text), gets wrong in the sample
    trees: it must find nothing in `accepted`, and in `refused` exactly the lines that say
    `refused: PART OF THE TEXT`."""
    trees = SAMPLES / name
    for path, line, text in find(trees / "accepted"):
        yield f"found in an accepted sample: {path}:{line}: {text}"
    root = trees / "refused"
    wanted = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if marker := re.search(r"refused: (.*?)(?: \*/| -->|$)", line):
                wanted[path.relative_to(root), number] = marker[1]
    found = {}
    for path, line, text in find(root):
        found.setdefault((path, line), []).append(text)
    for (path, line), texts in found.items():
        if (path, line) not in wanted:
            yield f"found, but not marked in the refused samples: {path}:{line}: {texts}"
    for (path, line), part in wanted.items():
        if not any(part in text for text in found.get((path, line), [])):
            yield f"not found in the refused samples: {path}:{line}: {part}"
