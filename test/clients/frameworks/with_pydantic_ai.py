import asyncio

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import given


async def main():
    transport = StdioTransport(given.COMMAND, given.ARGUMENTS, env=given.VARIABLES,
                               keep_alive=False)
    provider = OpenAIProvider(base_url=f"{given.MODEL_URL}/v1", api_key="none")
    tools = MCPToolset(transport, id="molecule", read_timeout=given.TOOL_SECONDS,
                       include_instructions=True, tool_error_behavior="failed")
    agent = Agent(OpenAIChatModel("mock-model", provider=provider), toolsets=[tools],
                  instructions=given.INSTRUCTIONS)
    async with agent:
        result = await agent.run(given.PROMPT)
        print(result.output)


asyncio.run(main())
