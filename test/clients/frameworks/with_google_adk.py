import asyncio

from google.adk.agents import LlmAgent
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from google.genai import types
from mcp import StdioServerParameters

import given


async def main():
    server = StdioServerParameters(command=given.COMMAND, args=given.ARGUMENTS,
                                   env=given.VARIABLES)
    tools = McpToolset(connection_params=StdioConnectionParams(
        server_params=server, timeout=given.TOOL_SECONDS))
    agent = LlmAgent(name="agent", instruction=given.INSTRUCTIONS, tools=[tools],
                     model=Gemini(model="gemini-2.5-flash", base_url=given.MODEL_URL))
    runner = InMemoryRunner(agent=agent, app_name="clients")
    session = await runner.session_service.create_session(app_name="clients", user_id="user")
    prompt = types.Content(role="user", parts=[types.Part(text=given.PROMPT)])
    async for event in runner.run_async(user_id="user", session_id=session.id,
                                        new_message=prompt):
        if event.is_final_response() and event.content:
            print(event.content.parts[0].text)
    await tools.close()


asyncio.run(main())
