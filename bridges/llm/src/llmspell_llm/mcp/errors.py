"""What can go wrong between a spell and an MCP server."""

from __future__ import annotations

from llmspell.errors import BridgeError


class McpError(BridgeError):
    """A server cannot be reached, does not answer as the protocol says, or failed at what it was asked.

    Its code is ``unavailable`` (the library is not installed), ``mcp_closed`` (the server or the connection is gone),
    ``timeout``, ``bad_response``, ``too_large``, ``tool_gone``, ``tool_failed`` (the tool itself says so) or
    ``mcp_error`` (the server refused).

    Attributes:
        server: The server's name.
    """

    code = "mcp_error"
    exit_code = 7

    def __init__(self, message: str, *, server: str, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, code=code, details={"server": server}, hint=hint)
        self.server = server
