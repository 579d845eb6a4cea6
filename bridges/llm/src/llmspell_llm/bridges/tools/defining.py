"""Tools of the script."""

from __future__ import annotations

from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import BridgeError, Call, ScriptFunction, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.tools.base import ToolsBase, tool_from

_FUNCTION = ("execute", "func", "handler", "function")


class DefiningExports(ToolsBase):
    """The exports that make and remove tools."""

    @export
    def define(
        self,
        call: Call,
        name: str,
        description: str,
        schema: dict[str, Any] | ScriptFunction | None = None,
        function: ScriptFunction | None = None,
    ) -> dict[str, Any]:
        """Make a tool of a function; a tool of that name is replaced. Return its definition.

        Args:
            name: Letters, digits, ``_`` and ``-``.
            description: What it does; models choose by it.
            schema: ``parameters`` (a JSON Schema or a short description such as ``{city = "string"}``), ``output``,
                ``category``, ``tags``, ``version``, ``examples``, ``permissions``, ``timeout``, ``destructive``,
                ``requires_approval``, ... It may be left out: then ``function`` comes third.
            function: Gets the parameters as a table and returns the result.
        """
        if isinstance(schema, ScriptFunction):
            schema, function = None, schema
        if function is None:
            raise ArgumentError("define: a tool needs a function", parameter="function", position=4)
        tool = tool_from(name, description, function, schema or {})
        self.own(call)[name] = tool
        return tool.details()

    @export
    def register(self, call: Call, definition: dict[str, Any]) -> dict[str, Any]:
        """Make a tool of one table: ``{name, description, parameters, execute = function, ...}``."""
        rest = dict(definition)
        name, description = rest.pop("name", None), rest.pop("description", "")
        functions = [rest.pop(key) for key in _FUNCTION if key in rest]
        if not isinstance(name, str) or not isinstance(description, str):
            raise ArgumentError("a tool needs a name and a description", parameter="definition", position=1)
        if len(functions) != 1 or not isinstance(functions[0], ScriptFunction):
            raise ArgumentError(f"tool {name!r} needs one function named execute", parameter="definition", position=1)
        tool = tool_from(name, description, functions[0], rest)
        self.own(call)[name] = tool
        return tool.details()

    register_custom_tool = also(register, "register_custom_tool")
    register_tool = also(register, "register_tool")

    @export
    def register_library(self, call: Call, library: dict[str, Any]) -> dict[str, Any]:
        """Make tools of a table of functions, or of ``{description, parameters, execute}`` by name.

        Returns:
            ``{registered, failed, failures = {{name, error}, ...}, total}``.
        """
        failures = []
        for name, entry in library.items():
            definition = {"execute": entry} if isinstance(entry, ScriptFunction) else entry
            try:
                if not isinstance(definition, dict):
                    raise ArgumentError(f"tool {name!r} should be a function or a table")
                self.register(call, {"description": name.replace("_", " "), **definition, "name": name})
            except BridgeError as error:
                failures.append({"name": name, "error": error.message})
        return {
            "registered": len(library) - len(failures),
            "failed": len(failures),
            "failures": failures,
            "total": len(library),
        }

    @export
    def remove(self, call: Call, name: str) -> bool:
        """Forget a tool of the script; tell whether there was one."""
        return self.own(call).pop(name, None) is not None

    unregister_tool = also(remove, "unregister_tool")

    @export
    def clear_registry(self, call: Call) -> int:
        """Forget every tool of the script; tell how many there were."""
        own = self.own(call)
        count = len(own)
        own.clear()
        return count
