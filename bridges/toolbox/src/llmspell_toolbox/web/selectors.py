"""CSS selectors in time that grows with the page and not with its depth.

Lexbor matches ``a b c`` by trying every ancestor for every part, which on a deep page takes for ever and cannot be
interrupted. So it is asked only which elements each single part fits; how the parts hang together is followed here,
down the tree, once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell.plugin import BridgeError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_SELECTOR = 500
MAX_PARTS = 16
_NAME = r"-?[A-Za-z_][A-Za-z0-9_-]*"
_VALUE = r"""(?:"[^"\\\n]*"|'[^'\\\n]*'|[A-Za-z0-9_./:-]+)"""
_SIMPLE = (
    rf"(?:[#.]{_NAME}|\[\s*{_NAME}\s*(?:[~|^$*]?=\s*{_VALUE}\s*(?:[iI]\s*)?)?\]|:(?:first-child|last-child|empty))"
)
_COMPOUND = re.compile(rf"(?:(?:{_NAME}|\*){_SIMPLE}*|{_SIMPLE}+)(?::not\((?:{_NAME}|{_SIMPLE})\))*")
_COMBINATOR = re.compile(r"\s*([>+~])\s*|\s+")


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a selector, and how it hangs on the part before it: ``" "``, ``">"``, ``"+"`` or ``"~"``."""

    combinator: str
    compound: str


def steps(selector: str) -> list[list[Step]]:
    """Read a list of selectors.

    Raises:
        BridgeError: ``invalid_selector``: what is none, and ``:has()``, ``:nth-child()`` and others whose time grows
            faster than the page.
    """
    if len(selector) > MAX_SELECTOR:
        raise _bad(selector, f"it is longer than {MAX_SELECTOR} characters")
    alternatives: list[list[Step]] = []
    place, combinator = 0, " "
    current: list[Step] = []
    text = selector.strip()
    while place < len(text):
        found = _COMPOUND.match(text, place)
        if found is None or not found[0]:
            raise _bad(selector, f"{text[place : place + 20]!r} cannot be used")
        current.append(Step(combinator, found[0]))
        place = found.end()
        between = re.compile(r"\s*,\s*").match(text, place)
        if between:
            alternatives.append(current)
            current, combinator, place = [], " ", between.end()
            continue
        joint = _COMBINATOR.match(text, place)
        if joint is not None:
            combinator, place = joint[1] or " ", joint.end()
        elif place < len(text):
            raise _bad(selector, f"{text[place : place + 20]!r} cannot be used")
    if not current or text[-1] in ">+~,":
        raise _bad(selector, "it ends too early")
    alternatives.append(current)
    if sum(map(len, alternatives)) > MAX_PARTS:
        raise _bad(selector, f"it has more than {MAX_PARTS} parts")
    return alternatives


def select(place: LexborHTMLParser | LexborNode, selector: str, most: int | None = None) -> list[LexborNode]:
    """Return what a selector fits, in the order of the page.

    Args:
        place: A page, or an element, which is not matched itself.
        most: How many are enough.

    Raises:
        BridgeError: ``invalid_selector``.
    """
    from selectolax.lexbor import LexborHTMLParser

    compiled = [_Alternative(place, parts) for parts in steps(selector)]
    start = place.root if isinstance(place, LexborHTMLParser) else place.child
    found: list[LexborNode] = []
    nothing = [(0, 0)] * len(compiled)
    # Where to go on: an element, and for each alternative what fits its ancestors and parent, and what fits the
    # element before it and all before it, as bits by part.
    stack = [(start, nothing, nothing)]
    while stack:
        node, above, before = stack.pop()
        while node is not None and not node.is_element_node:
            node = node.next
        if node is None:
            continue
        fits = [each.fits(node.mem_id, *above[i], *before[i]) for i, each in enumerate(compiled)]
        if any(fit & each.last for fit, each in zip(fits, compiled, strict=True)):
            found.append(node)
            if most is not None and len(found) >= most:
                break
        stack.append((node.next, above, [(fit, seen | fit) for fit, (_, seen) in zip(fits, before, strict=True)]))
        stack.append((node.child, [(over | fit, fit) for fit, (over, _) in zip(fits, above, strict=True)], nothing))
    return found


class _Alternative:
    """One selector of a list: which elements fit each of its parts."""

    def __init__(self, place: LexborHTMLParser | LexborNode, parts: list[Step]) -> None:
        self.parts = parts
        self.last = 1 << (len(parts) - 1)
        self.members = [{node.mem_id for node in place.css(part.compound)} for part in parts]

    def fits(self, node: int, ancestors: int, parent: int, previous: int, earlier: int) -> int:
        """Return, as bits, the parts up to which the selector fits an element."""
        made = 0
        for index, part in enumerate(self.parts):
            if node not in self.members[index]:
                continue
            if index == 0:
                made |= 1
                continue
            known = {" ": ancestors, ">": parent, "+": previous, "~": earlier}[part.combinator]
            if known >> (index - 1) & 1:
                made |= 1 << index
        return made


def _bad(selector: str, reason: str) -> BridgeError:
    return BridgeError(f"the selector {selector[:80]!r} cannot be used: {reason}", code="invalid_selector")
