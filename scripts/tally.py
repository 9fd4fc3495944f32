"""Counts the results in a folder: JUnit files of the test programs, and notes.tsv of ./check.

Prints every test that failed or was skipped, then `N passed, M failed`.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def outcomes(folder):
    """Yields (outcome, name, why) for every test."""
    for path in sorted(folder.glob("*.xml")):
        try:
            cases = ElementTree.parse(path).getroot().iter("testcase")
            for case in cases:
                name = f"{path.stem}: {case.get('name')}"
                skipped = case.find("skipped")
                if case.find("failure") is not None or case.find("error") is not None:
                    yield "fail", name, ""
                elif skipped is not None:
                    yield "skip", name, skipped.get("message") or ""
                else:
                    yield "pass", name, ""
        except ElementTree.ParseError as error:
            yield "fail", f"{path.name} is not readable", str(error)
    notes = folder / "notes.tsv"
    if notes.exists():
        for line in notes.read_text().splitlines():
            outcome, name, why = line.split("\t")
            yield outcome, name, why


def main():
    counts = {"pass": 0, "fail": 0, "skip": 0}
    for outcome, name, why in outcomes(pathlib.Path(sys.argv[1])):
        counts[outcome] += 1
        if outcome != "pass":
            print(f"{outcome.upper()}  {name}{': ' + why if why else ''}")
    skipped = f", {counts['skip']} skipped" if counts["skip"] else ""
    print(f"{counts['pass']} passed, {counts['fail']} failed{skipped}")
    sys.exit(0 if counts["fail"] == 0 and counts["pass"] > 0 else 1)


main()
