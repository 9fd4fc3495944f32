"""molecule-mcp install and uninstall (cli.md 3): other programs' files, changed with care."""

import json
import os
import stat
import tomllib

import pytest

HOSTS = ["claude-code", "codex", "gemini", "opencode", "cursor", "vscode", "cline", "openclaw", "qwen",
         "copilot"]
FILES = {
    "claude-code": ".claude.json", "codex": ".codex/config.toml", "gemini": ".gemini/settings.json",
    "opencode": ".config/opencode/opencode.jsonc", "cursor": ".cursor/mcp.json",
    "vscode": ".config/Code/User/mcp.json",
    "cline": ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
    "openclaw": ".openclaw/openclaw.json", "qwen": ".qwen/settings.json",
    "copilot": ".copilot/mcp-config.json"}
SERVERS = {"codex": ["mcp_servers"], "opencode": ["mcp"], "vscode": ["servers"],
           "openclaw": ["mcp", "servers"]}


def entry_of(host, path):
    content = tomllib.loads(path.read_text()) if host == "codex" else json.loads(path.read_text())
    for name in SERVERS.get(host, ["mcpServers"]):
        content = content[name]
    return content["molecule-builder"]


@pytest.fixture
def install(cli, no_hosts):
    def run(*arguments, command="install", code=0):
        return cli(command, *arguments, code=code, path=no_hosts)

    return run


@pytest.mark.parametrize("host", HOSTS)
def test_an_entry_without_a_token_comes_and_goes(install, agent, home, host):
    path = home / FILES[host]
    before = sorted(p for p in home.rglob("*") if p.is_file())
    assert "molecule-builder" in install(host, "--dry-run").stdout
    assert sorted(p for p in home.rglob("*") if p.is_file()) == before
    install(host)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    entry = entry_of(host, path)
    assert agent.token not in text
    variables = entry.get("env") or entry.get("environment")
    assert variables == {"WORKSPACE_ID": agent.id, "MOLECULE_MCP_STAY": "1"}
    command = entry["command"] if host == "opencode" else [entry["command"], *entry["args"]]
    assert os.access(command[0], os.X_OK) and command[1:] == ["serve"]
    assert "already" in install(host).stderr if host != "codex" else install(host)
    assert path.read_text() == text
    install(host, command="uninstall")
    assert sorted(p for p in home.rglob("*") if p.is_file()) == before


@pytest.mark.parametrize("host,text", [
    ("gemini", '{\n  // mine\n  "theme": "x", // dark\n  "mcpServers": {\n    "a": {"command": "b"} // c\n  }\n}\n'),
    ("opencode", '{\n  "mcp": {\n    "a": {"type": "local", "command": ["b"],}, // c\n  },\n}\n'),
    ("codex", '# mine\nmodel = "x"\n\n[mcp_servers.a] # c\ncommand = "b"\n'),
    ("vscode", '{"servers":{},"inputs":[]}'),
])
def test_what_people_wrote_stays_and_comes_back(install, agent, home, host, text):
    path = home / FILES[host]
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o644)
    install(host)
    changed = path.read_text()
    assert "molecule-builder" in changed and stat.S_IMODE(path.stat().st_mode) == 0o644
    for word in ("// mine", "// dark", "// c", "# mine", "# c"):
        assert (word in changed) == (word in text)
    assert (path.parent / (path.name + ".before-molecule")).read_text() == text
    install(host, command="uninstall")
    assert path.read_text() == text and len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("host,text", [
    ("gemini", '{"a": 1,}'), ("cursor", "{"), ("claude-code", '{"mcpServers": []}'), ("codex", "a = "),
    ("codex", 'mcp_servers = { molecule-builder = { command = "x" } }\n'), ("copilot", '"text"'),
    ("qwen", "\ufeff{}")])
def test_a_file_that_cannot_be_parsed_is_not_touched(install, agent, home, host, text):
    path = home / FILES[host]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert "not touched" in install(host, code=1).stderr
    assert path.read_text() == text and not list(path.parent.glob("*.before-molecule"))


def test_a_link_stays_a_link(install, agent, home):
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "mcp.json").write_text("{}")
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").symlink_to("../dotfiles/mcp.json")
    install("cursor")
    assert (home / ".cursor" / "mcp.json").is_symlink()
    assert "molecule-builder" in (home / "dotfiles" / "mcp.json").read_text()


@pytest.mark.parametrize("host,file,events", [
    ("claude-code", ".claude/settings.json", ["SessionStart", "UserPromptSubmit", "Stop"]),
    ("codex", ".codex/hooks.json", ["SessionStart", "UserPromptSubmit", "Stop"]),
    ("gemini", ".gemini/settings.json", ["SessionStart", "BeforeAgent", "AfterAgent"])])
