"""What the runner gives to each of these programs, by environment variables."""

import json
import os

COMMAND, *ARGUMENTS = json.loads(os.environ["SERVER"])
VARIABLES = json.loads(os.environ["SERVER_ENV"])
MODEL_URL = os.environ["MODEL_URL"]
PROMPT = os.environ["PROMPT"]
INSTRUCTIONS = "You serve a workspace with the tools of its MCP server."
# A wait may take 300 s; most frameworks give up after 5 or 10 s by default.
TOOL_SECONDS = 330
MOST_STEPS = 60
