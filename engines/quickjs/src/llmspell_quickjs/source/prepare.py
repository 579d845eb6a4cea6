"""``prepare``: one author's file, made into the text of one function."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from llmspell_quickjs.source.awaits import read_awaits
from llmspell_quickjs.source.completion import RESULT, return_completion
from llmspell_quickjs.source.edits import Edits
from llmspell_quickjs.source.modules import HELPER, ModuleSyntax, Request, refuse_nested, rewrite_modules
from llmspell_quickjs.source.parsing import Dialect, bound_names, end_of, first_error, landmarks, text_of
from llmspell_quickjs.source.places import Places, Span
from llmspell_quickjs.source.refused import Refused
from llmspell_quickjs.source.typescript import erase_types

__all__ = ["HELPER", "MAIN_FUNCTION", "Prepared", "Request", "Role", "dialect_of", "prepare"]

MAIN_FUNCTION = "__llmspell_file"
"""The function a file becomes; in a stack it stands for the file's own top level."""

Role = Literal["main", "module"]
_TYPESCRIPT = (".ts", ".mts", ".cts")
_STRICT = re.compile(rb"""\s*(?:(?://[^\n]*|/\*.*?\*/)\s*)*(['"])use strict\1""", re.DOTALL)
_LONE_CR = re.compile(rb"\r(?!\n)")
"""The end of a line as it once was: the engine counts it, nobody else does; in a text it is read as a line feed."""

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ANY_NAME = frozenset({"eval", "Function", "globalThis", "constructor"})
_EXCERPT = 60
_NOT_SPOKEN = {
    "decorator": "decorators are not supported; call the function instead: const Bee = decorate(class { ... })",
    "jsx": "JSX is not supported; texts are made with templates: `<p>${text}</p>`",
    "accessor": "'accessor' is not supported; write get and set",
}
"""Syntax that the parsers know and the engine does not."""

_COMMONJS = ("require", "module", "exports")
_LEXICAL = frozenset({"lexical_declaration", "using_declaration", "class_declaration", "abstract_class_declaration"})


def dialect_of(name: str) -> Dialect:
    """Tell the dialect from a file's name."""
    return "typescript" if name.endswith(_TYPESCRIPT) else "javascript"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file ready to be compiled by the VM.

    Attributes:
        name: What errors call the file.
        text: A function expression; its lines are those of the file.
        head: What of the text stands before the file.
        edits: The way back to the author's columns.
        places: Where things happen that the engine tells of by another place.
        is_async: It awaits at its top level.
        is_module: It uses ``import`` or ``export``.
        odd: Where the parser found no sense in it, if so; the engine has the last word on that.
        requests: Modules it imports statically.
        stars: Which of them it exports again as they are.
        waits: Every ``await`` of the file: line, column and text of what it waits for.
        stray: Where the first ``await`` stands that is in a function that is not async, if there is one: an error, or
            a variable of that name. The engine has the last word on that too.
        words: Every name that occurs in it, in whatever role.
        long_calls: For each call of several lines, and what its arguments hold: line and column (from 0, in bytes)
            where the arguments begin and end, the name, None for a function, and its line and column; the column once
            more, in characters from 1.
    """

    name: str
    text: str
    head: str
    edits: Edits
    places: Places
    is_async: bool = False
    is_module: bool = False
    odd: int | None = None
    requests: tuple[Request, ...] = ()
    stars: tuple[int, ...] = ()
    waits: tuple[tuple[int, int, str], ...] = ()
    stray: tuple[int, int] | None = None
    words: frozenset[str] = frozenset()
    long_calls: tuple[tuple[int | str | None, ...], ...] = ()

    @property
    def may_mention_any(self) -> bool:
        """Tell whether the file may look up a global by a name that does not stand in it."""
        return not self.words.isdisjoint(_ANY_NAME)

    @property
    def method_head(self) -> str:
        """The head of :attr:`as_method`."""
        return "({" + self.head[1:].replace("function ", "", 1)

    @property
    def as_method(self) -> str:
        """The text as a method of an object instead: its braces must close at the same place for both to parse."""
        return self.method_head + self.text[len(self.head) : -1] + "})"


def prepare(name: str, text: str, role: Role, dialect: Dialect | None = None) -> Prepared:
    """Rewrite a source so that it is the body of one function with every line in its place.

    The function takes the helper that rewritten code talks to, then ``require``, ``module`` and ``exports``. For
    ``main`` it returns the value of a top-level ``return`` or else the completion value.

    Raises:
        Refused: It parses and cannot be run: TypeScript that needs more than erasing types, a name exported twice.
    """
    dialect = dialect or dialect_of(name)
    source = _LONE_CR.sub(b"\n", text.encode("utf-8", "surrogatepass"))
    edits = Edits(source)
    if source.startswith(b"#!"):
        edits.replace(0, 2, "//")
    if role == "module" and name.endswith(".json"):
        return _json(name, source)
    root, operators = read_awaits(source, dialect)
    if dialect == "typescript":
        erase_types(root, edits)
    syntax = rewrite_modules(root, edits)
    marks = landmarks(root, dialect)
    if operators:
        marks["await"] = sorted([*marks.get("await", ()), *operators], key=lambda node: node.start_byte)
    refuse_nested(marks.get("module_statement", ()))
    for kind, why in _NOT_SPOKEN.items():
        for node in marks.get(kind, ()):
            if not node.has_error:
                raise Refused(why, node.start_byte)
    words = frozenset(_WORD.findall(text))
    strays = _strays(marks)
    for kind in ("await", "for_await"):
        marks[kind] = [node for node in marks.get(kind, ()) if node.start_byte not in strays]
    functions = _outermost(marks.get("function", ()))
    top_awaits = [n for n in _awaiting(marks) if not _inside(n, functions)]
    waits = _watch_awaits(marks, edits)
    for node in marks.get("import", ()):
        edits.replace(node.start_byte, node.end_byte, f"{HELPER}.import")
    for node in marks.get("meta", ()):
        if text_of(node).startswith("import"):
            edits.replace(node.start_byte, node.end_byte, f"{HELPER}.meta")
    picks_up = role == "main" and not syntax.has_default and return_completion(root, edits)
    strict = syntax.is_module or _STRICT.match(source) is not None
    own = _declared(root) | syntax.imported if not words.isdisjoint(_COMMONJS) else frozenset()
    head = _head(bool(top_awaits), strict, syntax, picks_up, own)
    tail = f"\n;return {RESULT}}})" if picks_up else "\n})"
    edits.insert(0, head, rank=-2)
    body = edits.apply().decode("utf-8", "surrogatepass")
    places = Places(source, *(marks.get(kind, ()) for kind in ("call", "function", "pattern")))
    return Prepared(
        name,
        body + tail,
        head,
        edits,
        places,
        is_async=bool(top_awaits),
        is_module=syntax.is_module,
        odd=first_error(root) if root.has_error else None,
        requests=tuple(syntax.requests),
        stars=tuple(syntax.stars),
        waits=tuple(waits),
        stray=edits.place(min(strays)) if strays else None,
        words=words,
        long_calls=tuple(_told(call, edits) for call in places.over_lines()),
    )


def _told(call: Span, edits: Edits) -> tuple[int | str | None, ...]:
    spot = edits.spot
    return (*spot(call.start), *spot(call.end), call.name, *spot(call.callee), edits.place(call.callee)[1])


def _parameters(own: Set[str] = frozenset()) -> str:
    """List the parameters of a file's function; one the file declares itself gets out of its way."""
    return ",".join((HELPER, *(f"{HELPER}_{name}" if name in own else name for name in _COMMONJS)))


