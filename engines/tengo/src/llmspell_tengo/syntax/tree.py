"""The syntax tree. Nodes carry the offset they start at as the reference reports it, see ``pos``.

The start of a unary expression is its operand's, the start of anything with a left part is that part's: this is
where the reference puts its errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_tengo.compiler.symbols import Function, Loop, Symbol


@dataclass(slots=True, eq=False)
class Node:
    pos: int


@dataclass(slots=True, eq=False)
class Expr(Node):
    pass


@dataclass(slots=True, eq=False)
class Bad(Expr):
    """Stands where the parser found no expression; a tree that holds one is never used."""


@dataclass(slots=True, eq=False)
class Ident(Expr):
    """``symbol`` is None for the name of a builtin function."""

    name: str
    symbol: Symbol | None = None


@dataclass(slots=True, eq=False)
class Int(Expr):
    value: int
    text: str


@dataclass(slots=True, eq=False)
class Float(Expr):
    value: float
    text: str


@dataclass(slots=True, eq=False)
class Bool(Expr):
    value: bool


@dataclass(slots=True, eq=False)
class Char(Expr):
    value: int
    text: str


@dataclass(slots=True, eq=False)
class String(Expr):
    """``text`` is the literal as written, or the bare name of a selector."""

    value: bytes
    text: str


@dataclass(slots=True, eq=False)
class Undefined(Expr):
    pass


@dataclass(slots=True, eq=False)
class Paren(Expr):
    inner: Expr


@dataclass(slots=True, eq=False)
class Unary(Expr):
    op: str
    operand: Expr


@dataclass(slots=True, eq=False)
class Binary(Expr):
    """Arithmetic, bits and comparison."""

    op: str
    left: Expr
    right: Expr
    type: int = -1


@dataclass(slots=True, eq=False)
class Logical(Expr):
    """``&&`` and ``||``, which yield an operand."""

    op: str
    left: Expr
    right: Expr
    type: int = -1


@dataclass(slots=True, eq=False)
class Cond(Expr):
    test: Expr
    then: Expr
    other: Expr


@dataclass(slots=True, eq=False)
class Index(Expr):
    """``base[index]``, or ``base.name`` with ``dotted`` and a String as index."""

    base: Expr
    index: Expr
    dotted: bool


@dataclass(slots=True, eq=False)
class Slice(Expr):
    base: Expr
    low: Expr | None
    high: Expr | None


@dataclass(slots=True, eq=False)
class Call(Expr):
    callee: Expr
    args: list[Expr]
    spread: bool


@dataclass(slots=True, eq=False)
class Array(Expr):
    items: list[Expr]


@dataclass(slots=True, eq=False)
class Map(Expr):
    keys: list[bytes]
    names: list[str]
    values: list[Expr]


@dataclass(slots=True, eq=False)
class Func(Expr):
    params: list[Ident]
    variadic: bool
    body: Block
    function: Function | None = None


@dataclass(slots=True, eq=False)
class Error(Expr):
    value: Expr


@dataclass(slots=True, eq=False)
class Immutable(Expr):
    value: Expr


@dataclass(slots=True, eq=False)
class Import(Expr):
    """``module`` is what the resolver found under the name."""

    name: str
    module: Any = None


@dataclass(slots=True, eq=False)
class Stmt(Node):
    pass


@dataclass(slots=True, eq=False)
class Empty(Stmt):
    implicit: bool


@dataclass(slots=True, eq=False)
class ExprStmt(Stmt):
    expr: Expr


@dataclass(slots=True, eq=False)
class Assign(Stmt):
    """``=``, ``:=`` and the like.

    ``more`` holds the further targets and values of a tuple, which is an error. ``compound`` is the operation that
    ``+=`` and the like perform.
    """

    op: str
    target: Expr
    value: Expr
    more: tuple[list[Expr], list[Expr]] | None = None
    compound: Binary | None = None


@dataclass(slots=True, eq=False)
class Step(Stmt):
    """``++`` and ``--``."""

    op: str
    target: Expr
    one: Int
    compound: Binary | None = None


@dataclass(slots=True, eq=False)
class Block(Stmt):
    body: list[Stmt]


@dataclass(slots=True, eq=False)
class If(Stmt):
    init: Stmt | None
    test: Expr
    then: Block
    other: If | Block | None


@dataclass(slots=True, eq=False)
class For(Stmt):
    init: Stmt | None
    test: Expr | None
    post: Stmt | None
    body: Block
    loop: Loop | None = None


@dataclass(slots=True, eq=False)
class ForIn(Stmt):
    key: Ident
    value: Ident
    iterable: Expr
    body: Block
    loop: Loop | None = None


@dataclass(slots=True, eq=False)
class Branch(Stmt):
    """``break`` and ``continue``; a label parses and means nothing."""

    word: str
    label: str


@dataclass(slots=True, eq=False)
class Return(Stmt):
    value: Expr | None


@dataclass(slots=True, eq=False)
class Export(Stmt):
    value: Expr
