"""The ground floor of the emitter: kinds of nodes, lines and the places they stand for, names, local variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from llmspell_tengo.compiler.options import CompileOptions
from llmspell_tengo.compiler.symbols import Function, Symbol
from llmspell_tengo.syntax import tree

OR, AND, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, CONCAT, SUM, PRODUCT, PREFIX = 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12
INDEX = 18
"""Indexing: a suffix may follow, but an operator on a new line must not, for Lua would report the operator's line."""
ATOM = 19
"""Literals and constructors: an operator may follow, a suffix must not."""
NAME = 20
"""Names: anything may follow."""
CALL = 21
"""Calls: like names, and they are statements too. They may yield no value at all, which Lua's C functions mind."""

Code = tuple[str, int]
"""Lua text of an expression and how tightly it binds."""

ExpressionTable = Mapping[type, Callable[[Any, Any], Code]]
StatementTable = Mapping[type, Callable[[Any, Any], None]]
"""What emits each kind of node: methods, called with the writer and the node."""


def takes_suffix(level: int) -> bool:
    """Tell whether an index or a call may follow a text of this level."""
    return level == INDEX or level >= NAME


LUA_WORDS = frozenset(
    [
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "goto",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    ]
)
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
_PLAIN_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")

MOST_LOCALS = 150
"""Local variables of one Lua function before further ones go to a table; Lua's limit is 200."""
COMFORTABLE_LOCALS = 110
"""Up to here loops may use the forms that need several hidden local variables."""
MOST_HELPERS = 90
"""Runtime functions that get a local name of their own; Lua's limit is 255 upvalues a function."""
MOST_CAPTURED = 60
"""Variables of one function that inner functions use, before further ones go to a table, for the same reason."""

MARK_OPEN, MARK_CLOSE = "\x01", "\x02"


@dataclass(slots=True)
class Block:
    """A Lua block: how many locals were alive when it began, and the table its surplus variables live in."""

    live: int
    spill: str = ""
    spilled: int = 0


@dataclass(slots=True)
class Frame:
    """A Lua function being written.

    Attributes:
        live: Local variables alive at this point.
        captured: How many of its variables that inner functions use have become locals.
        counters: Names of the counters of the while-like loops around this point.
    """

    function: Function
    live: int = 0
    captured: int = 0
    blocks: list[Block] = field(default_factory=list)
    counters: list[str] = field(default_factory=list)