def _declared(root: Node) -> set[str]:
    """Return the names that stand for nothing else in the file: its own constants, variables by ``let`` and classes."""
    names: set[str] = set()
    for node in root.children:
        declaration = node.child_by_field_name("declaration") if node.type == "export_statement" else node
        if declaration is None or declaration.type not in _LEXICAL:
            continue
        for part in (declaration, *declaration.named_children):
            pattern = part.child_by_field_name("name")
            if pattern is not None:
                names.update([text_of(pattern)] if pattern.type == "type_identifier" else bound_names(pattern))
    return names


def _head(is_async: bool, strict: bool, syntax: ModuleSyntax, picks_up: bool, own: Set[str]) -> str:
    keyword = "async function" if is_async else "function"
    directive = '"use strict";' if strict else ""
    result = f"let {RESULT};" if picks_up else ""
    return f"({keyword} {MAIN_FUNCTION}({_parameters(own)}){{{directive}{syntax.prologue}{result}"


def _json(name: str, source: bytes) -> Prepared:
    edits = Edits(source)
    head = f"(function {MAIN_FUNCTION}({_parameters()}){{module.exports=("
    edits.insert(0, head, rank=-2)
    text = edits.apply().decode("utf-8", "surrogatepass") + "\n)})"
    return Prepared(name, text, head, edits, Places())


def _awaiting(marks: dict[str, list[Node]]) -> list[Node]:
    return [*marks.get("await", ()), *marks.get("for_await", ()), *marks.get("using", ())]


def _strays(marks: dict[str, list[Node]]) -> set[int]:
    """Return where ``await`` stands in a function (or a field of a class) that is not async."""
    strays: set[int] = set()
    functions = marks.get("function", [])
    around: list[Node] = []
    at = 0
    for node in sorted(_awaiting(marks), key=lambda node: node.start_byte):
        while at < len(functions) and functions[at].start_byte <= node.start_byte:
            around.append(functions[at])
            at += 1
        while around and around[-1].end_byte <= node.start_byte:
            around.pop()
        if around and not any(child.type == "async" for child in around[-1].children):
            strays.add(node.start_byte)
    return strays


def _outermost(functions: list[Node] | tuple[()]) -> list[tuple[int, int]]:
    """Keep the functions that stand in no other; they are in source order."""
    out: list[tuple[int, int]] = []
    for node in functions:
        if not out or node.start_byte >= out[-1][1]:
            out.append((node.start_byte, node.end_byte))
    return out


def _inside(node: Node, spans: list[tuple[int, int]]) -> bool:
    index = bisect_right(spans, (node.start_byte, 1 << 62)) - 1
    return index >= 0 and node.start_byte < spans[index][1]


def _watch_awaits(marks: dict[str, list[Node]], edits: Edits) -> list[tuple[int, int, str]]:
    """Note at every ``await`` what it waits for, so that a run that waits for ever can say for what."""
    waits: list[tuple[int, int, str]] = []
    for node in marks.get("await", ()):
        operand = node.named_children[-1] if node.named_children else None
        if operand is None or operand.type == "comment" or node.has_error:
            continue
        edits.insert(node.start_byte, f"{HELPER}.open(")
        edits.insert(operand.start_byte, f"{HELPER}.wait({len(waits)},")
        edits.insert(end_of(operand), "))")
        text = edits.text[node.start_byte : node.end_byte].decode("utf-8", "replace")
        waits.append((*edits.place(node.start_byte), _excerpt(text)))
    for node in marks.get("for_await", ()):
        iterated = node.child_by_field_name("right")
        if iterated is not None and not node.has_error:
            edits.insert(iterated.start_byte, f"{HELPER}.each({len(waits)},")
            edits.insert(end_of(iterated), ")")
            waits.append((*edits.place(node.start_byte), _excerpt(f"for await (... of {text_of(iterated)})")))
    return waits


def _excerpt(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 3] + "..."
