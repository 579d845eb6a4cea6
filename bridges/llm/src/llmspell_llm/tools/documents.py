"""Tools described: for people, for models, and for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import instants_as_text
from llmspell_llm.tools.tool import Tool

FORMATS = ("markdown", "json", "openapi", "mcp")
LANGUAGES = ("lua", "javascript", "tengo", "python")


def document(tools: Iterable[Tool], format_: str) -> str:
    """Describe tools.

    Args:
        tools: Which.
        format_: ``markdown``, ``json``, ``openapi`` or ``mcp``.

    Raises:
        ArgumentError: There is no such format.
    """
    if format_ == "markdown":
        return "\n\n".join(_markdown(tool) for tool in tools)
    if format_ == "json":
        return json.dumps(
            instants_as_text([tool.details() for tool in tools]), indent=2, ensure_ascii=False, default=str
        )
    if format_ == "openapi":
        return json.dumps(openapi(tools), indent=2, ensure_ascii=False, default=str)
    if format_ == "mcp":
        return json.dumps({"tools": [mcp(tool) for tool in tools]}, indent=2, ensure_ascii=False, default=str)
    raise ArgumentError(f"there is no format {format_!r}; formats: {', '.join(FORMATS)}", parameter="format")


def help_of(tool: Tool) -> str:
    """Return what a person wants to read before using a tool."""
    return _markdown(tool)


def mcp(tool: Tool) -> dict[str, Any]:
    """Return a tool as the Model Context Protocol lists it."""
    described: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.schema,
        "annotations": {
            "readOnlyHint": not tool.destructive and "write" not in tool.permissions,
            "destructiveHint": tool.destructive,
            "idempotentHint": tool.deterministic,
        },
    }
    if tool.output is not None:
        described["outputSchema"] = tool.output.definition
    return described


def openapi(tools: Iterable[Tool]) -> dict[str, Any]:
    """Return tools as an OpenAPI document: each a path that takes its parameters as JSON."""
    paths = {}
    for tool in tools:
        answer = {"type": "object"} if tool.output is None else tool.output.definition
        paths[f"/tools/{tool.name}"] = {
            "post": {
                "operationId": tool.name,
                "summary": tool.description,
                "tags": [tool.category, *tool.tags],
                "deprecated": tool.deprecated,
                "requestBody": {"required": True, "content": {"application/json": {"schema": tool.schema}}},
                "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}},
            }
        }
    return {"openapi": "3.1.0", "info": {"title": "llmspell tools", "version": "1.0.0"}, "paths": paths}


def snippet(tool: Tool, language: str) -> str:
    """Return a piece of code that uses a tool, with its first example's parameters or made-up ones.

    Raises:
        ArgumentError: There is no such language.
    """
    values = dict(tool.examples[0].parameters) if tool.examples else _sample(tool.schema)
    match language:
        case "lua":
            return f'local result = tools.execute("{tool.name}", {_lua(values)})'
        case "javascript":
            return f'const result = await tools.execute("{tool.name}", {json.dumps(values, ensure_ascii=False)});'
        case "tengo":
            given = json.dumps(values, ensure_ascii=False)
            return f'tools := import("tools")\nresult := tools.execute("{tool.name}", {given})'
        case "python":
            code = f'tools.execute("{tool.name}", {_lua(values)})'
            return f'session.eval("lua", {json.dumps("return " + code, ensure_ascii=False)}).value'
        case _:
            known = ", ".join(LANGUAGES)
            raise ArgumentError(f"there is no language {language!r}; languages: {known}", parameter="language")


def _markdown(tool: Tool) -> str:
    lines = [f"## {tool.name}", "", tool.description, ""]
    properties = tool.schema.get("properties", {})
    required = set(tool.schema.get("required", ()))
    if properties:
        lines += ["| parameter | type | required | description |", "|---|---|---|---|"]
        for name, part in properties.items():
            kind = part.get("type", "any") if isinstance(part, dict) else "any"
            said = part.get("description", "") if isinstance(part, dict) else ""
            lines.append(f"| `{name}` | {kind} | {'yes' if name in required else 'no'} | {said} |")
        lines.append("")
    for label, words in (("Needs", tool.permissions), ("Tags", tool.tags), ("Constraints", tool.constraints)):
        if words:
            lines += [f"{label}: {', '.join(words)}", ""]
    for example in tool.examples:
        lines += [f"Example: {example.description}", "", "```json"]
        lines += [json.dumps(dict(example.parameters), ensure_ascii=False), "```", ""]
    return "\n".join(lines).rstrip()


_SAMPLES: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}


def _sample(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {
        name: part.get("default", (part.get("enum") or [_SAMPLES.get(str(part.get("type")), "text")])[0])
        for name, part in properties.items()
        if name in schema.get("required", ())
    }


def _lua(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{json.dumps(key, ensure_ascii=False)}] = {_lua(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(_lua(item) for item in value) + "}"
    return "nil" if value is None else json.dumps(value, ensure_ascii=False)
