"""A scripted model that runs a program for the person, for which its host asks first."""

import re

from model.conversation import Say, Use, offered_name
from model.script import State

WANTED = re.compile(r"Make the file (\w+)\.")
RUNNER = "Bash"


def request_for(name):
    return f"Make the file {name}."


class PermissionModel:
    """`results` has what the host said of each file."""

    needs_tools = True

    def __init__(self):
        self.results = {}

    def step(self, conversation):
        for call in conversation.calls:
            if call.name == RUNNER:
                self.results[call.arguments["command"].split()[-1]] = call.result
        for message in State(conversation).unanswered():
            wanted = WANTED.search(message.text)
            if not wanted:
                continue
            if wanted[1] not in self.results:
                return Use(RUNNER, {"command": f"touch {wanted[1]}",
                                    "description": "Make the file"})
            reply = offered_name(conversation, "reply")
            if not reply:
                return Use("ToolSearch", {"query": "select:mcp__molecule__reply", "max_results": 5})
            text = f"{wanted[1]}: {self.results[wanted[1]]}"
            return Use(reply, {"activity_id": message.id, "text": text})
        return Say("Ready.")
