"""Tools that distributions bring: the exports of a bridge, each a tool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from llmspell.plugin import Bridge, Call
from llmspell_llm.structured import Schema
from llmspell_llm.tools.derived import input_of, output_of, promises, text_of
from llmspell_llm.tools.tool import Example, Tool

ENTRY_POINT_GROUP = "llmspell_llm.tools"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolSource:
    """Makes the exports of a bridge available as tools. A distribution names one in ``llmspell_llm.tools``.

    A tool's name, description and schema are those of the export. It may be used where the policy grants the export;
    files and hosts it touches are granted apart, as always.

    Attributes:
        bridge: The bridge's name.
        exports: Which of its exports; None for all.
        category: Of all its tools.
        details: More about single tools: fields of :class:`Tool` by the export's name.
    """

    bridge: str
    exports: tuple[str, ...] | None = None
    category: str = "custom"
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def tools(self, bridge: Bridge) -> list[Tool]:
        """Return the tools of an opened bridge."""
        from llmspell.bridge import exports_of

        found = exports_of(type(bridge))
        names = self.exports if self.exports is not None else tuple(sorted(found))
        return [self._tool(bridge, name, found[name]) for name in names if not found[name].is_stream]

    def _tool(self, bridge: Bridge, name: str, export: Any) -> Tool:
        target = self.bridge

        async def function(call: Call, parameters: dict[str, Any]) -> Any:
            call.run.admit(target, name, [parameters])
            arguments, options = export.signature.bind_named(parameters)
            method = getattr(bridge, export.function.__name__)
            if export.blocking:
                return await asyncio.to_thread(method, *_with(call, export, arguments), **options)
            result = method(*_with(call, export, arguments), **options)
            return await result if export.is_async else result

        parameters, output = _schemas(export.function, export)
        made = Tool(
            name=name,
            description=text_of(export.doc),
            parameters=parameters,
            output=output,
            function=function,
            category=self.category,
            source="bridge",
            permissions=tuple(export.permissions),
            usage=export.doc,
        )
        more = dict(self.details.get(name, {}))
        if "examples" in more:
            more["examples"] = tuple(Example(**example) for example in more["examples"])
        return replace(made, **more)


def _with(call: Call, export: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return (call, *arguments) if export.signature.takes_call else arguments


@lru_cache(maxsize=512)
def _schemas(function: Any, export: Any) -> tuple[Schema, Schema | None]:
    """Make an export's schemas once a process, and derive them only when they are wanted."""
    hint = export.signature.returns
    output = Schema.derived(lambda: output_of(hint)) if promises(hint) else None
    return Schema.derived(lambda: input_of(export)), output


def discover() -> list[ToolSource]:
    """Return the sources that installed distributions name; one that cannot be loaded is logged and left out."""
    from importlib_metadata import entry_points

    sources = []
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        try:
            source = entry.load()
        except Exception:  # noqa: BLE001 - reported, with its trace
            _log.exception("the tools %r of %s cannot be loaded", entry.name, entry.value)
            continue
        if isinstance(source, ToolSource):
            sources.append(source)
        else:
            _log.error("the tools %r of %s are a %s, not a ToolSource", entry.name, entry.value, type(source))
    return sources
