"""molecule-mcp doctor (molecule-mcp.md 1; lessons.md 2.19)."""

import json
import os
import pty
import socket
import sqlite3
import subprocess
import time
import uuid
from email.utils import formatdate

import pytest

from support.deadline import DEADLINE
from support.fake_platform import HANG, HTML, RESET, Reply
from support.run import as_nobody, open_folder, run

OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def doctor(mcp_binary, env, fake, token):
    """A function: runs doctor and returns its exit code and its checks by name. Also checks that
    doctor only made requests that change nothing, and printed no secret."""

    def examine(changes=None, options=(), **popen):
        ended = run(mcp_binary, {**env, **(changes or {})}, "doctor", "--json", *options, **popen)
        assert ended.stderr == "", ended.stderr
        assert token not in ended.stdout and fake.inbound_secret not in ended.stdout
        answer = json.loads(ended.stdout)
        assert answer["ok"] == (ended.returncode == 0), ended
        assert answer["ok"] == all(c["status"] != "FAIL" for c in answer["checks"]), answer
        for check in answer["checks"]:
            assert set(check) - {"workspace"} == {"name", "status", "detail", "next"}, check
            assert bool(check["next"]) == (check["status"] != "OK"), check
        assert {r.method for r in fake.seen("*")} <= {"GET"}
        assert {r.route for r in fake.seen("*")} <= {"", "health", "info", "activity"}
        return Findings(ended.returncode, answer["checks"])

    return examine


class Findings:
    def __init__(self, code, checks):
        self.code, self.checks = code, checks

    def __getitem__(self, name):
        """`STATUS detail → next` of the check with that name; one line for each if there are
        several."""
        return "\n".join(f"{c['status']} {c['detail']} → {c['next']}" for c in self.checks
                         if c["name"] == name)

    @property
    def names(self):
        return [c["name"] for c in self.checks]

    @property
    def bad(self):
        return {c["name"]: c["status"] for c in self.checks if c["status"] != "OK"}


def content(folder):
    """The content of a folder, without SQLite's shared memory."""
    return {p.name: (p.read_bytes(), p.stat().st_mode) for p in folder.rglob("*")
            if p.is_file() and not p.name.endswith("-shm")}


def test_1_doctor_passes_on_a_healthy_platform_and_changes_nothing(mcp_binary, platform, base_env,
                                                                         state):
    workspace = platform.create_workspace("agent")
    env = {**base_env, "WORKSPACE_ID": workspace.id, "MOLECULE_WORKSPACE_TOKEN": workspace.token,
           "PLATFORM_URL": f"http://{platform.host}:{platform.port}", "CONFIGS_DIR": str(state)}
    database = sqlite3.connect(f"file:{platform.data_dir}/platform.db?mode=ro", uri=True)

    def rows():
        tables = [r[0] for r in database.execute("SELECT name FROM sqlite_schema WHERE type='table'"
                                                 " AND sql NOT LIKE '%VIRTUAL%' ORDER BY 1")]
        return {t: database.execute(f"SELECT * FROM {t}").fetchall() for t in tables}

    before = rows()
    assert before
    ended = run(mcp_binary, env, "doctor")
    assert ended.returncode == 0, ended.stdout
    lines = ended.stdout.splitlines()
    assert lines[-1] == "no failures"
    assert [line for line in lines[:-2] if not line.startswith("[OK]   ")] == []
    assert len(lines) >= 9
    assert not state.exists()
    assert rows() == before
    assert platform.status_of(workspace) == "awaiting_agent"
    database.close()


