"""Agent frameworks for Python: each runs a program of frameworks/ in an environment of its own."""

import json
from pathlib import Path

import install
from hosts import versions
from hosts.base import Host

PROGRAMS = Path(__file__).parent.parent / "frameworks"


class Framework(Host):
    def __init__(self, title, packages, note=""):
        self.title, self.packages, self.note = title, packages, note

    def install(self):
        self.python = install.python(self.name, *self.packages)

    def command(self, session):
        program = PROGRAMS / f"with_{self.name.replace('-', '_')}.py"
        return [self.python, program], {
            "SERVER": json.dumps(session.server), "SERVER_ENV": json.dumps(session.variables),
            "MODEL_URL": session.model.url, "PROMPT": session.prompt,
            "GOOGLE_API_KEY": "none", "PYTHONUNBUFFERED": "1"}


FRAMEWORKS = [
    Framework("openai-agents", versions.OPENAI_AGENTS,
              "`client_session_timeout_seconds` (5 s by default)"),
    Framework("pydantic-ai", versions.PYDANTIC_AI, "`read_timeout`"),
    Framework("langchain-mcp-adapters", versions.LANGCHAIN, "a session that is kept"),
    Framework("google-adk", versions.GOOGLE_ADK, "`timeout` of the connection (5 s by default)"),
    Framework("agno", versions.AGNO, "`timeout_seconds` (10 s by default)"),
    Framework("fastmcp", versions.FASTMCP),
]
