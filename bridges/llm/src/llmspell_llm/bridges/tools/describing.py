"""Finding and describing tools."""

from __future__ import annotations

import json
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.tools.base import ToolsBase
from llmspell_llm.tools.documents import document, help_of, mcp, snippet


class DescribingExports(ToolsBase):
    """The exports that list, find and describe tools."""

    @export(name="list")
    async def list_(self, call: Call) -> list[dict[str, Any]]:
        """List the tools: ``{name, description, category, tags, version, source, ...}`` each."""
        return [tool.summary() for tool in await self.registry(call)]

    @export
    async def search(self, call: Call, query: str) -> list[dict[str, Any]]:
        """Find the tools that all words of a query occur in."""
        return [tool.summary() for tool in (await self.registry(call)).search(query)]

    @export
    async def list_by_category(self, call: Call, category: str) -> list[dict[str, Any]]:
        """List the tools of a category."""
        return [tool.summary() for tool in (await self.registry(call)).having(category=category)]

    @export
    async def list_by_tags(self, call: Call, tags: list[str]) -> list[dict[str, Any]]:
        """List the tools that have all of some tags."""
        return [tool.summary() for tool in (await self.registry(call)).having(tags=tags)]

    @export
    async def list_by_permission(self, call: Call, permission: str) -> list[dict[str, Any]]:
        """List the tools that need a permission: ``read``, ``write``, ``net``, ..."""
        return [tool.summary() for tool in (await self.registry(call)).having(permission=permission)]

    @export
    async def list_by_resource_usage(self, call: Call, criteria: dict[str, str]) -> list[dict[str, Any]]:
        """List the tools whose use of resources is as told: ``{network = "none", memory = "low"}``."""
        return [
            tool.summary()
            for tool in await self.registry(call)
            if all(tool.resources.get(name) == wanted for name, wanted in criteria.items())
        ]

    @export
    async def get_categories(self, call: Call) -> list[str]:
        """Return the categories there are."""
        return sorted({tool.category for tool in await self.registry(call)})

    @export
    async def get_info(self, call: Call, tool: str | dict[str, Any]) -> dict[str, Any]:
        """Tell all about a tool: its schema, output, examples, permissions, resources, ..."""
        return (await self.tool(call, tool)).details()

    get_tool_info = also(get_info, "get_tool_info")

    @export
    async def get_tool_schema(self, call: Call, tool: str | dict[str, Any]) -> dict[str, Any]:
        """Return ``{name, description, input, output}``: a tool's schemas."""
        found = await self.tool(call, tool)
        output = None if found.output is None else found.output.definition
        return {"name": found.name, "description": found.description, "input": found.schema, "output": output}

    @export
    async def get_tool_help(self, call: Call, tool: str | dict[str, Any]) -> str:
        """Return what a person wants to read before using a tool."""
        return help_of(await self.tool(call, tool))

    @export
    async def get_tool_examples(self, call: Call, tool: str | dict[str, Any]) -> list[dict[str, Any]]:
        """Return a tool's examples: ``{description, parameters, result}`` each."""
        examples: list[dict[str, Any]] = (await self.tool(call, tool)).details()["examples"]
        return examples

    @export
    async def generate_tool_documentation(
        self, call: Call, tool: str | dict[str, Any], format: str = "markdown"
    ) -> str:
        """Describe a tool as ``markdown``, ``json``, ``openapi`` or ``mcp``."""
        return document([await self.tool(call, tool)], format)

    @export
    async def generate_all_tools_docs(self, call: Call, format: str = "markdown") -> str:
        """Describe every tool as ``markdown``, ``json``, ``openapi`` or ``mcp``."""
        return document(await self.registry(call), format)

    @export
    async def generate_sdk_snippet(self, call: Call, tool: str | dict[str, Any], language: str) -> str:
        """Return code that uses a tool, in ``lua``, ``javascript``, ``tengo`` or ``python``."""
        return snippet(await self.tool(call, tool), language)

    @export
    async def export_tool(self, call: Call, tool: str | dict[str, Any], format: str = "json") -> str:
        """Return a tool's definition as ``json``, or as ``lua``, ``javascript`` or ``tengo`` code that uses it."""
        found = await self.tool(call, tool)
        if format == "json":
            return json.dumps(found.details(), indent=2, ensure_ascii=False, default=str)
        if format in ("lua", "javascript", "tengo"):
            return snippet(found, format)
        raise ArgumentError("format should be json, lua, javascript or tengo", parameter="format", position=2)

    @export
    async def export_tool_to_mcp(self, call: Call, tool: str | dict[str, Any]) -> dict[str, Any]:
        """Return a tool as the Model Context Protocol lists it."""
        return mcp(await self.tool(call, tool))

    @export
    async def export_all_to_mcp(self, call: Call) -> dict[str, Any]:
        """Return every tool as the Model Context Protocol lists it: ``{tools}``."""
        return {"tools": [mcp(tool) for tool in await self.registry(call)]}

    @export
    async def get_registry_stats(self, call: Call) -> dict[str, Any]:
        """Count the tools: ``{total, by_category, by_source, deprecated, experimental}``."""
        tools = list(await self.registry(call))
        by_category: dict[str, int] = {}
        by_source: dict[str, int] = {}
        for tool in tools:
            by_category[tool.category] = by_category.get(tool.category, 0) + 1
            by_source[tool.source] = by_source.get(tool.source, 0) + 1
        return {
            "total": len(tools),
            "by_category": by_category,
            "by_source": by_source,
            "deprecated": sum(tool.deprecated for tool in tools),
            "experimental": sum(tool.experimental for tool in tools),
        }
