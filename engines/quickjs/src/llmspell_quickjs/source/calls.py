"""Where a call stands. The engine tells of one that is under way by the last name it read: one of the arguments, often
on a later line than the call."""

from __future__ import annotations

from tree_sitter import Node

from llmspell_quickjs.source.parsing import FUNCTIONS, Dialect, parse, text_of

_MOST_BYTES = 64 * 1024
"""Parsing more would take longer than a run that is being ended has."""

_CALLS = {"call_expression": "function", "new_expression": "constructor"}


class Calls:
    """The calls of one file.

    Example:
        >>> Calls(b"f(1, g(x), y)", "javascript").start_of("f", 11)
        0
    """

    __slots__ = ("_root",)

    def __init__(self, text: bytes, dialect: Dialect) -> None:
        self._root = parse(text, dialect) if len(text) <= _MOST_BYTES else None

    def start_of(self, function: str, offset: int) -> int | None:
        """Return where the name of a called function stands, by a byte in the call's arguments.

        Args:
            function: Its name.
            offset: The byte.

        Returns:
            None if the byte is in no arguments of a call of that name; also if it begins such a name itself, which may
            be the call that is meant.
        """
        if self._root is None or not function:
            return None
        node = self._root.descendant_for_byte_range(offset, offset)
        while node is not None and node.type not in FUNCTIONS:
            if node.type in _CALLS:
                called = _called(node)
                arguments = node.child_by_field_name("arguments")
                if called is not None and text_of(called) == function:
                    if called.start_byte == offset:
                        return None
                    if arguments is not None and arguments.start_byte <= offset < arguments.end_byte:
                        return called.start_byte
            node = node.parent
        return None


def _called(call: Node) -> Node | None:
    """Return the name in what is called: all of it, or its last part."""
    what = call.child_by_field_name(_CALLS[call.type])
    return what.child_by_field_name("property") if what is not None and what.type == "member_expression" else what
