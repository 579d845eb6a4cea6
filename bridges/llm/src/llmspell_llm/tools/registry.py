"""Tools by name, and ways to find them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from llmspell_llm.tools.tool import Tool, ToolError


class ToolRegistry:
    """What is looked up in turn: the tools of the script, then those of the session.

    Args:
        layers: Tools by name; the first layer that has a name counts.
    """

    def __init__(self, layers: Sequence[Mapping[str, Tool]]) -> None:
        self._layers = layers

    def __iter__(self) -> Iterator[Tool]:
        """Yield every tool once, sorted by name."""
        names = {name for layer in self._layers for name in layer}
        return (self.get(name) for name in sorted(names))

    def __contains__(self, name: str) -> bool:
        return any(name in layer for layer in self._layers)

    def get(self, name: str) -> Tool:
        """Return a tool.

        Raises:
            ToolError: There is none of that name; the message names the nearest.
        """
        for layer in self._layers:
            if name in layer:
                return layer[name]
        known = {known for layer in self._layers for known in layer}
        close = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ToolError(f"there is no tool {name!r}{hint}", tool=name, code="tool_not_found")

    def search(self, query: str) -> list[Tool]:
        """Return the tools that all words of a query occur in, those with a word in their name first."""
        words = query.casefold().split()
        found = [tool for tool in self if all(word in _text(tool) for word in words)]
        return sorted(found, key=lambda tool: not any(word in tool.name.casefold() for word in words))

    def having(self, *, category: str = "", tags: Iterable[str] = (), permission: str = "") -> list[Tool]:
        """Return the tools of a category, with all of some tags, that need a permission."""
        wanted = set(tags)
        return [
            tool
            for tool in self
            if (not category or tool.category == category)
            and wanted <= set(tool.tags)
            and (not permission or permission in tool.permissions)
        ]


def _text(tool: Tool) -> str:
    return " ".join((tool.name, tool.description, tool.category, *tool.tags)).casefold()
