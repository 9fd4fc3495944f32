"""The rules of scripts/lint/rules/: what compilers get wrong in coroutines, and what blocks the loop.

Each rule must find its sample in samples/coroutines/refused.cpp, none may find anything in
accepted.cpp or in the sources. ast-grep is no package of Debian; its wheel holds the program:
`pip install ast-grep-cli`.
"""

import json
import re
import shutil
import subprocess

from support import ROOT, SAMPLES, finish, skip

LINT = ROOT / "scripts" / "lint"


def find_tool():
    installed = ROOT / "build" / "lint" / "bin" / "ast-grep"  # by ./check
    return installed if installed.exists() else shutil.which("ast-grep")


def scan(tool, *paths):
    ran = subprocess.run([tool, "scan", "-c", LINT / "sgconfig.yml", "--json=stream", *paths],
                         cwd=ROOT, capture_output=True, text=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def main():
    tool = find_tool()
    if not tool:
        skip("ast-grep is not installed (pip install ast-grep-cli)")
    rules = {re.search(r"^id: (\S+)", path.read_text(), re.MULTILINE)[1]
             for path in (LINT / "rules").glob("*.yml")}
    samples = SAMPLES / "coroutines"
    found = {match["ruleId"] for match in scan(tool, samples / "refused.cpp")}
    wrong = [f"{rule} finds nothing in {samples.relative_to(ROOT)}/refused.cpp" for rule in sorted(rules - found)]
    finish(wrong + [f"{match['file']}:{match['range']['start']['line'] + 1}: {match['ruleId']}"
                    for match in scan(tool, samples / "accepted.cpp", "src", "include")])


main()
