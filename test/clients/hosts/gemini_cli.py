"""Gemini CLI, and Qwen Code, which began as a copy of it."""

from hosts.base import NpmHost, as_json, server_entry
from hosts.versions import GEMINI_CLI, QWEN_CODE


def settings(session, login, servers):
    return as_json({
        "security": {"folderTrust": {"enabled": False}, "auth": {"selectedType": login}},
        "telemetry": {"enabled": False}, "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False,
                    "maxAttempts": 1},
        "mcpServers": servers})


def trusted(session):
    return {"molecule": server_entry(session, trust=True, timeout=330_000)}


class GeminiCli(NpmHost):
    title = "Gemini CLI"
    packages = GEMINI_CLI
    handler = "gemini"
    note = '`"trust": true`, `"timeout"`'

    def command(self, session):
        program, variables = self.start(session, trusted(session))
        return [*program, "-p", session.prompt], variables | {"GEMINI_CLI_TRUST_WORKSPACE": "true"}

    def as_handler(self, session):
        return self.start(session, {})

    def start(self, session, servers):
        session.write(".gemini/settings.json", settings(session, "gemini-api-key", servers))
        # With a model of its own choice it would first ask a model which one to take.
        return ([self.binary("gemini"), "-m", "gemini-2.5-flash"],
                {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": session.model.url})


class QwenCode(NpmHost):
    title = "Qwen Code"
    packages = QWEN_CODE
    note = '`"trust": true`, `"timeout"`'

    def command(self, session):
        session.write(".qwen/settings.json", settings(session, "openai", trusted(session)))
        return ([self.binary("qwen"), "--auth-type", "openai", "--openai-base-url",
                 f"{session.model.url}/v1", "--openai-api-key", "none", "-m", "mock-model",
                 "--yolo", "-p", session.prompt], {"OPENAI_MODEL": "mock-model"})
