"""The demonstration of ./run: shows the main job, exits cleanly, leaves nothing behind, and
reports failures."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

import pytest

from support.deadline import DEADLINE
from support.platform import SANITIZER, child_env

DEMO = Path(__file__).parents[2] / "scripts" / "demo" / "main_job.py"


def start(build, home, *arguments, **popen):
    return subprocess.Popen(
        [sys.executable, str(DEMO), "--build", str(build), *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env=child_env(home) | {"TMPDIR": str(home)} | popen.pop("env", {}), **popen)


def processes_of(home):
    """The processes that have this folder in their command line or environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(str(home)) in text:
                found.append(folder.name)
    return found


@pytest.fixture
def home():
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


def test_once_shows_the_main_job_and_leaves_nothing_behind(build, mcp_binary, home):
    process = start(build, home, "--once")
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, (out, err)
    assert err == "" and "\033" not in out and not SANITIZER.search(out)
    expected = [
        r"platform +http://127\.0\.0\.1:\d+ says: ok",
        r"Ada +[0-9a-f-]{36}  awaiting_agent", r"Ben +[0-9a-f-]{36}  awaiting_agent",
        r"Ada +molecule \S+, MCP 2025-11-25, \d+ tools", r"Ben +molecule \S+, MCP",
        r"Ada +online, its card says “Ada”", r"Ben +online, its card says “Ben”",
        r"platform +queued for Ada: “Ada, how much is 6 times 7\?",
        r"Ada +hears the user: “Ada, how much is 6 times 7\?",
        r"Ada +calls delegate_task: .*queued", r"platform +Ada to Ben: “How much is 6 times 7\?”",
        r"user +reads, from Ada: “I have asked Ben\.”", r"Ada +removes .* 0 left",
        r"Ben +hears Ada: “How much is 6 times 7\?”", r"platform +Ben to Ada: “6 times 7 is 42\.”",
        r"Ben +removes .* 0 left", r"Ada +hears Ben: “6 times 7 is 42\.”",
        r"user +reads, from Ada: “Ben says: 6 times 7 is 42\.”", r"Ada +removes .* 0 left",
        r"Cem +molecule-mcp daemon", r"user +writes to Cem",
        r"user +reads, from Cem: “Yes, and no window is open\.”",
        r"Ada +exited", r"Ben +exited", r"Cem +exited", r"Done\.",
    ]
    at = 0
    for pattern in expected:
        found = re.compile(pattern, re.IGNORECASE).search(out, at)
        assert found, f"{pattern} is missing from the rest of the output:\n{out[at:]}"
        at = found.end()
    assert list(home.iterdir()) == [], "it left files behind"
    assert processes_of(home) == [], "it left processes behind"


def test_it_runs_until_ctrl_c_and_shows_commands_to_try(build, mcp_binary, home):
    process = start(build, home, start_new_session=True)
    lines = []

    def read():
        for line in process.stdout:
            lines.append(line)
            if "source=canvas" in line:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(DEADLINE)
    out = "".join(lines)
    try:
        assert "source=canvas" in out, (out, process.poll())
        for program in ("claude mcp add", "codex mcp add", "gemini mcp add", "curl -sS"):
            assert program in out
        (store,) = home.glob("molecule-demo-*")
        assert store.stat().st_mode & 0o077 == 0
        for token_file in (store / "Ada.token", store / "admin.header"):
            assert token_file.stat().st_mode & 0o077 == 0
            assert token_file.read_text().split()[-1] not in out, "a secret was printed"
        # The page, logged in.
        link = re.search(r"^  (http\S+/login\?code=\S+)$", out, re.MULTILINE)[1]
        cookies = urllib.request.HTTPCookieProcessor()
        with urllib.request.build_opener(cookies).open(link, timeout=DEADLINE) as page:
            assert page.status == 200 and "code=" not in page.url
        assert [cookie.name.startswith("molecule_session") for cookie in cookies.cookiejar] == [True]
        curls = re.findall(r"^  (curl .*)$", out, re.MULTILINE)
        assert len(curls) == 2
        for command, wanted in zip(curls, ('"queued"', "Good morning, Ada")):
            ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=DEADLINE)
            assert ran.returncode == 0 and wanted in ran.stdout, ran
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        rest, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, (rest, err)
    assert list(home.iterdir()) == [] and processes_of(home) == []


def fake_program(folder, name, script):
    path = folder / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


@pytest.mark.parametrize("programs, expected", [
    ({}, "there is no molecule-platform"),
    ({"molecule-platform": "echo 'no disk today' >&2; exit 1"}, "no disk today"),
    ({"molecule-platform": "echo hello; exec sleep 60"}, "did not print its address"),
    ({"molecule-platform": None, "molecule-mcp": "echo 'no token today' >&2; exit 3"},
     "no token today"),
    ({"molecule-platform": None, "molecule-mcp": "echo '{}' ; exec 1>&-; sleep 1"}, "has exited"),
], ids=["missing", "dies", "mute", "agent dies", "agent closes"])
def test_a_failure_is_reported_and_leaves_nothing_behind(build, home, tmp_path, programs, expected):
    """`None` stands for the real program."""
    for name, script in programs.items():
        if script is None:
            (tmp_path / name).symlink_to(build / name)
        else:
            fake_program(tmp_path, name, script)
    process = start(tmp_path, home, "--once")
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1, (out, err)
    assert expected in err and "Traceback" not in err, err
    assert list(home.iterdir()) == [] and processes_of(home) == []
