import asyncio

from agents import Agent, OpenAIResponsesModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStdio
from openai import AsyncOpenAI

import given


async def main():
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=f"{given.MODEL_URL}/v1", api_key="none")
    parameters = {"command": given.COMMAND, "args": given.ARGUMENTS, "env": given.VARIABLES}
    async with MCPServerStdio(params=parameters, name="molecule",
                              client_session_timeout_seconds=given.TOOL_SECONDS) as server:
        agent = Agent(name="agent", instructions=given.INSTRUCTIONS, mcp_servers=[server],
                      model=OpenAIResponsesModel("mock-model", client))
        result = await Runner.run(agent, given.PROMPT, max_turns=given.MOST_STEPS)
        print(result.final_output)


asyncio.run(main())