@pytest.mark.parametrize("ending", ["clean", "killed", "running"])
def test_1_doctor_reads_the_inbox_without_changing_it(doctor, spawn, fake, state, ending):
    child = spawn(speed=20)
    child.initialize()
    fake.add_message("one")
    fake.add_message("two")
    child.wait_messages(2)
    child.call("inbox_pop", activity_id=fake.rows[0]["id"])
    fake.wait_for("heartbeat")
    if ending == "clean":
        child.finish()
    elif ending == "killed":
        child.kill()
    else:
        found = run_beside(doctor, fake)
        assert "1 message waiting" in found["inbox"]
        assert found.code == 0
        return
    fake.requests.clear()
    before = content(state)
    found = doctor()
    assert content(state) == before
    assert "OK 1 message waiting" in found["inbox"]
    assert found.bad == {} and found.code == 0


def run_beside(doctor, fake):
    """Runs doctor while a server makes requests of its own."""
    seen = fake.seen
    fake.seen = lambda route: [r for r in seen(route) if "00000000-" in r.target]
    try:
        return doctor()
    finally:
        fake.seen = seen


def test_1_doctor_names_every_problem_of_the_configuration(doctor, fake, tmp_path):
    found = doctor({"WORKSPACE_ID": "seven", "PLATFORM_URL": "ftp://x",
                    "MOLECULE_WORKSPACE_TOKEN": None,
                    "MOLECULE_WORKSPACE_TOKEN_FILE": str(tmp_path / "absent"),
                    "CONFIGS_DIR": "/proc/1/status/state"})
    assert found.code == 1
    assert "WORKSPACE_ID" in found["configuration"] and "PLATFORM_URL" in found["configuration"]
    assert "absent" in found["token"] and found["token"].startswith("FAIL")
    assert found["state folder"].startswith("FAIL") and "/proc/1/status/state" in found["state folder"]
    assert fake.seen("*") == []


def test_1_doctor_without_any_configuration(mcp_binary, base_env):
    ended = run(mcp_binary, base_env, "doctor")
    assert ended.returncode == 1 and ended.stderr == ""
    for name in ("WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN"):
        assert name in ended.stdout
    assert "molecule-mcp setup" in ended.stdout


def test_1_doctor_warns_about_ignored_values_and_disabled_features(doctor):
    found = doctor({"MOLECULE_ORG_ID": "two words", "MOLECULE_MCP_POLL_TIMEOUT_SECS": "soon",
                    "MOLECULE_MCP_DISABLE_HEARTBEAT": "1", "MOLECULE_MCP_DISABLE_INBOX": "1"})
    assert found.code == 0
    assert found["configuration"].count("WARN") == 4


@pytest.mark.parametrize("source", ["variable", "file", "state"])
def test_1_doctor_names_the_source_of_the_token(doctor, token, tmp_path, state, source):
    changes = {} if source == "variable" else {"MOLECULE_WORKSPACE_TOKEN": None}
    state.mkdir(mode=0o700)
    path = state / ".auth_token" if source == "state" else tmp_path / "token"
    path.write_text(token + "\n")
    path.chmod(0o600)
    if source == "file":
        changes["MOLECULE_WORKSPACE_TOKEN_FILE"] = str(path)
    found = doctor(changes)
    assert found.bad == {}
    assert ("MOLECULE_WORKSPACE_TOKEN" if source == "variable" else str(path)) in found["token"]


def test_1_doctor_detects_a_placeholder_token(doctor, fake):
    found = doctor({"MOLECULE_WORKSPACE_TOKEN": "<paste auth_token here>"})
    assert found.bad == {"token": "FAIL"} and "placeholder" in found["token"]
    assert "access" not in found.names
    assert all("authorization" not in r.headers for r in fake.seen("*"))


