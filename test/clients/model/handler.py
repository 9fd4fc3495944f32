"""What the scripted model says as the handler of a daemon: the number of the message in its
conversation and the text, or what a tool of the workspace gave."""

import re

from model.conversation import Say, Use, objects_in, offered_name
from model.script import search

PEERS = "Which peers have I?"
# The workspace's own tools, and what finds tools and reads what servers offer.
HARMLESS = ("molecule", "toolsearch", "tool_search", "mcp_resource", "todo")
FIELDS = {"text", "kind", "activity_id", "conversation"}


class HandlerModel:
    """`offered` has the names of the tools by the text of the message that they came with."""

    needs_tools = False

    def __init__(self):
        self.offered = {}

    def step(self, conversation):
        found = [o for text in conversation.texts for o in objects_in(text) if FIELDS <= o.keys()]
        messages = list({o["activity_id"]: o for o in found}.values())
        if not messages:
            return Say("No message.")
        text = messages[-1]["text"]
        self.offered.setdefault(text, set()).update(conversation.tools)
        if text != PEERS:
            return Say(answer(len(messages), text))
        listed = [call for call in conversation.calls if call.tool == "list_peers"]
        if listed:
            return Say(answer(len(messages), " ".join(listed[-1].result.split())))
        name = offered_name(conversation, "list_peers")
        return Use(name, {}) if name else search(conversation, "list_peers")


def answer(number, text):
    return f"Message {number} was: {text}"


def may_do(tools):
    """Tools that run programs, or read or write files or the network, by how they are called."""
    words = re.compile(r"bash|shell|exec|terminal|write|edit|replace|patch|read|glob|grep|fetch"
                       r"|search|list_dir|notebook|view_image", re.IGNORECASE)
    return [name for name in tools if words.search(name)
            and not any(word in name.lower() for word in HARMLESS)]
