"""fastmcp has a client and no agent: the loop between the model and the tools is here."""

import asyncio
import json
import urllib.request

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

import given


def ask_model(messages, tools):
    body = json.dumps({"model": "mock-model", "messages": messages, "tools": tools}).encode()
    request = urllib.request.Request(f"{given.MODEL_URL}/v1/chat/completions", body,
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)["choices"][0]["message"]


async def main():
    transport = StdioTransport(given.COMMAND, given.ARGUMENTS, env=given.VARIABLES,
                               keep_alive=False)
    async with Client(transport, timeout=given.TOOL_SECONDS) as client:
        tools = [{"type": "function", "function": {
            "name": tool.name, "description": tool.description,
            "parameters": tool.model_dump(by_alias=True)["inputSchema"]}}
            for tool in await client.list_tools()]
        messages = [{"role": "user", "content": given.PROMPT}]
        for _ in range(given.MOST_STEPS):
            message = await asyncio.to_thread(ask_model, messages, tools)
            messages.append(message)
            if not message.get("tool_calls"):
                print(message["content"])
                return
            for call in message["tool_calls"]:
                function = call["function"]
                result = await client.call_tool(function["name"],
                                                json.loads(function["arguments"]),
                                                raise_on_error=False)
                text = "\n".join(part.text for part in result.content)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})


asyncio.run(main())