class Writer:
    """Collects the program's text. Statements go to ``out``; expressions are returned as :data:`Code`.

    Which method emits a kind of node stands in two tables, to which each layer adds the kinds it knows: so a lower
    layer reaches a higher one without naming it.
    """

    EXPRESSIONS: ClassVar[ExpressionTable] = {}
    STATEMENTS: ClassVar[StatementTable] = {}

    def __init__(self, options: CompileOptions) -> None:
        self.options = options
        self.optimise = options.optimise and not options.count_allocs
        self.out: list[str] = []
        self.places: list[tuple[int, int, str]] = []
        self._place_ids: dict[tuple[int, int, str], str] = {}
        self.helpers: dict[str, str] = {}
        self.unit = 0
        self.serial = 0
        self.frame: Frame
        self.inline = 0
        """Above 0 no statement may be written before the expression that is being emitted."""

    # Nodes ----------------------------------------------------------------------------------------------

    def expr(self, node: tree.Expr) -> Code:
        return self.EXPRESSIONS[type(node)](self, node)

    def statements(self, body: list[tree.Stmt]) -> None:
        emitters = self.STATEMENTS
        for node in body:
            emitters[type(node)](self, node)

    # Places ---------------------------------------------------------------------------------------------

    def mark(self, pos: int, tag: str = "") -> str:
        """Return a line break whose new line stands for ``pos`` of the current file.

        ``tag`` tells what the line does, where the error's text depends on it: a comparison's operator, or
        ``"set"`` for an assignment through selectors.
        """
        key = (self.unit, pos, tag)
        text = self._place_ids.get(key)
        if text is None:
            text = f"{MARK_OPEN}{len(self.places)}{MARK_CLOSE}"
            self._place_ids[key] = text
            self.places.append(key)
        return text

    def finish(self, text: str) -> tuple[str, list[int]]:
        """Turn marks into line breaks; return the text and, for each line from 1, the index of its place."""
        pieces = text.split(MARK_OPEN)
        lines = [-1]
        parts = [pieces[0].replace("\n", " ")]
        for piece in pieces[1:]:
            number, rest = piece.split(MARK_CLOSE, 1)
            lines.append(int(number))
            parts.append(rest.replace("\n", " "))
        return "\n".join(parts), lines

    # Names ----------------------------------------------------------------------------------------------

    def helper(self, name: str) -> str:
        """Return how to refer to the runtime's ``name``.

        ``"math.sqrt"`` is a member of a runtime module, ``"char:65"`` a character.
        """
        known = self.helpers.get(name)
        if known is None:
            if len(self.helpers) < MOST_HELPERS:
                known = "r_" + name.replace(".", "_").replace(":", "")
            else:
                known = self.helper_path(name)
            self.helpers[name] = known
        return known

    @staticmethod
    def helper_path(name: str) -> str:
        module, _, member = name.rpartition(".")
        if module:
            return f'R.members.{module}["{member}"]'
        return f"R.chars[{name[5:]}]" if name.startswith("char:") else f"R.{name}"

    def fresh(self, stem: str = "") -> str:
        self.serial += 1
        return f"{stem}_{self.serial}"

    def variable(self, symbol: Symbol) -> str:
        stem = _UNSAFE.sub("", symbol.name)[:20]
        return self.fresh(stem if stem[:1].isalpha() else f"v{stem}")

    @staticmethod
    def quote(value: bytes) -> str:
        """Write a Lua string literal."""
        out = []
        for byte in value:
            if byte in (34, 92):
                out.append("\\" + chr(byte))
            elif 32 <= byte < 127:
                out.append(chr(byte))
            else:
                out.append(f"\\{byte:03d}")
        return '"' + "".join(out) + '"'

    @staticmethod
    def is_field(name: bytes) -> bool:
        """Tell whether Lua can write ``.name``."""
        return _PLAIN_NAME.fullmatch(name) is not None and name.decode() not in LUA_WORDS

    # Local variables ------------------------------------------------------------------------------------

    def open_block(self) -> None:
        self.frame.blocks.append(Block(self.frame.live))

    def close_block(self) -> None:
        self.frame.live = self.frame.blocks.pop().live

    def temporary(self, text: str) -> str:
        """Keep a value where the emitted program finds it again; return its name."""
        if self.frame.live >= MOST_LOCALS:
            name = self._spilled()
            self.out.append(f"{name}={text}")
            return name
        name = self.fresh()
        self.frame.live += 1
        self.out.append(f"local {name}={text}")
        return name

    def declare(self, symbol: Symbol) -> bool:
        """Give a variable its Lua name; return whether ``local`` must introduce it."""
        if symbol.lua:
            return False
        frame = self.frame
        crowded = frame.live >= MOST_LOCALS
        if symbol.captured:
            crowded = crowded or frame.captured >= MOST_CAPTURED
            frame.captured += 1
        if not crowded:
            symbol.lua = self.variable(symbol)
            frame.live += 1
            return True
        symbol.lua = self._spilled()
        return False

    def _spilled(self) -> str:
        """Return a new place in the table that holds what Lua has no local variables left for."""
        block = self.frame.blocks[-1]
        if not block.spill:
            block.spill = self.fresh("S")
            self.out.append(f"local {block.spill}={{}}")
            self.frame.live += 1
        block.spilled += 1
        return f"{block.spill}[{block.spilled}]"
