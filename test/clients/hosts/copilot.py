"""GitHub's Copilot CLI with a model of the user's own."""

from hosts.base import NpmHost, as_json, server_entry
from hosts.versions import COPILOT


class Copilot(NpmHost):
    title = "Copilot CLI"
    packages = COPILOT
    note = "`--allow-all-tools`"

    def command(self, session):
        server = server_entry(session, type="local", tools=["*"])
        session.write(".copilot/mcp-config.json", as_json({"mcpServers": {"molecule": server}}))
        return ([self.binary("copilot"), "-p", session.prompt, "--allow-all-tools", "--model",
                 "mock-model"],
                {"COPILOT_PROVIDER_BASE_URL": f"{session.model.url}/v1",
                 "COPILOT_PROVIDER_TYPE": "openai", "COPILOT_PROVIDER_API_KEY": "none",
                 "COPILOT_MODEL": "mock-model", "COPILOT_OFFLINE": "true",
                 "COPILOT_AUTO_UPDATE": "false"})
