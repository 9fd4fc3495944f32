"""A minimal server on the official Python SDK."""

from mcp.server import MCPServer

server = MCPServer("peer")


@server.tool()
async def inbox_peek() -> str:
    """An empty inbox"""
    return "[]"


server.run("stdio")
