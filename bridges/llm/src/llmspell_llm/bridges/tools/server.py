"""``McpServer``: a connected server as scripts hold it."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import Call, HostObject, export
from llmspell_llm.bridges.tools.base import ToolsBase
from llmspell_llm.mcp import Connection, McpError, Offer
from llmspell_llm.mcp.offers import local_name
from llmspell_llm.tools import Tool, ToolError
from llmspell_llm.tools.running import check_parameters


class McpServer(HostObject):
    """A connected MCP server. Its tools are tools of the script, under their names here."""

    def __init__(
        self, bridge: ToolsBase, call: Call, connection: Connection, prefix: str, only: list[str] | None
    ) -> None:
        self._bridge = bridge
        self._own = bridge.own(call)
        self._call = call
        self._connection = connection
        self._prefix = prefix
        self._only = only
        self._names: dict[str, str] = {}

    @export
    def info(self) -> dict[str, Any]:
        """Tell of the server: ``{name, server, version, protocol, instructions, connected, refused}``.

        ``refused`` says why, by name, of tools whose schemas cannot be used.
        """
        return self._connection.info

    @export
    def tools(self) -> list[dict[str, Any]]:
        """List its tools as tools of the script."""
        return [self._own[name].summary() for name in sorted(self._names) if name in self._own]

    @export
    async def refresh(self) -> list[dict[str, Any]]:
        """Ask anew what it offers, and list its tools."""
        await self._connection.refresh()
        await self.offer()
        return self.tools()

    @export
    async def disconnect(self) -> None:
        """Hang up and forget its tools; the end of the run does the same."""
        self._forget()
        await self._connection.close()

    async def aclose(self) -> None:
        """Hang up: the run has ended. One that was stopped has no time left to ask a server to end by itself."""
        await self._connection.close(at_once=bool(self._call.run.stopping))

    async def offer(self) -> None:
        """Make what it offers tools of the script.

        Raises:
            ToolError: ``tool_exists``: a tool of that name is there; a server must not take its place.
            McpError: ``tool_gone``: it does not offer what was asked for.
        """
        offers = self._connection.offers
        wanted = list(offers) if self._only is None else self._only
        for name in wanted:
            if name not in offers:
                raise self._missing(name)
        names = {local_name(name, self._prefix): name for name in wanted}
        registry = await self._bridge.registry(self._call)
        for name in names:
            if name in registry and name not in self._names:
                raise ToolError(
                    f"there is a tool {name!r} already, which a server must not replace; give a prefix",
                    tool=name,
                    code="tool_exists",
                )
        self._forget()
        self._names = names
        for name, original in names.items():
            self._own[name] = self._tool(name, offers[original])

    def _forget(self) -> None:
        for name in self._names:
            self._own.pop(name, None)
        self._names = {}

    def _missing(self, name: str) -> McpError:
        known = ", ".join(self._connection.offers) or "none"
        refused = self._connection.refused.get(name)
        reason = f": {refused}" if refused else f"; it offers {known}"
        server = self._connection.name
        return McpError(f"the MCP server {server!r} does not offer {name!r}{reason}", server=server, code="tool_gone")

    def _tool(self, name: str, offer: Offer) -> Tool:
        async def use(call: Call, parameters: dict[str, Any]) -> Any:
            if self._connection.stale:
                await self._refreshed(name, offer, parameters)
            return await self._connection.use(offer.name, parameters)

        return Tool(
            name=name,
            description=offer.description,
            parameters=offer.parameters,
            output=offer.output,
            function=use,
            category="mcp",
            tags=("mcp", self._connection.name),
            source="mcp",
            permissions=("mcp",),
            resources={"network": "medium"},
            deterministic=bool(offer.hints.get("idempotentHint", False)),
            destructive=bool(offer.hints.get("destructiveHint", not offer.hints.get("readOnlyHint", False))),
            timeout=self._connection.timeout,
        )

    async def _refreshed(self, name: str, before: Offer, parameters: dict[str, Any]) -> None:
        """Look again at what the server offers, since it said that changed, before it is used.

        Raises:
            McpError: ``tool_gone``: it does not offer the tool any more.
            ToolError: ``invalid_parameters``: the parameters do not fit the tool's schema as it is now.
        """
        await self._connection.refresh()
        now = self._connection.offers.get(before.name)
        if now is None:
            self._own.pop(name, None)
            raise self._missing(before.name)
        if now.fingerprint != before.fingerprint:
            changed = self._own[name] = self._tool(name, now)
            check_parameters(changed, parameters)
