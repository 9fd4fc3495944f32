"""opencode, as `opencode run`."""

from hosts.base import NpmHost, as_json
from hosts.versions import OPENCODE


class Opencode(NpmHost):
    title = "opencode"
    packages = OPENCODE
    note = '`"timeout"` of the server'

    def install(self):
        super().install()
        found = self.modules.glob("opencode-*/bin/opencode")
        self.program = min(found, key=lambda path: len(str(path)))  # the others: -baseline, -musl

    def command(self, session):
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "mock",
                    "options": {"baseURL": f"{session.model.url}/v1", "apiKey": "none"},
                    "models": {"mock-model": {"name": "mock", "tool_call": True}}}
        server = {"type": "local", "command": session.server, "environment": session.variables,
                  "timeout": 330_000}
        session.write(session.work / "opencode.json", as_json({
            "autoupdate": False, "permission": {"*": "allow"}, "share": "disabled",
            "provider": {"mock": provider}, "mcp": {"molecule": server}}))
        return ([self.program, "run", "-m", "mock/mock-model", session.prompt],
                {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1",
                 "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"})
