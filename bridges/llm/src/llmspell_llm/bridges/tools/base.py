"""What the parts of the ``tools`` bridge share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell.errors import ArgumentError, BridgeNotFoundError
from llmspell.plugin import Bridge, Call, ScriptFunction
from llmspell_llm.names import snake_keys
from llmspell_llm.scoped import RunScoped
from llmspell_llm.structured import Schema, expand
from llmspell_llm.tools import Example, Tool, ToolRegistry, ToolRunner
from llmspell_llm.tools.source import discover

_TEXTS = ("category", "version", "usage")
_FLAGS = ("deterministic", "destructive", "requires_approval", "deprecated", "experimental")
_LISTS = ("tags", "permissions", "constraints")
_ALSO = {
    "is_deterministic": "deterministic",
    "is_destructive": "destructive",
    "requires_confirmation": "requires_approval",
    "usage_hint": "usage",
    "resource_usage": "resources",
    "output_schema": "output",
    "parameter_schema": "parameters",
}


class ToolsBase(Bridge):
    """Knows the session's tools and runs them."""

    def __init__(self) -> None:
        self.runner = ToolRunner()
        self._scripts: RunScoped[Tool] = RunScoped()
        self._installed: dict[str, Tool] | None = None
        self.connected: dict[str, Tool] = {}

    async def registry(self, call: Call) -> ToolRegistry:
        """Return the tools that a call may use: the script's own, connected ones, and installed ones."""
        if self._installed is None:
            self._installed = await _installed(call)
        return ToolRegistry((self._scripts.of(call), self.connected, self._installed))

    def own(self, call: Call) -> dict[str, Tool]:
        """Return the tools of the script, by name; they may be changed."""
        return self._scripts.of(call)

    async def tool(self, call: Call, given: Any) -> Tool:
        """Return the tool that a script means: by name, or what ``define`` and ``get_info`` returned.

        Raises:
            ToolError: There is none.
            ArgumentError: It means no tool.
        """
        if isinstance(given, Mapping):
            given = given.get("name")
        if not isinstance(given, str):
            raise ArgumentError("a tool is given by its name, or by what define returned", parameter="tool")
        for layer in (self._scripts.of(call), self.connected):
            if given in layer:  # without loading what is installed
                return layer[given]
        return (await self.registry(call)).get(given)


async def _installed(call: Call) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for source in discover():
        try:
            opened = call.run.bridges.get(source.bridge)
        except BridgeNotFoundError:
            continue
        bridge = opened if isinstance(opened, Bridge) else await opened
        found.update({tool.name: tool for tool in source.tools(bridge)})
    return found


def tool_from(name: str, description: str, function: ScriptFunction, details: Mapping[str, Any]) -> Tool:
    """Return a tool of the script.

    Args:
        name: Its name.
        description: What it does, for models and people.
        function: Gets the parameters as a table.
        details: ``parameters``, ``output``, ``category``, ``tags``, ``examples``, ``timeout`` and the like.

    Raises:
        ArgumentError: A detail is unknown or not what it should be.
        SchemaError: A schema is none.
    """
    given = {_ALSO.get(key, key): value for key, value in snake_keys(details).items()}
    known = {*_TEXTS, *_FLAGS, *_LISTS, "parameters", "output", "examples", "resources", "timeout"}
    if unknown := sorted(set(given) - known):
        raise ArgumentError(f"a tool has no {unknown[0]!r}; it has {', '.join(sorted(known))}", parameter="schema")
    made: dict[str, Any] = {}
    for key, kind, word in (
        *((key, str, "a text") for key in _TEXTS),
        *((key, bool, "true or false") for key in _FLAGS),
    ):
        if key in given:
            if not isinstance(given[key], kind):
                raise ArgumentError(f"{key} of tool {name!r} should be {word}", parameter="schema")
            made[key] = given[key]
    for key in _LISTS:
        if key in given:
            if not isinstance(given[key], list) or not all(isinstance(item, str) for item in given[key]):
                raise ArgumentError(f"{key} of tool {name!r} should be a list of texts", parameter="schema")
            made[key] = tuple(given[key])
    if (timeout := given.get("timeout")) is not None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
            raise ArgumentError(f"timeout of tool {name!r} should be a number of seconds", parameter="schema")
        made["timeout"] = float(timeout)
    if (resources := given.get("resources")) is not None:
        made["resources"] = {str(key): str(value) for key, value in dict(resources).items()}
    made["examples"] = tuple(_example(name, each) for each in given.get("examples") or ())

    async def run(call: Call, parameters: dict[str, Any]) -> Any:
        return await function(parameters)

    return Tool(
        name=name,
        description=description,
        parameters=_parameters(given.get("parameters")),
        output=None if given.get("output") is None else Schema(expand(given["output"])),
        function=run,
        **made,
    )


def _parameters(given: Any) -> Schema:
    if given is None or given == []:
        return Schema({"type": "object", "properties": {}})
    definition = expand(given)
    if definition.get("type", "object") != "object":
        raise ArgumentError("the parameters of a tool are a table: its schema is one of an object", parameter="schema")
    return Schema({"type": "object", **definition})


def _example(name: str, given: Any) -> Example:
    if not isinstance(given, Mapping) or not isinstance(given.get("parameters", {}), Mapping):
        raise ArgumentError(f"an example of tool {name!r} is {{description, parameters, result}}", parameter="schema")
    return Example(str(given.get("description", "")), dict(given.get("parameters") or {}), given.get("result"))
