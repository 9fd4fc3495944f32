"""Codex, as `codex exec`."""

import json

from hosts.base import NpmHost
from hosts.versions import CODEX


class Codex(NpmHost):
    title = "Codex"
    packages = CODEX
    handler = "codex"
    note = '`default_tools_approval_mode = "approve"`, `tool_timeout_sec`'

    def command(self, session):
        self.configure(session, self.server(session))
        return ([self.binary("codex"), "exec", "--skip-git-repo-check", session.prompt],
                {"MOCK_API_KEY": "none"})

    def as_handler(self, session):
        self.configure(session)
        return [self.binary("codex")], {"MOCK_API_KEY": "none"}

    def server(self, session):
        variables = ", ".join(f"{name} = {json.dumps(value)}"
                              for name, value in session.variables.items())
        return f"""
[mcp_servers.molecule]
command = {json.dumps(session.server[0])}
args = {json.dumps(session.server[1:])}
env = {{ {variables} }}
default_tools_approval_mode = "approve"
tool_timeout_sec = 330
"""

    def configure(self, session, server=""):
        session.write(".codex/config.toml", f"""
model = "mock-model"
model_provider = "mock"
[analytics]
enabled = false
[model_providers.mock]
name = "mock"
base_url = "{session.model.url}/v1"
wire_api = "responses"
env_key = "MOCK_API_KEY"
request_max_retries = 0
stream_max_retries = 0
{server}""")
