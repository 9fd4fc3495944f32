"""OpenClaw's agent, run locally without its gateway."""

from hosts.base import NpmHost, as_json, server_entry
from hosts.versions import OPENCLAW


class OpenClaw(NpmHost):
    title = "OpenClaw"
    packages = OPENCLAW
    note = "gives up on a call after 60 s"

    def command(self, session):
        provider = {"baseUrl": f"{session.model.url}/v1", "apiKey": "none",
                    "api": "openai-completions",
                    "models": [{"id": "mock-model", "name": "mock", "contextWindow": 128000,
                                "maxTokens": 8192}]}
        session.write(".openclaw/openclaw.json", as_json({
            "models": {"mode": "merge", "providers": {"mock": provider}},
            "agents": {"defaults": {"model": {"primary": "mock/mock-model"},
                                    "workspace": str(session.work)}},
            "mcp": {"servers": {"molecule": server_entry(session)}}}))
        return ([self.binary("openclaw"), "agent", "--local", "--session-id", "clients",
                 "--message", session.prompt], {})
