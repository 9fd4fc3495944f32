"""Validates every line that the end-to-end tests saw on stdout against its revision's schema."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HERE, run_node


def validate(folder):
    ended = run_node(HERE / "validate.mjs", folder, timeout=300)
    assert ended.stdout, ended.stderr
    return ended.returncode, ended.stdout


@pytest.fixture
def transcripts(build, tmp_path):
    """Of the whole end-to-end run before this one, or of the few tests that speak every revision."""
    folder = Path(os.environ.get("MOLECULE_TRANSCRIPTS", tmp_path / "transcripts"))
    if not folder.is_dir():
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                        HERE.parent / "e2e" / "protocol"],
                       env={**os.environ, "MOLECULE_BUILD": str(build), "MOLECULE_TRANSCRIPTS": str(folder)},
                       stdout=sys.stderr, check=True)
    return folder


def test_lines_of_the_end_to_end_tests(transcripts):
    code, output = validate(transcripts)
    assert code == 0, output
    counts = json.loads(output.splitlines()[-1])
    assert set(counts["messages"]) >= {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25",
                                       "2026-07-28"}


@pytest.mark.parametrize("answer", [
    {"result": {"tools": [{"name": "without_schema"}]}},
    {"result": {}},
    {"error": {"code": "text", "message": "x"}},
])
def test_what_is_wrong_is_found(tmp_path, answer):
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    lines = [{"host": json.dumps(request)}, {"server": json.dumps({"jsonrpc": "2.0", "id": 1, **answer})}]
    (tmp_path / "wrong.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert validate(tmp_path)[0] == 1
