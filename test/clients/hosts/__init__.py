"""The agent hosts and frameworks that are run, one file a host or family."""

from hosts.claude_code import ClaudeCode
from hosts.cline import Cline
from hosts.codex import Codex
from hosts.continue_cli import Continue
from hosts.copilot import Copilot
from hosts.frameworks import FRAMEWORKS
from hosts.gemini_cli import GeminiCli, QwenCode
from hosts.openclaw import OpenClaw
from hosts.opencode import Opencode

ALL = [ClaudeCode(), Codex(), GeminiCli(), Opencode(), Copilot(), QwenCode(), Continue(), Cline(),
       OpenClaw(), *FRAMEWORKS]
