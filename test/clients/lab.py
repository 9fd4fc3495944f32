"""Where a scenario runs: a platform of its own, a workspace `alpha` for the host, a peer `beta`."""

import contextlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from model.script import Model  # noqa: E402
from peer import Peer  # noqa: E402
from session import Session  # noqa: E402
from support.platform import Platform  # noqa: E402


TOO_MANY = 429


class Lab(contextlib.ExitStack):
    def __init__(self, host, build, folder):
        super().__init__()
        self.host, self.build, self.folder = host, build, folder
        self.sessions = []
        self.steps = []

    def __enter__(self):
        super().__enter__()
        self.folder.mkdir(parents=True)
        self.platform = self.enter_context(Platform(self.build))
        self.alpha = self.platform.create_workspace("alpha")
        self.beta = self.platform.create_workspace("beta")
        self.peer = self.enter_context(
            Peer(self.build, self.folder / "peer", self.platform, self.beta))
        self.variables = {"WORKSPACE_ID": self.alpha.id, "PLATFORM_URL": self.platform.url,
                          "MOLECULE_WORKSPACE_TOKEN": self.alpha.token,
                          "CONFIGS_DIR": str(self.folder / "state"), "MOLECULE_MCP_STAY": "1"}
        return self

    def start(self, model=None, terminal=None, channels=False, **variables):
        """Another run of the host, for the same workspace and state folder. `variables` replace
        some of molecule-mcp's; None removes one."""
        folder = self.folder / f"session-{len(self.sessions) + 1}"
        found = {name: value for name, value in {**self.variables, **variables}.items()
                 if value is not None}
        session = Session(self.host, folder, self.build, found, model or Model(), terminal,
                          channels)
        self.sessions.append(session)
        return self.enter_context(session)

    def person_says(self, text):
        reply = self.platform.send(self.alpha, text)
        assert reply.status == 200, reply

    def shown_to_person(self):
        """What the person sees in the chat from the agent, oldest first."""
        reply = self.platform.activity(self.alpha, limit=100)
        while reply.status == TOO_MANY:
            time.sleep(1)
            reply = self.platform.activity(self.alpha, limit=100)
        return [row["response_body"]["result"] for row in reversed(reply.body)
                if row["method"] == "notify"]

    def until(self, condition, seconds, pause=0.1):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(pause)
        return False

    def check(self, step, right, why=""):
        """Notes one step of the scenario, with what was seen instead where it is not right."""
        self.steps.append((step, bool(right), "" if right else why))

    def revision(self):
        """The protocol revision that host and server agreed on."""
        return next((found for session in self.sessions if (found := session.wire.revision())),
                    None)
