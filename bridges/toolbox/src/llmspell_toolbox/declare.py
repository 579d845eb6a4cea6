"""``@tool``: an export, and what people and models should know of it as a tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from llmspell.bridge import exports_of
from llmspell.plugin import Bridge, export
from llmspell_llm.tools import ToolSource

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__llmspell_tool__"


def tool(
    *,
    category: str,
    examples: tuple[Mapping[str, Any], ...],
    tags: tuple[str, ...] = (),
    permissions: tuple[str, ...] = (),
    resources: Mapping[str, str] | None = None,
    constraints: tuple[str, ...] = (),
    blocking: bool = True,
    deterministic: bool = True,
    destructive: bool = False,
    requires_approval: bool = False,
) -> Callable[[F], F]:
    """Make a method a tool.

    Args:
        examples: Tables ``description``, ``parameters`` and, where it is always the same, ``result``. Tests run them.
        resources: ``memory``, ``network``, ``filesystem``: ``none`` where not told.
        blocking: The ``def`` method computes or waits: it runs in a thread.
        deterministic: The same parameters give the same result.
    """
    details = {
        "examples": examples,
        "tags": (category, *tags),
        "permissions": permissions,
        "resources": {"memory": "low", "network": "none", "filesystem": "none", **(resources or {})},
        "constraints": constraints,
        "deterministic": deterministic,
        "destructive": destructive,
        "requires_approval": requires_approval,
    }

    def mark(function: F) -> F:
        setattr(function, _MARK, (category, details))
        return export(blocking=blocking, permissions=permissions)(function)

    return mark


def tools_of(kind: type[Bridge]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, category and details of the tools of a bridge."""
    for name, found in exports_of(kind).items():
        category, details = getattr(found.function, _MARK)
        yield name, category, details


def source(kind: type[Bridge], category: str) -> ToolSource:
    """Return the tools of one category as the registry of tools takes them."""
    details = {name: told for name, of, told in tools_of(kind) if of == category}
    return ToolSource(kind.name, tuple(sorted(details)), category, details)