@pytest.mark.parametrize("route, reply, check, status, words", [
    ("activity", Reply(401, {"error": "invalid workspace auth token"}), "access", "FAIL", "Tokens tab"),
    ("activity", Reply(500, {"error": "cursor lookup failed"}), "access", "WARN", "500"),
    ("activity", Reply(429, {"error": "rate limit exceeded"}), "access", "FAIL", "wait a minute"),
    ("activity", Reply(body=[]), "cursors", "FAIL", "since_id"),
    ("activity", HTML, "access", "FAIL", "PLATFORM_URL"),
    ("info", Reply(410, {"error": "workspace removed", "removed_at": "2026-05-01T00:00:00Z"}),
     "workspace", "FAIL", "removed at 2026-05-01"),
    ("info", Reply(404, {"error": "workspace not found"}), "workspace", "FAIL", "WORKSPACE_ID"),
    ("info", Reply(404, b"", {"Content-Type": None}), "organisation", "FAIL", "MOLECULE_ORG_ID"),
    ("info", HTML, "workspace", "FAIL", "PLATFORM_URL"),
    ("health", HTML, "platform", "FAIL", "MOLECULE_ORG_ID"),
    ("health", RESET, "platform", "FAIL", "lost the connection"),
    ("health", Reply(403, b"", {"Content-Type": None}), "platform", "FAIL", "Origin"),
    ("health", Reply(302, b"", {"Location": "https://elsewhere.test/"}), "platform", "FAIL", "redirect"),
    ("health", Reply(503, {"error": "down"}), "platform", "FAIL", "has a problem"),
    ("health", Reply(404, "404 page not found", {"Content-Type": "text/plain"}), "platform", "WARN",
     "PLATFORM_URL"),
    ("health", Reply(404, b"", {"Content-Type": None}), "platform", "FAIL", "PLATFORM_URL"),
    ("info", Reply(body={"id": "x", "name": "A", "status": "paused"}), "workspace", "WARN", "resume"),
    ("info", Reply(body={"id": "x", "name": "A", "status": "hibernated"}), "workspace", "WARN", "wake"),
    ("info", Reply(body={"id": "x", "name": "A", "status": "failed"}), "workspace", "WARN", "error"),
    ("health", Reply(raw=b"SSH-2.0-OpenSSH_9\r\n"), "platform", "FAIL", "PLATFORM_URL"),
])
def test_1_doctor_reports_the_platforms_errors(doctor, fake, route, reply, check, status, words):
    fake.always(route, reply)
    found = doctor()
    assert found.bad.get(check) == status, found.checks
    assert words in found[check], found[check]
    assert "edge-page-marker" not in found[check]
    assert len(found.bad) <= 2, found.bad  # consequences are not reported again


def test_fault_F8_a_wrong_path_is_the_failure(doctor, fake):
    found = doctor({"PLATFORM_URL": fake.url + "/canvas"})
    assert found.bad == {"platform": "FAIL"}, found.checks
    assert "PLATFORM_URL" in found["platform"] and "path" in found["platform"]
    assert "workspace" not in found.names, "it would blame the workspace's id"


@pytest.mark.parametrize("host, words", [
    ("claude-code", "--dangerously-load-development-channels server:molecule"),
    ("codex", "tool_timeout_sec"), ("gemini", "loop detection"), ("opencode", "timeout"),
    ("cursor", "permission"), ("vscode", "permission"), ("cline", "cline_mcp_settings.json"),
    ("openclaw", "60 s"), ("qwen", "trust"), ("copilot", "60 s"), ("continue", "60 s"),
    ("openai-agents", "client_session_timeout_seconds"), ("google-adk", "5 s"), ("agno", "10 s"),
    ("pydantic-ai", "read_timeout"), ("fastmcp", "timeout"), ("langchain", "session")])
def test_fault_A13_doctor_names_the_limits_of_a_host(doctor, host, words):
    found = doctor(options=("--host", host))
    assert found.code == 0 and words in found[host], found.checks


def test_fault_A13_an_unknown_host_is_refused_with_the_known_ones(mcp_binary, env):
    result = subprocess.run([mcp_binary, "doctor", "--host", "nobody"], env=env, capture_output=True,
                            text=True, timeout=20)
    assert result.returncode == 2 and "claude-code" in result.stderr and result.stdout == ""


