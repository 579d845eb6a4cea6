"""Tools of MCP servers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from llmspell.plugin import Call, export
from llmspell_llm.bridges.tools.base import ToolsBase
from llmspell_llm.bridges.tools.server import McpServer
from llmspell_llm.mcp import Connection, target_from
from llmspell_llm.names import snake_keys


class ConnectingExports(ToolsBase):
    """The export that connects to MCP servers."""

    @export(permissions=("subprocess", "net"))
    async def connect_mcp(
        self,
        call: Call,
        server: str | dict[str, Any],
        *,
        name: str | None = None,
        prefix: str = "",
        only: list[str] | None = None,
        timeout: Annotated[float, Field(gt=0, le=600)] = 30.0,
    ) -> McpServer:
        """Connect to a server of the Model Context Protocol and make its tools tools of the script.

        It is disconnected from, and ended if it was started, when the run ends.

        Args:
            server: An address (``http`` or ``https``), ``{command, args, directory, env}`` for a program to start, or
                ``{url, headers, token_env}``. ``env`` names granted variables that it gets; ``token_env`` one that is
                sent as a bearer token.
            name: What to call the server.
            prefix: Put before the names of its tools, with a ``_``.
            only: Which of its tools; all if not given.
            timeout: Seconds to connect, and for each request.
        """
        target = target_from(server if isinstance(server, str) else snake_keys(server))
        connection = Connection(target, name or target.name, timeout)
        await connection.open(call)
        try:
            connected = McpServer(self, call, connection, prefix, only)
            await connected.offer()
        except BaseException:
            await connection.close()
            raise
        return connected
