#!/usr/bin/env python3
"""Stands in for an agent's CLI, by the name it is called with: notes what it was given in
seen.jsonl of HOME, and answers in that CLI's form. FAKE_MODE chooses a failure of it:
  error      the model's error, as the CLI reports it
  lost       the session to resume is unknown
  empty      a good end without a text
  tool       answers by the MCP tool `reply` and ends with another text
"""

import json
import os
import pathlib
import subprocess
import sys
import uuid

NAME = pathlib.Path(sys.argv[0]).name
ARGS = sys.argv[1:]
HOME = pathlib.Path(os.environ["HOME"])
MODE = os.environ.get("FAKE_MODE", "")


def after(flag):
    return ARGS[ARGS.index(flag) + 1] if flag in ARGS else None


def session():
    """The session to resume, or None."""
    if NAME == "codex":
        return ARGS[ARGS.index("resume") + 2] if "resume" in ARGS else None
    return after("-s" if NAME == "opencode" else "--resume")


def server():
    """The MCP server that this CLI was told of: its command and its environment."""
    if NAME == "claude":
        own = json.loads(pathlib.Path(after("--mcp-config")).read_text())["mcpServers"]["molecule"]
        return [own["command"], *own["args"]], own["env"]
    if NAME == "gemini":
        own = json.loads(os.path.expandvars(gemini_settings()))["mcpServers"]["molecule"]
        assert own["trust"] is True
        return [own["command"], *own["args"]], own["env"]
    if NAME == "opencode":
        own = json.loads(os.environ["OPENCODE_CONFIG_CONTENT"])["mcp"]["molecule"]
        return own["command"], own["environment"]
    import tomllib
    settings = [ARGS[i + 1] for i, one in enumerate(ARGS) if one == "-c"]
    own = tomllib.loads("\n".join(settings))["mcp_servers"]["molecule"]
    assert own["default_tools_approval_mode"] == "approve"
    return [own["command"], *own["args"]], own["env"]


def gemini_settings():
    """Of the system where a file is named, which this stand-in takes from anybody; else of the folder."""
    system = os.environ.get("GEMINI_CLI_SYSTEM_SETTINGS_PATH")
    return pathlib.Path(system or ".gemini/settings.json").read_text()


def policy():
    """The rules for tools that this CLI was given by a file."""
    return pathlib.Path(after("--policy")).read_text() if "--policy" in ARGS else ""


def call_tool(name, arguments):
    command, env = server()
    mcp = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    requests = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
         "capabilities": {}, "clientInfo": {"name": NAME, "version": "1"}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": name, "arguments": arguments}}]
    for request in requests:
        mcp.stdin.write(json.dumps({"jsonrpc": "2.0", **request}) + "\n")
        mcp.stdin.flush()
    for line in mcp.stdout:
        answer = json.loads(line)
        if answer.get("id") == 2:
            mcp.stdin.close()
            mcp.wait()
            return answer["result"]
    return None


def finish(text, used):
    """The answer in this CLI's form."""
    if NAME == "claude":
        print(json.dumps({"type": "system", "subtype": "init"}))
        print(json.dumps({"type": "result", "subtype": "success", "is_error": MODE == "error",
                          "result": "API Error: 500" if MODE == "error" else text,
                          "session_id": used, "total_cost_usd": 0.25}))
        return 1 if MODE == "error" else 0
    if NAME == "codex":
        print(json.dumps({"type": "thread.started", "thread_id": used}))
        if MODE == "error":
            print(json.dumps({"type": "turn.failed", "error": {"message": "API Error: 500"}}))
            return 1
        for said in ("thinking", text):
            print(json.dumps({"type": "item.completed", "item": {"type": "agent_message", "text": said}}))
        print(json.dumps({"type": "turn.completed", "usage": {}}))
        return 0
    if NAME == "gemini":
        if MODE == "error":
            print(json.dumps({"error": {"message": "API Error: 500", "code": 500}}))
            return 244
        print(json.dumps({"response": text, "stats": {}}))
        return 0
    print(json.dumps({"type": "step_start", "sessionID": used}))
    if MODE == "error":
        print(json.dumps({"type": "error", "sessionID": used,
                          "error": {"name": "APIError", "data": {"message": "API Error: 500"}}}))
        return 1
    print(json.dumps({"type": "text", "sessionID": used, "part": {"text": text}}))
    print(json.dumps({"type": "step_finish", "sessionID": used, "part": {"cost": 0.25}}))
    return 0


def main():
    prompt = sys.stdin.read()
    with open(HOME / "seen.jsonl", "a") as seen:
        seen.write(json.dumps({"name": NAME, "args": ARGS, "prompt": prompt, "cwd": os.getcwd(),
                               "env": dict(os.environ), "policy": policy()}) + "\n")
    if MODE == "lost" and session() is not None:
        words = {"claude": "No conversation found with session ID", "codex": "no rollout found",
                 "gemini": "Invalid session", "opencode": "Session not found"}
        print(f"Error: {words[NAME]}", file=sys.stderr)
        return 42 if NAME == "gemini" else 1
    used = session() or after("--session-id") or str(uuid.uuid4())
    message = next(json.loads(line) for line in prompt.splitlines() if line.startswith("{"))
    if MODE == "tool":
        result = call_tool("reply", {"activity_id": message["activity_id"], "text": "by the tool"})
        with open(HOME / "tool.jsonl", "a") as out:
            out.write(json.dumps(result) + "\n")
    return finish("" if MODE == "empty" else f"{NAME} heard: {message['text']}", used)


if __name__ == "__main__":
    sys.exit(main())
