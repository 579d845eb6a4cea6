"""Where in a source something happens. The engine tells of it by the last place it took note of: of a call, what
follows the parenthesis, or the last name among its arguments; of a property that cannot be read, the beginning of what
leads to it; of a pattern, what stands before it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tree_sitter import Node

from llmspell_quickjs.source.parsing import FUNCTIONS, text_of

_CALLS = {"call_expression": "function", "new_expression": "constructor"}
_PARTS = {"member_expression": "property", "subscript_expression": "index"}
_NAMES = ("identifier", "property_identifier", "private_property_identifier")
_NAMELESS = frozenset({*FUNCTIONS, "string", "number", "true", "false", "null", "regex"})
"""Arguments of which the engine notes no place, unless they are the first."""

_UNSAID = ("get ", "set ", "[")
_CALLED_UNSAID = frozenset({"valueOf", "toString", "toJSON", "next", "return", "then"})
"""What is called where no call is written."""

_NO_CALL = ("not a function", "not a constructor")
_NO_OBJECT = "Cannot convert undefined or null to object"
_NO_PROPERTY = re.compile(r"cannot read property '([\w$#]+)' of (?:undefined|null)")
_STEP = rb"(?:\s*\??\.\s*[\w$#]+|\s*\(\s*\)|\s*\[[\w'\"]*\]|!)"
"""What leads from a name to a property without a name that the engine tells of."""

_FARTHEST = 4096
_MOST_PATTERNS = 50


class Span(NamedTuple):
    """The arguments of a call, or a function, in bytes of the source.

    Attributes:
        told: Where the last byte is that the engine may tell of such a call by.
        name: What is called, ``""`` if it has no name; None for a function: what stands in it is no part of the call
            it is an argument of.
        callee: Where the name stands.
    """

    start: int
    end: int
    told: int = 0
    name: str | None = None
    callee: int = 0


class Places:
    """The places of one file.

    Args:
        text: The file.
        calls: Nodes of its calls.
        functions: Nodes of its functions.
        patterns: Nodes of its patterns that take objects apart.
    """

    __slots__ = ("_callees", "_patterns", "_starts", "_text", "spans")

    def __init__(
        self,
        text: bytes = b"",
        calls: Iterable[Node] = (),
        functions: Iterable[Node] = (),
        patterns: Iterable[Node] = (),
    ) -> None:
        self._text = text
        spans = [span for span in map(_span, calls) if span is not None]
        self._callees = {span.callee: span.name for span in spans}
        spans += (Span(node.start_byte, node.end_byte) for node in functions)
        self.spans = sorted(spans)
        self._starts = [span.start for span in self.spans]
        self._patterns = [node.start_byte for node in patterns if not _is_of_loop(node)]

    def of_call(self, offset: int, called: str, *, is_called: bool = True) -> int:
        """Return where the call stands that the engine tells of by a byte.

        Args:
            offset: The byte.
            called: The name of the function that runs there.
            is_called: Something does run there; otherwise it only might, and go by that name.
        """
        if called and self._callees.get(offset) == called:
            return offset
        around = list(self._around(offset))
        named = next((span for span in around if called and span.name == called), None)
        if named is not None:
            return named.callee
        is_certain = is_called and len(around) == 1 and offset not in self._callees and not _is_unsaid(called)
        return around[0].callee if is_certain else offset

    def of_error(self, offset: int, name: str, message: str) -> int:
        """Return where an error happened that the engine tells of by a byte."""
        if message.endswith(_NO_CALL):
            return self.of_call(offset, "")
        if message == _NO_OBJECT:
            return self._pattern_after(offset)
        told = _NO_PROPERTY.fullmatch(message)
        if told is not None:
            steps = rb"[\w$]+(?:[^()\n;,]*\))?%b*?\s*\??\.\s*(%b)\b" % (_STEP, re.escape(told[1].encode()))
            found = re.compile(steps).match(self._text, offset, offset + _FARTHEST)
            return offset if found is None else found.start(1)
        return self.of_call(offset, name, is_called=False)

    def _pattern_after(self, offset: int) -> int:
        """Return where the first pattern after a byte begins that no other function fills."""
        index = bisect_right(self._patterns, offset)
        function = self._function_of(offset)
        after = self._patterns[index : index + _MOST_PATTERNS]
        return next((pattern for pattern in after if self._function_of(pattern) == function), offset)

    def _function_of(self, offset: int) -> int | None:
        """Return where the function begins in which a byte stands; None outside of any."""
        within = self._within(offset)
        return next((span.start for span in within if span.name is None), None)

    def _around(self, offset: int) -> Iterator[Span]:
        """Yield the calls in whose arguments a byte stands, the innermost first; an argument that is a function begins
        there and holds what is its own."""
        for span in self._within(offset):
            if span.name is not None:
                yield span
            elif span.start < offset:
                return

    def _within(self, offset: int) -> Iterator[Span]:
        for index in range(bisect_right(self._starts, offset) - 1, -1, -1):
            if self.spans[index].end > offset:
                yield self.spans[index]

    def over_lines(self) -> list[Span]:
        """Return the calls that the engine may tell of by another line than theirs, and what their arguments hold."""
        kept: list[Span] = []
        open: list[tuple[int, bool]] = []  # where the spans around end, and whether they are arguments of such a call
        for span in self.spans:
            while open and open[-1][0] <= span.start:
                open.pop()
            is_inside = bool(open) and open[-1][1]
            is_long = span.name is not None and self._text.find(b"\n", span.callee, span.told) >= 0
            if is_inside or is_long:
                kept.append(span)
            open.append((span.end, span.name is not None and (is_inside or is_long)))
        return kept


def _span(call: Node) -> Span | None:
    arguments = call.child_by_field_name("arguments")
    callee = call.child_by_field_name(_CALLS[call.type])
    if arguments is None or arguments.type != "arguments" or callee is None:
        return None
    if callee.type in _PARTS:
        callee = callee.child_by_field_name(_PARTS[callee.type]) or callee
    name = text_of(callee) if callee.type in _NAMES else ""
    start, end = arguments.start_byte, arguments.end_byte
    given = [argument for argument in arguments.named_children if argument.type != "comment"]
    noted = [argument.end_byte for argument in given if argument.type not in _NAMELESS]
    told = max(given[0].start_byte if given else end, *noted, 0)
    return Span(start, end, told, name, callee.start_byte)


def _is_of_loop(pattern: Node) -> bool:
    """Tell whether it is filled by a ``for ... of``, of which the engine tells by its list, in the same line."""
    return pattern.parent is not None and pattern.parent.type == "for_in_statement"


def _is_unsaid(name: str) -> bool:
    return name.startswith(_UNSAID) or name in _CALLED_UNSAID