def test_hooks_are_added_beside_others_and_removed(install, agent, home, host, file, events):
    path = home / file
    path.parent.mkdir(parents=True)
    text = '{\n  "hooks": {\n    "Stop": [{"hooks": [{"type": "command", "command": "mine"}]}]\n  }\n}\n'
    path.write_text(text)
    install(host, "--hooks")
    install(host, "--hooks")
    hooks = json.loads(path.read_text())["hooks"]
    for event in events:
        ours = [one["hooks"][0]["command"] for one in hooks[event] if "hook" in one["hooks"][0]["command"]]
        assert len(ours) == 1 and ours[0].endswith(f" hook {event} --workspace {agent.id}")
    assert "mine" in str(hooks["Stop"])
    install(host, command="uninstall")
    assert path.read_text() == text


@pytest.mark.parametrize("host,file,event", [("claude-code", ".claude/settings.json", "PostToolUse"),
                                             ("codex", ".codex/hooks.json", "PostToolUse"),
                                             ("gemini", ".gemini/settings.json", "AfterTool")])
def test_a_hook_after_each_tool_is_written_only_when_asked_for(install, agent, home, host, file, event):
    path = home / file
    install(host, "--hooks")
    assert event not in json.loads(path.read_text())["hooks"]
    install(host, "--tool-hook")
    hooks = json.loads(path.read_text())["hooks"]
    assert len(hooks) == 4 and f"hook {event} --workspace {agent.id}" in str(hooks[event])
    # The program moved: every hook of ours follows, and the one that was asked for stays.
    path.write_text(path.read_text().replace("/molecule-mcp hook", "/old/molecule-mcp hook"))
    install(host, "--hooks")
    text = path.read_text()
    assert "/old/" not in text and json.loads(text)["hooks"] == hooks
    install(host, command="uninstall")
    # Install made the file, however often it then changed it.
    assert not path.exists() and not path.with_name(path.name + ".before-molecule").exists()


def test_hooks_need_a_host_that_has_them(install, agent):
    assert "no hooks" in install("cursor", "--hooks", code=2).stderr


def test_claude_code_changes_its_own_file(cli, agent, home, tmp_path, no_hosts):
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "claude"
    program.write_text('#!/bin/sh\nenv >"$HOME/claude.env"\nprintf "%s\\n" "$@" >>"$HOME/claude.log"\n')
    program.chmod(0o755)
    token = {"MOLECULE_WORKSPACE_TOKEN": agent.token}
    cli("install", "claude-code", path=f"{folder}:{no_hosts}", env=token)
    said = (home / "claude.log").read_text()
    assert said.startswith("mcp\nadd-json\n--scope\nuser\nmolecule-builder\n")
    assert agent.token not in said + (home / "claude.env").read_text()
    assert not (home / ".claude.json").exists()


def test_allowed_tools(install, agent, home):
    install("claude-code", "--allow-tools")
    allowed = json.loads((home / ".claude" / "settings.json").read_text())["permissions"]["allow"]
    assert allowed == ["mcp__molecule-builder"]
    install("codex", "--allow-tools")
    assert entry_of("codex", home / ".codex/config.toml")["default_tools_approval_mode"] == "approve"
    install("gemini", "--allow-tools")
    assert entry_of("gemini", home / ".gemini/settings.json")["trust"] is True
    install("claude-code", command="uninstall")
    assert not (home / ".claude" / "settings.json").exists()


def test_service_files(cli, agent, home, tmp_path):
    """A service manager that is not there is said, and the file is there all the same."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text('#!/bin/sh\necho "$@" >>"$HOME/systemctl.log"\n'
                       'case "$*" in *is-active*) echo active;; esac\n')
    program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    unit = home / ".config/systemd/user/molecule-mcp.service"
    cli("service", "start", code=4, path=path)
    assert "daemon" in cli("service", "install", "--dry-run", path=path).stdout and not unit.exists()
    assert cli("service", "install", path=path).stdout.strip() == str(unit)
    text = unit.read_text()
    assert "Type=notify" in text and " daemon\n" in text and "@" not in text.replace("@system-service", "")
    assert agent.token not in text
    log = home / "systemctl.log"
    cli("service", "install", path=path)
    assert "--user restart" not in log.read_text()
    cli("service", "install", path=f"{path}:/opt/other")
    assert "--user restart molecule-mcp.service\n" in log.read_text() and "/opt/other" in unit.read_text()
    assert json.loads(cli("service", "status", "--json", path=path).stdout)["state"] == "active"
    assert cli("service", "status", path=path).stdout == "active\n"
    for action in ("stop", "start", "restart"):
        cli("service", action, path=path)
    cli("service", "uninstall", path=path)
    assert not unit.exists()
    assert "--user enable --now molecule-mcp.service" in log.read_text()
    assert "--user disable --now molecule-mcp.service" in log.read_text()


def test_logs_are_the_managers(cli, tmp_path):
    program = tmp_path / "journalctl"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    shown = cli("logs", "-f", "-n", "7", "--json", path=path).stdout.split()
    assert shown == ["--user-unit", "molecule-mcp.service", "--no-pager", "-n", "7", "-f", "--output=json"]
    cli("logs", "-n", "x", code=2, path=path)
