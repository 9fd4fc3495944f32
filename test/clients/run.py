#!/usr/bin/env python3
"""run.py [BUILD]: real agent hosts against molecule-mcp and a molecule-platform of their own.

Installs Claude Code, Codex, Gemini CLI and opencode (pinned versions) with npm into a temporary
folder, lets each start molecule-mcp with a temporary HOME and no login, and prints what was seen
on the pipe as a Markdown table. Needs Node 20 or newer with npm on the PATH (./check leaves one
in build/node/bin). Exits with 1 if a host did not get the tool list.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "test/e2e"))

from codex import call_by_codex  # noqa: E402
from support.platform import Platform  # noqa: E402

DEADLINE = 60
PACKAGES = {
    "Claude Code": "@anthropic-ai/claude-code@2.1.330",
    "Codex": "@openai/codex@0.169.0",
    "Gemini CLI": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
}


class Host:
    """One agent host: its HOME, and the log of its conversation with molecule-mcp."""

    def __init__(self, name, folder, build, platform, modules):
        self.name, self.modules = name, modules
        self.home = folder / name.replace(" ", "-").lower()
        self.home.mkdir()
        self.log = self.home / "conversation.jsonl"
        self.workspace = platform.create_workspace(self.home.name)
        self.server = [str(HERE / "record.py"), str(self.log), str(build / "molecule-mcp")]
        self.variables = {"WORKSPACE_ID": self.workspace.id, "PLATFORM_URL": platform.url,
                          "MOLECULE_WORKSPACE_TOKEN": self.workspace.token,
                          "CONFIGS_DIR": str(self.home / "state")}
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}

    def write(self, path, text):
        (self.home / path).parent.mkdir(parents=True, exist_ok=True)
        (self.home / path).write_text(text)

    def run(self, *command, **env):
        """Runs a command of the host until it exits or has listed the tools."""
        with open(self.home / "output", "ab") as output:
            process = subprocess.Popen([str(c) for c in command], env={**self.env, **env}, cwd=self.home,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            until = time.monotonic() + DEADLINE
            while process.poll() is None and not self.tools() and time.monotonic() < until:
                time.sleep(0.05)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def conversation(self):
        """Pairs of a request's method and its result, as seen on the pipe."""
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        lines = [json.loads(line) for line in lines if line.endswith("\n")]
        methods = {}
        for line in lines:
            message = json.loads(line.get("host") or line["server"])
            if "host" in line and "id" in message:
                methods[json.dumps(message["id"])] = message.get("method")
            elif "server" in line and "result" in message:
                yield methods.get(json.dumps(message["id"])), message["result"]

    def revision(self):
        for method, result in self.conversation():
            if method == "initialize":
                return result["protocolVersion"]
            if method == "server/discover":
                return "2026-07-28"
        return "none"

    def tools(self):
        return max((len(r["tools"]) for m, r in self.conversation() if m == "tools/list"), default=0)


def claude_code(host):
    program = next(host.modules.glob("@anthropic-ai/claude-code-*/claude"))
    variables = [word for pair in host.variables.items() for word in ("-e", "=".join(pair))]
    host.run(program, "mcp", "add", "molecule", *variables, "--", *host.server)
    host.run(program, "mcp", "list")


def codex(host):
    variables = ", ".join(f"{name} = {json.dumps(value)}" for name, value in host.variables.items())
    host.write(".codex/config.toml", f"[mcp_servers.molecule]\ncommand = {json.dumps(host.server[0])}\n"
               f"args = {json.dumps(host.server[1:])}\nenv = {{ {variables} }}\n")
    answer = call_by_codex(host.modules / ".bin/codex", host.env, host.home, "get_workspace_info")
    return json.loads(answer["content"][0]["text"])["id"] == host.workspace.id


def gemini_cli(host):
    server = {"command": host.server[0], "args": host.server[1:], "env": host.variables, "trust": True}
    host.write(".gemini/settings.json", json.dumps(
        {"security": {"folderTrust": {"enabled": False}}, "mcpServers": {"molecule": server}}))
    # A prompt makes it list the tools, which it does before it rejects the dummy API key.
    host.run(host.modules / ".bin/gemini", "-p", "/mcp list", GEMINI_API_KEY="none")


def opencode(host):
    program = next(host.modules.glob("opencode-linux-*[!e]/bin/opencode"))  # not the -baseline one
    server = {"type": "local", "command": host.server, "environment": host.variables}
    host.write("opencode.json", json.dumps({"mcp": {"molecule": server}}))
    host.run(program, "mcp", "list")


DRIVERS = {"Claude Code": claude_code, "Codex": codex, "Gemini CLI": gemini_cli, "opencode": opencode}


def install(package, folder):
    folder.mkdir()
    (folder / "package.json").write_text('{"private":true}')
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error",
                    package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / "node_modules"


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    missing = 0
    print(f"Seen on {datetime.date.today()}:\n\n| host | version | revision | tools listed | tool called |\n"
          "|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="molecule-clients-") as name, Platform(build) as platform:
        for number, (title, package) in enumerate(PACKAGES.items()):
            modules = install(package, Path(name) / f"package-{number}")
            host = Host(title, Path(name), build, platform, modules)
            called = DRIVERS[title](host)
            missing += host.tools() == 0
            answer = "needs a login" if called is None else "yes" if called else "no"
            print(f"| {title} | {package.rpartition('@')[2]} | {host.revision()} | {host.tools()} | {answer} |",
                  flush=True)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
