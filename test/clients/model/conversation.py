"""What every wire format boils down to: a conversation that the model sees, and its next step."""

import json
import re
from dataclasses import dataclass, field

TOOLS = ("wait_for_message", "list_peers", "delegate_task", "reply", "inbox_pop",
         "send_message_to_user")
SEARCHES = ("toolsearch", "tool_search")


@dataclass
class Call:
    """A tool that the model called earlier, by the host's name for it, and what came back."""
    name: str
    arguments: dict
    result: str

    @property
    def tool(self):
        return plain_name(self.name)


@dataclass
class Conversation:
    tools: list  # the names under which the host offers tools
    calls: list = field(default_factory=list)
    texts: list = field(default_factory=list)  # what came as the user's words


@dataclass
class Use:
    """The model calls a tool."""
    name: str
    arguments: dict


@dataclass
class Say:
    """The model ends its turn with a text."""
    text: str


def plain_name(name):
    """`mcp__molecule__reply`, `mcp_molecule_reply` or `molecule.reply` is `reply`."""
    for tool in TOOLS:
        if re.search(rf"(^|[^A-Za-z]){tool}$", name):
            return tool
    return name


def offered_name(conversation, tool):
    """How the host calls this tool of ours; None where the model has not seen it. What a search
    found has the server's name before it: descriptions name tools without."""
    found = [name for call in conversation.calls if call.name.lower() in SEARCHES
             for name in re.findall(rf"[\w.-]*[_.-]{tool}\b", call.result)]
    return next((name for name in (*conversation.tools, *found) if plain_name(name) == tool), None)


def text_of(content):
    """The text of a content value: a string, a block, or a list of these."""
    if isinstance(content, list):
        return "\n".join(text_of(part) for part in content)
    if isinstance(content, dict):
        for key in ("text", "content", "output"):
            if key in content:
                return text_of(content[key])
        return json.dumps(content, ensure_ascii=False)
    return "" if content is None else str(content)


def objects_in(text):
    """Every JSON object in a text, also in strings inside JSON: hosts wrap results."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    while (at := text.find("{", at)) != -1:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        yield from objects_of(value)
        at = end


def objects_of(value):
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from objects_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from objects_of(member)
    elif isinstance(value, str) and "{" in value:
        yield from objects_in(value)
