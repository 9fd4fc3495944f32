import asyncio

from agno.agent import Agent
from agno.models.openai import OpenAILike
from agno.tools.mcp import MCPTools
from mcp import StdioServerParameters

import given


async def main():
    server = StdioServerParameters(command=given.COMMAND, args=given.ARGUMENTS,
                                   env=given.VARIABLES)
    model = OpenAILike(id="mock-model", base_url=f"{given.MODEL_URL}/v1", api_key="none")
    async with MCPTools(server_params=server, transport="stdio",
                        timeout_seconds=given.TOOL_SECONDS) as tools:
        agent = Agent(model=model, tools=[tools], instructions=given.INSTRUCTIONS,
                      telemetry=False)
        result = await agent.arun(given.PROMPT)
        print(result.content)


asyncio.run(main())