def test_1_doctor_sends_the_organisation(doctor, fake):
    found = doctor({"MOLECULE_ORG_ID": "org-7"})
    assert found["organisation"].startswith("OK its id is sent")
    assert {r.headers["x-molecule-org-id"] for r in fake.seen("*")} == {"org-7"}


def test_1_doctor_on_unreachable_hosts(doctor):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        for url, words in [(f"http://127.0.0.1:{port}", "cannot connect"),
                           ("http://nowhere.invalid", "resolve host names"),
                           ("http://[::1]:1/base", "http://[::1]:1")]:
            found = doctor({"PLATFORM_URL": url})
            assert found.bad == {"platform": "FAIL"} and words in found["platform"], found.checks


def test_1_doctor_on_a_server_without_tls(doctor, fake):
    found = doctor({"PLATFORM_URL": fake.url.replace("http:", "https:")})
    assert found.bad == {"platform": "FAIL"} and "TLS" in found["platform"]


@pytest.mark.parametrize("route, check", [("health", "platform"), ("info", "workspace"),
                                          ("activity", "access")])
def test_1_doctor_does_not_wait_forever(doctor, fake, route, check):
    fake.always(route, HANG)
    start = time.monotonic()
    found = doctor()
    assert time.monotonic() - start < 15
    assert found.bad.get(check) == "FAIL"


@pytest.mark.parametrize("ahead, status", [(0, "OK"), (5, "OK"), (400, "WARN"), (-400, "WARN")])
def test_1_doctor_compares_the_clocks(doctor, fake, ahead, status):
    date = formatdate(time.time() - ahead, usegmt=True)
    fake.always("health", Reply(raw=(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n"
                                     "Content-Type: application/json\r\n\r\n{}").encode()))
    found = doctor()
    assert found["clock"].startswith(status), found["clock"]
    if ahead == 400:
        assert "ahead" in found["clock"]
    if ahead == -400:
        assert "behind" in found["clock"]


def test_1_doctor_checks_file_modes(doctor, state):
    state.mkdir(mode=0o700)
    (state / ".platform_inbound_secret").write_text("s")
    (state / ".platform_inbound_secret").chmod(0o644)
    found = doctor()
    assert found.bad == {"state folder": "WARN"}
    assert f"chmod 600 {state}/.platform_inbound_secret" in found["state folder"]


def test_1_doctor_on_an_unwritable_folder(doctor):
    with open_folder() as folder:
        (folder / "inbox.db").write_bytes(b"")
        folder.chmod(0o555)
        before = content(folder)
        found = doctor({"CONFIGS_DIR": str(folder)}, **as_nobody())
        assert found.bad["state folder"] == "FAIL" and str(folder) in found["state folder"]
        assert content(folder) == before
        folder.chmod(0o777)


@pytest.mark.parametrize("bytes", [b"not a database, but long enough to be taken for one" * 40,
                                   b"SQLite format 3\x00" + b"\xff" * 4096])
def test_1_doctor_on_a_damaged_inbox(doctor, state, bytes):
    state.mkdir(mode=0o700)
    (state / "inbox.db").write_bytes(bytes)
    (state / "inbox.db").chmod(0o600)
    found = doctor()
    assert found.bad == {"inbox": "FAIL"} and "inbox.db" in found["inbox"]


def test_1_doctor_checks_every_workspace(doctor, fake, token, workspace_id, state):
    removed = str(uuid.uuid4())

    def info(request):
        if request.id == removed:
            return Reply(410, {"error": "workspace removed"})
        return Reply(body={"id": request.id, "name": "A", "status": "online"})

    fake.always("info", info)
    listed = [{"id": workspace_id, "token": token}, {"id": removed, "token": "other"}, 7,
              {"id": OTHER, "token": "third", "platform_url": "http://nowhere.invalid"}]
    found = doctor({"MOLECULE_WORKSPACES": json.dumps(listed)})
    assert found.code == 1 and not state.exists()

    def bad(id):
        return {c["name"]: c["status"] for c in found.checks
                if c.get("workspace") == id and c["status"] != "OK"}

    assert bad(workspace_id) == {} and bad(removed) == {"workspace": "FAIL"} and bad(OTHER) == {}
    assert bad(None) == {"configuration": "FAIL", "platform": "FAIL"}
    assert [c["name"] for c in found.checks].count("platform") == 2
    assert {c["workspace"] for c in found.checks if c["name"] == "access"} == {workspace_id}


