"""Claude Code, as `claude -p` and as the interactive program with channels."""

from hosts.base import NpmHost, as_json, server_entry
from hosts.versions import CLAUDE_CODE

CHANNELS = ["--dangerously-load-development-channels", "server:molecule"]
QUESTION_SECONDS = 30
# With these it ignores its service's switches, and channels are one of them.
SWITCHES_OFF = ("DO_NOT_TRACK", "DISABLE_TELEMETRY", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC")


class ClaudeCode(NpmHost):
    title = "Claude Code"
    packages = CLAUDE_CODE
    handler = "claude"
    note = "`--allowedTools mcp__molecule`; to be woken, `" + " ".join(CHANNELS) + "`"

    def install(self):
        super().install()
        self.program = next(self.modules.glob("@anthropic-ai/claude-code-*/claude"))

    def variables(self, session):
        return {"ANTHROPIC_BASE_URL": session.model.url, "ANTHROPIC_API_KEY": "none",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "1"}

    def as_handler(self, session):
        return [self.program, "--model", "sonnet"], self.variables(session)

    def command(self, session):
        config = session.write("mcp.json",
                               as_json({"mcpServers": {"molecule": server_entry(session)}}))
        common = ["--allowedTools", "mcp__molecule", "--model", "sonnet"]
        variables = self.variables(session)
        if session.terminal:
            return self.interactive(session, common), variables | dict.fromkeys(SWITCHES_OFF)
        return [self.program, "-p", session.prompt, "--mcp-config", config, *common], variables

    def accept_channels(self, session):
        """Confirms the warning about them; False where the program does not show it."""
        asked = session.terminal.until("development channels", QUESTION_SECONDS)
        if asked:
            session.terminal.press(b"\r")
        return asked

    def interactive(self, session, common):
        """The configuration answers what the program asks at its first start."""
        folder = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
        session.write(".claude.json", as_json({
            "hasCompletedOnboarding": True, "theme": "dark",
            "cachedGrowthBookFeatures": {"tengu_harbor": True,
                                         "tengu_harbor_permissions": True},
            "customApiKeyResponses": {"approved": ["none"], "rejected": []},
            "mcpServers": {"molecule": {"type": "stdio", **server_entry(session)}},
            "projects": {str(session.work): folder}}))
        # By default it lets a model judge what needs no question.
        asks = "MOLECULE_MCP_PERMISSION_RELAY" in session.variables
        return [self.program, *common, *(CHANNELS if session.channels else []),
                *(["--permission-mode", "manual"] if asks else [])]
