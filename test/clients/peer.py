"""The peer agent of a turn: a molecule-mcp of its own, which polls and answers each task."""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from support.mcp import McpProcess  # noqa: E402
from support.platform import child_env  # noqa: E402


def answer_to(task):
    return f"the answer to <{task}> is 42"


class Peer:
    """Answers what comes to `workspace` until the block is left; `may_answer` holds it back."""

    def __init__(self, build, folder, platform, workspace):
        folder.mkdir()
        variables = {"WORKSPACE_ID": workspace.id, "PLATFORM_URL": platform.url,
                     "MOLECULE_WORKSPACE_TOKEN": workspace.token, "CONFIGS_DIR": str(folder)}
        self.mcp = McpProcess(build / "molecule-mcp", child_env(folder, variables))
        self.tasks = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.mcp.initialize(client_name="peer")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.may_answer.set()
        self.thread.join(10)
        self.mcp.finish()

    def serve(self):
        answered = set()
        while not self.stopping:
            message = self.mcp.call("wait_for_message", timeout_secs=1)
            if message.failed:
                time.sleep(1)
            found = {} if message.failed else message.json
            id = found.get("activity_id")
            if not id or id in answered or found["kind"] != "peer_agent":
                continue
            self.tasks.append(found["text"])
            self.may_answer.wait()
            self.mcp.call("reply", activity_id=id, text=answer_to(found["text"]))
            answered.add(id)
