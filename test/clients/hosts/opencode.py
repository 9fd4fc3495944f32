"""opencode, as `opencode run`."""

from hosts.base import NpmHost, as_json
from hosts.versions import OPENCODE


class Opencode(NpmHost):
    title = "opencode"
    packages = OPENCODE
    handler = "opencode"
    note = '`"timeout"` of the server'

    def install(self):
        super().install()
        found = self.modules.glob("opencode-*/bin/opencode")
        self.program = min(found, key=lambda path: len(str(path)))  # the others: -baseline, -musl

    def command(self, session):
        server = {"type": "local", "command": session.server, "environment": session.variables,
                  "timeout": 330_000}
        variables = self.configure(session, permission={"*": "allow"}, mcp={"molecule": server})
        return [self.program, "run", "-m", "mock/mock-model", session.prompt], variables

    def as_handler(self, session):
        variables = self.configure(session, model="mock/mock-model")
        # The daemon runs it in a folder of its own, from where it does not find the file.
        return [self.program], {**variables, "OPENCODE_CONFIG": str(session.work / "opencode.json")}

    def configure(self, session, **more):
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "mock",
                    "options": {"baseURL": f"{session.model.url}/v1", "apiKey": "none"},
                    "models": {"mock-model": {"name": "mock", "tool_call": True}}}
        session.write(session.work / "opencode.json", as_json({
            "autoupdate": False, "share": "disabled", "provider": {"mock": provider}, **more}))
        return {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1",
                "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}
