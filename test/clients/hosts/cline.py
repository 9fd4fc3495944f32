"""Cline's command line."""

import subprocess

from hosts.base import NpmHost, as_json, server_entry
from hosts.versions import CLINE

LOGIN_SECONDS = 150


class Cline(NpmHost):
    title = "Cline"
    packages = CLINE
    note = "`timeout` of the server (60 s by default)"

    def command(self, session):
        server = server_entry(session, disabled=False, autoApprove=[], timeout=330)
        servers = as_json({"mcpServers": {"molecule": server}})
        session.write(".cline/data/settings/cline_mcp_settings.json", servers)
        session.write(".cline/mcp.json", servers)
        subprocess.run([self.binary("cline"), "auth", "--provider", "openai", "--apikey", "none",
                        "--modelid", "mock-model", "--baseurl", f"{session.model.url}/v1"],
                       env=session.environment({}), cwd=session.work, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LOGIN_SECONDS)
        return [self.binary("cline"), session.prompt], {}
