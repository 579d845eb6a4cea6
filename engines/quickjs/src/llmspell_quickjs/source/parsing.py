"""The parsers: tree-sitter's grammars for JavaScript and TypeScript, loaded when a source needs them.

A real parser is what makes rewriting safe: regular expressions cannot tell a module statement from the same words in
a template, a comment or a regular expression literal.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

from tree_sitter import Language, Node, Parser, Query, QueryCursor

Dialect = Literal["javascript", "typescript"]

FUNCTIONS = (
    "function_declaration", "function_expression", "generator_function", "generator_function_declaration",
    "arrow_function", "method_definition", "class_static_block",
)  # fmt: skip
"""Nodes whose body is not the module's own: ``await`` and ``return`` inside belong to them. So it is with fields."""

_COMMON = """
(await_expression) @await
(for_in_statement "await") @for_await
(call_expression function: (import) @import)
(return_statement) @return
(meta_property) @meta
[(import_statement) (export_statement)] @module_statement
(decorator) @decorator
[(call_expression) (new_expression)] @call
(object_pattern) @pattern
"""
_ACCESSOR = '(public_field_definition "accessor" @accessor)\n'


@cache
def _language(dialect: Dialect) -> Language:
    if dialect == "typescript":
        import tree_sitter_typescript

        return Language(tree_sitter_typescript.language_typescript())
    import tree_sitter_javascript

    return Language(tree_sitter_javascript.language())


@cache
def _query(dialect: Dialect, text: str) -> Query:
    return Query(_language(dialect), text)


def parse(text: bytes, dialect: Dialect) -> Node:
    """Parse; a text with errors gives a tree with ``ERROR`` nodes in it, never an exception."""
    return Parser(_language(dialect)).parse(text).root_node


def captures(root: Node, dialect: Dialect, text: str) -> dict[str, list[Node]]:
    """Run a query over a tree; nodes by capture name, in source order."""
    found = QueryCursor(_query(dialect, text)).captures(root)
    return {name: sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte)) for name, nodes in found.items()}


def first_error(root: Node) -> int:
    """Return where the first thing stands that the parser found no sense in."""
    node = root
    while not node.is_error and not node.is_missing:
        inner = next((child for child in node.children if child.has_error), None)
        if inner is None:
            break
        node = inner
    return node.start_byte


def landmarks(root: Node, dialect: Dialect) -> dict[str, list[Node]]:
    """Find what decides how a module is run, and where things happen in it.

    ``await``, ``return``, ``import()``, ``import.meta``, functions, calls, patterns that take objects apart.
    """
    field = "field_definition" if dialect == "javascript" else "public_field_definition"
    functions = f"[{' '.join(f'({name})' for name in (*FUNCTIONS, field))}] @function"
    odd = "[(jsx_element) (jsx_self_closing_element)] @jsx\n" if dialect == "javascript" else _ACCESSOR
    using = '(using_declaration kind: "await") @using\n' if dialect == "javascript" else ""
    return captures(root, dialect, _COMMON + using + odd + functions)


def child_of_type(node: Node, *types: str) -> Node | None:
    """Return the first child of one of the types."""
    return next((child for child in node.children if child.type in types), None)


def end_of(node: Node) -> int:
    """Return the byte behind an expression's last token: the parser has a body take in the comment that follows it."""
    while node.children:
        last = next((child for child in reversed(node.children) if child.type != "comment"), None)
        if last is None:
            break
        node = last
    return node.end_byte


def text_of(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def string_value(node: Node) -> str:
    """Return the text a string literal stands for."""
    parts: list[str] = []
    for child in node.named_children:
        parts.append(_escape(text_of(child)) if child.type == "escape_sequence" else text_of(child))
    return "".join(parts)


_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def _escape(text: str) -> str:
    body = text[1:]
    if body[:1] == "u":
        digits = body[2:-1] if body[1:2] == "{" else body[1:]
        return chr(int(digits, 16))
    if body[:1] == "x":
        return chr(int(body[1:], 16))
    if body in ("\n", "\r\n"):
        return ""
    return _SIMPLE.get(body, body)


def bound_names(pattern: Node) -> Iterator[str]:
    """Yield the names a binding pattern (an identifier, ``{a, b: c}``, ``[d = 1, ...e]``) declares."""
    kind = pattern.type
    if kind in ("identifier", "shorthand_property_identifier_pattern"):
        yield text_of(pattern)
    elif kind == "pair_pattern":
        value = pattern.child_by_field_name("value")
        if value is not None:
            yield from bound_names(value)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        left = pattern.child_by_field_name("left")
        if left is not None:
            yield from bound_names(left)
    else:
        for child in pattern.named_children:
            yield from bound_names(child)
