import asyncio

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langchain_openai import ChatOpenAI

import given


async def main():
    client = MultiServerMCPClient({"molecule": {
        "transport": "stdio", "command": given.COMMAND, "args": given.ARGUMENTS,
        "env": given.VARIABLES}})
    model = ChatOpenAI(model="mock-model", base_url=f"{given.MODEL_URL}/v1", api_key="none")
    # Without a session that is kept, every call would start the server anew.
    async with client.session("molecule") as session:
        agent = create_agent(model, await load_mcp_tools(session),
                             system_prompt=given.INSTRUCTIONS)
        result = await agent.ainvoke({"messages": [("user", given.PROMPT)]},
                                     {"recursion_limit": 2 * given.MOST_STEPS})
        print(result["messages"][-1].content)


asyncio.run(main())
