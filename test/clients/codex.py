"""Drives Codex's app server like an editor does: JSON-RPC lines without the `jsonrpc` member."""

import json
import subprocess
import threading

DEADLINE = 60


class AppServer:
    def __init__(self, program, env, home):
        with open(home / "codex.stderr", "wb") as errors:
            self.process = subprocess.Popen([str(program), "app-server"], env=env, cwd=home, text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.timer = threading.Timer(DEADLINE, self.process.kill)
        self.timer.start()
        self.last = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def send(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def wait(self, wanted):
        """The next message that `wanted` accepts."""
        for line in self.process.stdout:
            message = json.loads(line)
            if wanted(message):
                return message
        raise AssertionError("the app server exited without a response")

    def ask(self, method, params):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        answer = self.wait(lambda m: m.get("id") == self.last and "method" not in m)
        assert "result" in answer, answer
        return answer["result"]


def ready(message):
    return (message.get("method") == "mcpServer/startupStatus/updated"
            and message["params"]["status"] == "ready")


def call_by_codex(program, env, home, tool):
    """The result of Codex's `mcpServer/tool/call` for the server named `molecule`."""
    with AppServer(program, env, home) as server:
        server.ask("initialize", {"clientInfo": {"name": "clients", "title": "clients", "version": "1"}})
        server.send({"method": "initialized"})
        thread = server.ask("thread/start", {})["thread"]["id"]
        server.wait(ready)
        return server.ask("mcpServer/tool/call", {"threadId": thread, "server": "molecule", "tool": tool,
                                                  "arguments": {}})