def test_1_doctor_with_hundreds_of_workspaces(doctor, fake, token):
    listed = [{"id": str(uuid.uuid4()), "token": token} for _ in range(300)]
    start = time.monotonic()
    found = doctor({"MOLECULE_WORKSPACES": json.dumps(listed)})
    assert time.monotonic() - start < 16
    assert [c["name"] for c in found.checks].count("access") == 300
    assert found.bad == {}


def on_terminal(binary, env, *args):
    """The output of a command on a terminal."""
    leader, follower = pty.openpty()
    child = subprocess.Popen([str(binary), *args], env=env, stdin=subprocess.DEVNULL, stdout=follower)
    os.close(follower)
    output = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(leader)
    assert child.wait(20) in (0, 1)
    return output.decode()


def test_1_doctor_has_colours_and_shows_progress_on_a_terminal_only(mcp_binary, env, fake):
    fake.always("info", Reply(body={"id": OTHER, "name": "A", "status": "online"}, delay=0.3))
    shown = on_terminal(mcp_binary, {**env, "TERM": "xterm"}, "doctor")
    assert "\x1b[32m[OK]" in shown and "…" in shown and "no failures" in shown
    plain = on_terminal(mcp_binary, {**env, "TERM": "xterm", "NO_COLOR": "1"}, "doctor")
    assert "\x1b[3" not in plain and "[OK]" in plain
    assert "\x1b" not in run(mcp_binary, env, "doctor").stdout


def test_1_untrusted_names_cannot_inject_terminal_escapes(mcp_binary, env, fake):
    fake.always("info", Reply(body={"id": OTHER, "name": "\x1b[31mred\n[OK] fake",
                                    "status": "on\x07line"}))
    ended = run(mcp_binary, env, "doctor")
    assert "red" in ended.stdout and "online" in ended.stdout
    assert "\x1b" not in ended.stdout and "\x07" not in ended.stdout
    assert "\n[OK] fake" not in ended.stdout


def test_1_doctor_ignores_a_closed_reader(mcp_binary, env, fake):
    reader, writer = os.pipe()
    os.close(reader)
    child = subprocess.Popen([str(mcp_binary), "doctor"], env=env, stdout=writer,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(writer)
    assert child.wait(20) == 0 and child.stderr.read() == b""
    child.stderr.close()


def test_1_doctor_with_closed_standard_streams(mcp_binary, env, fake):
    ended = subprocess.run(["sh", "-c", f"exec {mcp_binary} doctor <&- >&- 2>&-"], env=env, timeout=DEADLINE)
    assert ended.returncode == 0
    fake.wait_for("activity")


@pytest.mark.parametrize("args", [["doctor", "--yaml"], ["doctor", "x"],
                                  ["serve", "--json"], ["--json"], ["Doctor"]])
def test_1_wrong_usage_of_doctor(mcp_binary, env, fake, args):
    ended = run(mcp_binary, env, *args)
    assert ended.returncode == 2 and ended.stdout == "" and "molecule-mcp" in ended.stderr
    assert args[0] != "doctor" or "molecule-mcp help doctor" in ended.stderr
    assert fake.seen("*") == []


def test_1_help_shows_doctor(mcp_binary, base_env):
    for args, text in ((["--help"], "molecule-mcp doctor"),
                       (["doctor", "--help"], "molecule-mcp doctor --json | jq")):
        ended = run(mcp_binary, base_env, *args)
        assert ended.returncode == 0 and text in ended.stdout
