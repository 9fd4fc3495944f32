"""Continue's command line, `cn`."""

from hosts.base import NpmHost, as_json, server_entry
from hosts.versions import CONTINUE


class Continue(NpmHost):
    title = "Continue"
    packages = CONTINUE
    note = "`--auto`; gives up on a call after 60 s"

    def command(self, session):
        model = {"name": "mock", "provider": "openai", "model": "mock-model",
                 "apiBase": f"{session.model.url}/v1", "apiKey": "none", "roles": ["chat"],
                 "capabilities": ["tool_use"]}
        # JSON is YAML too.
        config = session.write("config.yaml", as_json({
            "name": "mock", "version": "1.0.0", "schema": "v1", "models": [model],
            "mcpServers": [server_entry(session, name="molecule")]}))
        return ([self.binary("cn"), "-p", session.prompt, "--config", config, "--auto"],
                {"CONTINUE_TELEMETRY_ENABLED": "0"})
