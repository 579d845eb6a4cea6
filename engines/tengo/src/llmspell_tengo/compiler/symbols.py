"""What the resolver learns about names, functions and loops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from llmspell_tengo.syntax.tree import Call, Expr, Func, Ident, Import

TypeSource: TypeAlias = "Expr | int | tuple[str, Expr]"
"""Where a variable's type comes from: an expression, a type mask, or ("key" | "value", iterable)."""


@dataclass(slots=True, eq=False)
class Symbol:
    """One variable.

    Attributes:
        owner: The function it lives in.
        scope: Number of the block it was defined in, to tell a redefinition.
        captured: A function inside its owner uses it.
        assigned: How often it is assigned after its definition.
        escapes: It is used as a value, not only called.
        grows: ``x = append(x, ...)`` occurs, so it may own an array that is extended in place.
        literal: The function literal it is defined as.
        module: The import it is defined as.
        calls: The calls that name it as callee.
        values: What it is assigned, for the types.
        type: Mask of the types it may hold.
        raw: It is a function that is only ever called directly with the right number of arguments, so it needs no
            hidden argument count.
        positive: It counts a loop upwards from a positive number.
        lua: How the emitted program names it; ``""`` until it is declared.
    """

    name: str
    owner: Function
    scope: int
    captured: bool = False
    assigned: int = 0
    escapes: bool = False
    grows: bool = False
    literal: Func | None = None
    module: Import | None = None
    calls: list[Call] = field(default_factory=list)
    values: list[TypeSource] = field(default_factory=list)
    type: int = 0
    raw: bool = False
    positive: bool = False
    lua: str = ""


@dataclass(slots=True, eq=False)
class Function:
    """A function literal, a module's body or the main program.

    Attributes:
        main: The main program, whose variables are the program's globals.
        symbol: The variable it is bound to by its definition.
        params: Its parameters' variables.
        free: Variables of enclosing functions that it or a function inside it uses.
        calls: It calls something that may run script code, so its entry must count.
        loops: It has loops.
        returns: What it returns; None for a bare ``return``.
        falls: It may end without a return.
        result: Mask of the types it may return.
    """

    parent: Function | None
    main: bool = False
    symbol: Symbol | None = None
    params: list[Symbol] = field(default_factory=list)
    variadic: bool = False
    free: dict[Symbol, None] = field(default_factory=dict)
    calls: bool = False
    loops: bool = False
    returns: list[Expr | None] = field(default_factory=list)
    falls: bool = True
    result: int = 0


@dataclass(slots=True, eq=False)
class Loop:
    """What happens inside a loop's body, functions defined there included.

    Attributes:
        calls: Something is called that may run script code or change an array's length.
        nests: There is another loop inside.
    """

    function: Function
    assigned: set[Symbol] = field(default_factory=set)
    calls: bool = False
    nests: bool = False


def is_append_to(value: Expr, symbol: Symbol) -> TypeGuard[Call]:
    """Tell whether ``value`` is ``append(x, item)`` for the variable ``x``."""
    return (
        type(value) is Call
        and type(value.callee) is Ident
        and value.callee.name == "append"
        and value.callee.symbol is None
        and len(value.args) == 2
        and not value.spread
        and type(value.args[0]) is Ident
        and value.args[0].symbol is symbol
    )
