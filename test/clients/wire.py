"""What a host and its molecule-mcp said to each other, from the log of record.py."""

import json
import os
from dataclasses import dataclass

from model.conversation import objects_of

# An entry of `open`, which reminds the agent of what it holds, has no `created_at`.
MESSAGE = {"activity_id", "text", "kind", "created_at"}


@dataclass
class ToolCall:
    tool: str
    arguments: dict
    result: dict  # None while there is none, or an error

    def objects(self):
        """The JSON objects of the result, each once though it is there as text and structured."""
        if not self.result:
            return []
        structured = self.result.get("structuredContent")
        return list(objects_of(structured if structured is not None else self.result["content"]))

    def text(self):
        return json.dumps(self.result, ensure_ascii=False) if self.result else ""


class Wire:
    def __init__(self, log):
        self.log = log

    def lines(self):
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def messages(self):
        """(process, side, message); hosts may start the server more than once."""
        for line in self.lines():
            for side in ("host", "server"):
                if line.get(side):
                    try:
                        yield line["from"], side, json.loads(line[side])
                    except ValueError:
                        pass  # a host's partial line; the server answers it as such

    def exchanges(self, method):
        """(parameters, result or None) of every request with this method."""
        asked = {}
        for process, side, message in self.messages():
            if not isinstance(message, dict) or "id" not in message:
                continue
            key = (process, json.dumps(message["id"]))
            if side == "host" and message.get("method") == method:
                asked[key] = [message.get("params") or {}, None]
            elif side == "server" and "method" not in message and key in asked:
                asked[key][1] = message.get("result")
        return list(asked.values())

    def calls(self, tool=None):
        found = [ToolCall(parameters.get("name"), parameters.get("arguments") or {}, result)
                 for parameters, result in self.exchanges("tools/call")]
        return [call for call in found if tool in (None, call.tool)]

    def tools(self):
        return max((len(result["tools"]) for _, result in self.exchanges("tools/list") if result),
                   default=0)

    def revision(self):
        for method in ("initialize", "server/discover"):
            for _, result in self.exchanges(method):
                if result:
                    return result.get("protocolVersion") or "2026-07-28"
        return None

    def messages_handed_out(self):
        """Every message that a wait gave, as often as it was given."""
        return [found for call in self.calls("wait_for_message") for found in call.objects()
                if MESSAGE <= found.keys()]

    def notified(self, method):
        return [message for _, side, message in self.messages()
                if side == "server" and message.get("method") == method]

    def initialized(self):
        return any(side == "host" and message.get("method") == "notifications/initialized"
                   for _, side, message in self.messages())

    def exits(self):
        return [line["exit"] for line in self.lines() if "exit" in line]

    def processes_left(self):
        """Ids of servers that have not ended."""
        started = {line["pid"] for line in self.lines() if "pid" in line}
        return [pid for pid in started if os.path.exists(f"/proc/{pid}/stat")
                and open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"]
