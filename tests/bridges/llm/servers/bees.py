"""A real MCP server: over standard input and output, or over HTTP on a port of loopback that it tells."""

import os
import socket
import sys
from typing import TypedDict

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

server = MCPServer("bees", version="1.2.3", instructions="Ask about bees.")


class Count(TypedDict):
    hives: int
    bees: int


@server.tool(annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def count(hives: int) -> Count:
    """Count the bees of some hives."""
    return {"hives": hives, "bees": hives * 50_000}


@server.tool(name="say.hello", structured_output=False)
def hello(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}!"


@server.tool(structured_output=False)
def sting(whom: str) -> str:
    """Always fails."""
    raise ToolError(f"{whom} ran away")


@server.tool(structured_output=False)
def environment() -> str:
    """Tell the names of the variables this process sees, and its number."""
    return ",".join([str(os.getpid()), *sorted(os.environ)])


@server.tool(structured_output=False)
def heap(size: int) -> str:
    """Give a text of a size."""
    return "x" * size


@server.tool(structured_output=False)
async def dawdle() -> str:
    """Take an hour."""
    await anyio.sleep(3600)
    return "done"


async def listen() -> None:
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(server.streamable_http_app(), log_level="error", lifespan="on")
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        anyio.run(listen)
    else:
        server.run("stdio")
