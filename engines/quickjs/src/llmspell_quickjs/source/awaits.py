"""``await`` where the grammar takes it for a name: before ``(``, ``[`` and a template, and at the end of a line.

The grammar knows no contexts, so it decides by what stands behind: ``await (f())`` without a semicolon is a call of a
function of that name to it. What is meant is plain from where it stands, and ``void`` is an operator of the same rank
and, with a space, of the same length: the file is parsed once more with that in its place.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from llmspell_quickjs.source.parsing import FUNCTIONS, Dialect, captures, parse

_NAMES = """((identifier) @name (#eq? @name "await"))"""
_DECLARED = re.compile(rb"\b(?:var|let|const|class|function\s*\*?)\s+await\b")
_OPERAND = re.compile(rb"await(?:\s|//[^\n]*\n|/\*.*?\*/)*[(\[`\w$'\"{!~\x80-\xff]", re.DOTALL)
_FIELDS = ("field_definition", "public_field_definition")
_STAND_IN = b"void "


def read_awaits(source: bytes, dialect: Dialect) -> tuple[Node, list[Node]]:
    """Parse a source.

    Returns:
        The tree, and those expressions in it that are to be read with ``await`` for the ``void`` they begin with.
    """
    root = parse(source, dialect)
    if b"await" not in source:
        return root, []
    is_name = _DECLARED.search(source) is not None
    meant = [
        node.start_byte
        for node in captures(root, dialect, _NAMES).get("name", ())
        if _OPERAND.match(source, node.start_byte) and _may_await(node, at_top=not is_name)
    ]
    if not meant:
        return root, []
    text = bytearray(source)
    for at in meant:
        text[at : at + len(_STAND_IN)] = _STAND_IN
    root = parse(bytes(text), dialect)
    wanted = set(meant)
    found = captures(root, dialect, "(unary_expression) @unary").get("unary", ())
    return root, [node for node in found if node.start_byte in wanted]


def _may_await(node: Node, *, at_top: bool) -> bool:
    """Tell whether a name stands in an async function, or in none if it may be an operator there."""
    up = node.parent
    while up is not None:
        if up.type in FUNCTIONS or up.type in _FIELDS:
            return any(child.type == "async" for child in up.children)
        up = up.parent
    return at_top
