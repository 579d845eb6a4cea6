"""What types values may have: a mask of possibilities for every variable, found by joining all it is assigned.

The analysis ignores the order of statements. It is optimistic: variables begin with no type and grow until nothing
changes, so a result covers every value a variable can hold while the program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llmspell_tengo.syntax import tree

INT, FLOAT, STR, BOOL, CHAR, ARR, MAP, UNDEF, FUNC, ERR, OTHER = (1 << bit for bit in range(11))
NUM = INT | FLOAT
TOP = (1 << 11) - 1
"""Anything. ``OTHER`` is bytes, times and everything immutable."""

_BUILTIN_RESULTS = {
    "len": INT,
    "append": ARR,
    "delete": UNDEF,
    "splice": ARR,
    "type_name": STR,
    "format": STR,
    "range": ARR,
    **dict.fromkeys(
        [
            "is_int",
            "is_float",
            "is_string",
            "is_bool",
            "is_char",
            "is_bytes",
            "is_array",
            "is_immutable_array",
            "is_map",
            "is_immutable_map",
            "is_iterable",
            "is_time",
            "is_error",
            "is_undefined",
            "is_function",
            "is_callable",
            "bool",
        ],
        BOOL,
    ),
}
_CONVERSIONS = {"string": STR, "int": INT, "float": FLOAT, "char": CHAR, "bytes": OTHER, "time": OTHER}

_ROUNDS = 25
"""More rounds than any chain of ten types needs in practice; past them every variable may hold anything."""


def _sum(left: int, right: int) -> int:
    result = 0
    if left & STR:
        result |= STR
    if left & INT:
        result |= right & (INT | FLOAT | CHAR)
    if left & FLOAT and right & NUM:
        result |= FLOAT
    if left & CHAR and right & (INT | CHAR):
        result |= CHAR
    if left & ARR and right & ARR:
        result |= ARR
    if left & OTHER and right & (OTHER | INT):
        result |= OTHER | ARR
    return result


def _difference(left: int, right: int) -> int:
    result = 0
    if left & INT:
        result |= right & (INT | FLOAT | CHAR)
    if left & FLOAT and right & NUM:
        result |= FLOAT
    if left & CHAR and right & (INT | CHAR):
        result |= CHAR
    if left & OTHER and right & (OTHER | INT):
        result |= OTHER | INT
    return result


def _product(left: int, right: int) -> int:
    result = 0
    if left & INT:
        result |= right & NUM
    if left & FLOAT and right & NUM:
        result |= FLOAT
    return result


def _truth(_left: int, _right: int) -> int:
    return BOOL


def _bits(_left: int, _right: int) -> int:
    return INT


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _product,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _truth),
    **dict.fromkeys(("%", "&", "|", "^", "&^", "<<", ">>"), _bits),
}


def type_of(node: tree.Expr) -> int:
    """Return the mask of types ``node`` may have; 0 where it cannot yield a value."""
    return _TYPES[type(node)](node)


def _ident(node: tree.Ident) -> int:
    return FUNC if node.symbol is None else node.symbol.type


def _chain(node: tree.Binary | tree.Logical) -> int:
    """Type a chain of operators from its left end, so that long ones need no recursion."""
    if node.type >= 0:
        return node.type
    spine: list[tree.Binary | tree.Logical] = [node]
    left = node.left
    while (type(left) is tree.Binary or type(left) is tree.Logical) and left.type < 0:
        spine.append(left)
        left = left.left
    mask = type_of(left)
    for link in reversed(spine):
        right = type_of(link.right)
        mask = _OPERATIONS[link.op](mask, right) if type(link) is tree.Binary else _logical(link.op, mask, right)
        link.type = mask
    return mask


def _logical(op: str, left: int, right: int) -> int:
    if op == "||":
        left &= ~(UNDEF | ERR)
    else:
        left &= ~FUNC
    return left | right


def _unary(node: tree.Unary) -> int:
    if node.op == "!":
        return BOOL
    mask = type_of(node.operand)
    if node.op == "+":
        return mask
    return mask & NUM if node.op == "-" else INT


def _index(node: tree.Index) -> int:
    base = type_of(node.base)
    return CHAR | UNDEF if base == STR else UNDEF if base == UNDEF else TOP if base else 0


def _slice(node: tree.Slice) -> int:
    base = type_of(node.base)
    return STR if base == STR else ARR if base == ARR else (STR | ARR | OTHER) if base else 0


def _call(node: tree.Call) -> int:
    callee = node.callee
    if type(callee) is tree.Ident:
        symbol = callee.symbol
        if symbol is None:
            return _builtin(callee.name, node)
        if symbol.literal is not None and not symbol.assigned:
            function = symbol.literal.function
            assert function is not None
            return function.result
    elif type(callee) is tree.Func and callee.function is not None:
        return callee.function.result
    return TOP


def _builtin(name: str, node: tree.Call) -> int:
    known = _BUILTIN_RESULTS.get(name)
    if known is not None:
        return known
    if name in _CONVERSIONS and not node.spread:
        mask = _CONVERSIONS[name]
        if len(node.args) == 1:
            given = type_of(node.args[0])
            if name == "string":
                return mask | (UNDEF if given & UNDEF else 0)
            if given and not given & ~mask:
                return mask
            return mask if name == "int" and not given & ~(INT | FLOAT | CHAR | BOOL) else mask | UNDEF
        return mask | type_of(node.args[1]) if len(node.args) == 2 else mask
    if name == "copy" and len(node.args) == 1 and not node.spread:
        mask = type_of(node.args[0])
        return mask | (ARR | MAP) if mask & OTHER else mask
    return TOP


def _immutable(node: tree.Immutable) -> int:
    mask = type_of(node.value)
    return (mask & ~(ARR | MAP)) | OTHER if mask & (ARR | MAP) else mask


_TYPES: dict[type, Callable[[Any], int]] = {
    tree.Ident: _ident,
    tree.Int: lambda _: INT,
    tree.Float: lambda _: FLOAT,
    tree.Char: lambda _: CHAR,
    tree.String: lambda _: STR,
    tree.Bool: lambda _: BOOL,
    tree.Undefined: lambda _: UNDEF,
    tree.Paren: lambda node: type_of(node.inner),
    tree.Unary: _unary,
    tree.Binary: _chain,
    tree.Logical: _chain,
    tree.Cond: lambda node: type_of(node.then) | type_of(node.other),
    tree.Index: _index,
    tree.Slice: _slice,
    tree.Call: _call,
    tree.Array: lambda _: ARR,
    tree.Map: lambda _: MAP,
    tree.Func: lambda _: FUNC,
    tree.Error: lambda _: ERR,
    tree.Immutable: _immutable,
    tree.Import: lambda _: TOP,
}

_KEYS = ((ARR, INT), (STR, INT), (MAP, STR), (OTHER, INT | STR))
_ELEMENTS = ((ARR, TOP), (STR, CHAR), (MAP, TOP), (OTHER, TOP))


def _source(source: Any) -> int:
    if type(source) is int:
        return source
    if type(source) is tuple:
        role, iterable = source
        of = type_of(iterable)
        mask = 0
        for container, part in _KEYS if role == "key" else _ELEMENTS:
            if of & container:
                mask |= part
        return mask
    return type_of(source)


def infer(functions: Iterable[Any], symbols: Iterable[Any], nodes: Iterable[tree.Binary | tree.Logical]) -> None:
    """Find the types of all variables and results.

    Args:
        functions: Every :class:`Function` of the program.
        symbols: Every :class:`Symbol`, with all its ``values``.
        nodes: Every operator node; their cached types are dropped before each round.
    """
    functions, symbols, nodes = list(functions), list(symbols), list(nodes)
    for _ in range(_ROUNDS):
        changed = False
        for node in nodes:
            node.type = -1
        for symbol in symbols:
            mask = symbol.type
            for source in symbol.values:
                mask |= _source(source)
            if mask != symbol.type:
                symbol.type = mask
                changed = True
        for function in functions:
            mask = function.result
            for value in function.returns:
                mask |= UNDEF if value is None else type_of(value)
            if function.falls:
                mask |= UNDEF
            if mask != function.result:
                function.result = mask
                changed = True
        if not changed:
            break
    else:
        for symbol in symbols:
            symbol.type = TOP
        for function in functions:
            function.result = TOP
    for node in nodes:
        node.type = -1
