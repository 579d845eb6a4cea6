"""A small tree-walking evaluator of Tengo, which the compiler is checked against. It knows nothing of Lua.

It follows the documented deviations of ours: maps in the order of their keys, append and slices that always copy,
a function that equals itself, integers compared with floats exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llmspell_tengo.syntax import SourceFile, parse, tree

MOST_STEPS = 20_000


class Fault(Exception):
    """The program failed."""

    def __init__(self, message: str, pos: int) -> None:
        super().__init__(message)
        self.pos = pos


class TooLong(Exception):
    """The program takes more steps than are worth it."""


class Budget:
    """What a program may still do."""

    left = 0

    @classmethod
    def spend(cls, amount: int = 1) -> None:
        cls.left -= amount
        if cls.left < 0:
            raise TooLong


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass(eq=False)
class Char:
    code: int


@dataclass(eq=False)
class Array:
    items: list[Any]
    frozen: bool = False


@dataclass(eq=False)
class Map:
    items: dict[bytes, Any]
    frozen: bool = False


@dataclass(eq=False)
class Err:
    value: Any


@dataclass(eq=False)
class Function:
    node: tree.Func
    scope: Scope


@dataclass(eq=False)
class Builtin:
    name: str
    call: Callable[..., Any]


class Cell:
    __slots__ = ("value",)

    def __init__(self, value: Any = None) -> None:
        self.value = value


@dataclass(eq=False)
class Scope:
    """A block; ``shared`` holds the cells of the main program's variables by where they are defined."""

    outer: Scope | None
    shared: dict[int, Cell] | None
    names: dict[str, Cell] = field(default_factory=dict)

    def find(self, name: str) -> Cell | None:
        scope: Scope | None = self
        while scope is not None:
            cell = scope.names.get(name)
            if cell is not None:
                return cell
            scope = scope.outer
        return None

    def define(self, name: str, node: tree.Node) -> Cell:
        cell = Cell() if self.shared is None else self.shared.setdefault(id(node), Cell())
        self.names[name] = cell
        return cell

    def inner(self) -> Scope:
        return Scope(self, self.shared)


def type_name(value: Any) -> str:
    if value is None:
        return "undefined"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Array):
        return "immutable-array" if value.frozen else "array"
    if isinstance(value, Map):
        return "immutable-map" if value.frozen else "map"
    if isinstance(value, Builtin):
        return f"builtin-function:{value.name}"
    names = {int: "int", float: "float", bytes: "string", Char: "char", Err: "error", Function: "compiled-function"}
    return names[type(value)]


def truthy(value: Any) -> bool:
    if value is None or isinstance(value, Err):
        return False
    if isinstance(value, float):
        return not math.isnan(value)
    if isinstance(value, (bool, int, bytes)):
        return bool(value)
    if isinstance(value, Char):
        return value.code != 0
    if isinstance(value, (Array, Map)):
        return bool(value.items)
    return True


def wrap(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def _char(code: int) -> Char:
    return Char((code + 2**31) % 2**32 - 2**31)


def char_text(char: Char) -> bytes:
    valid = 0 <= char.code < 0x110000 and not 0xD800 <= char.code < 0xE000
    return (chr(char.code) if valid else "\ufffd").encode()


def float_text(value: float) -> bytes:
    if math.isnan(value):
        return b"NaN"
    if math.isinf(value):
        return b"+Inf" if value > 0 else b"-Inf"
    text = format(Decimal(repr(value)), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).encode()


def quoted(text: bytes) -> bytes:
    Budget.spend(len(text) // 4)
    escapes = {34: b'\\"', 92: b"\\\\", 10: b"\\n", 9: b"\\t", 13: b"\\r"}
    out = b""
    for rune, raw in _runes(text):
        if rune == 0xFFFD and raw != b"\xef\xbf\xbd":
            out += b"\\x%02x" % raw[0]
        elif rune in escapes:
            out += escapes[rune]
        elif rune < 32 or rune == 127:
            out += b"\\x%02x" % rune
        else:
            out += raw
    return b'"' + out + b'"'


def text_of(value: Any, *, inside: bool = False) -> bytes:
    Budget.spend()
    if isinstance(value, bytes):
        return quoted(value) if inside else value
    if value is None:
        return b"<undefined>"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return str(value).encode()
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Char):
        return char_text(value)
    if isinstance(value, Array):
        return b"[" + b", ".join(text_of(item, inside=True) for item in value.items) + b"]"
    if isinstance(value, Map):
        parts = [key + b": " + text_of(item, inside=True) for key, item in sorted(value.items.items())]
        Budget.spend(sum(map(len, parts)) // 16)
        return b"{" + b", ".join(parts) + b"}"
    if isinstance(value, Err):
        return b"error: " + text_of(value.value, inside=True)
    return b"<builtin-function>" if isinstance(value, Builtin) else b"<compiled-function>"


def _runes(text: bytes) -> list[tuple[int, bytes]]:
    """Decode as Go does: a byte that begins nothing valid is U+FFFD by itself."""
    out, at = [], 0
    while at < len(text):
        for size in range(1, 5):
            raw = text[at : at + size]
            try:
                out.append((ord(raw.decode()), raw))
            except (UnicodeDecodeError, TypeError):
                continue
            break
        else:
            raw = text[at : at + 1]
            out.append((0xFFFD, raw))
        at += len(raw)
    return out


def equal(a: Any, b: Any) -> bool:
    Budget.spend()
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    if isinstance(a, bytes) and isinstance(b, bytes):
        return a == b
    if isinstance(a, Char) and isinstance(b, Char):
        return a.code == b.code
    if isinstance(a, Array) and isinstance(b, Array):
        return a is b or (len(a.items) == len(b.items) and all(map(equal, a.items, b.items)))
    if isinstance(a, Map) and isinstance(b, Map):
        if a is b:
            return True
        if a.items.keys() != b.items.keys():
            return False
        return all(equal(item, b.items[key]) for key, item in a.items.items())
    return a is b


_INTS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&^": lambda a, b: a & ~b,
    "<<": lambda a, b: a << b if 0 <= b < 64 else 0,
    ">>": lambda a, b: a >> (b if 0 <= b < 64 else 64),
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _is_int(value: Any) -> bool:
    return type(value) is int


def binary(op: str, a: Any, b: Any, pos: int) -> Any:
    if op == "==":
        return equal(a, b)
    if op == "!=":
        return not equal(a, b)
    kinds = type(a), type(b)
    if kinds == (int, int):
        return _ints(op, a, b, pos)
    if set(kinds) == {int, float} or kinds == (float, float):
        if op in _ORDER:
            return _ORDER[op](a, b)  # exact beyond 2^53, a deviation of ours
        found = _floats(op, float(a), float(b))
        if found is not None:
            return found
    elif Char in kinds and set(kinds) <= {int, Char}:
        left, right = (item.code if isinstance(item, Char) else item for item in (a, b))
        if op in _ORDER:
            return _ORDER[op](left, right)
        if op in "+-":
            return _char(_INTS[op](left, right))
    elif kinds[0] is bytes and op == "+":
        Budget.spend(len(a) // 16)
        return a + text_of(b)
    elif kinds == (bytes, bytes) and op in _ORDER:
        return _ORDER[op](a, b)
    elif kinds == (Array, Array) and op == "+" and a.frozen == b.frozen:
        Budget.spend(len(a.items) + len(b.items))
        return Array(a.items + b.items)
    raise Fault(f"invalid operation: {type_name(a)} {op} {type_name(b)}", pos)


def _ints(op: str, a: int, b: int, pos: int) -> Any:
    if op in _ORDER:
        return _ORDER[op](a, b)
    if op in "/%":
        if b == 0:
            raise Fault("runtime error: integer divide by zero", pos)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return wrap(quotient if op == "/" else a - quotient * b)
    return wrap(_INTS[op](a, b))


def _floats(op: str, a: float, b: float) -> Any:
    if op == "/":
        if b == 0:
            if a == 0 or math.isnan(a):
                return math.nan
            return math.copysign(math.inf, math.copysign(1, a) * math.copysign(1, b))
        return a / b
    if op in "+-*":
        return {"+": a + b, "-": a - b, "*": a * b}[op]
    return None


def _to_int(value: Any) -> int | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) or abs(value) >= 2**63 else int(value)
    if isinstance(value, Char):
        return value.code
    if isinstance(value, bytes):
        try:
            digits = value.decode()
            return int(digits) if digits.lstrip("+-").isdigit() and "_" not in digits else None
        except ValueError:
            return None
    return None


class Evaluator:
    """Runs one program.

    Attributes:
        out: Lines that the program's ``emit`` function was given.
    """

    def __init__(self, text: str) -> None:
        self.file = SourceFile("fuzz", text)
        Budget.left = MOST_STEPS
        self.out: list[bytes] = []
        self.builtins = {name: Builtin(name, function) for name, function in self._functions().items()}
        self.scope = Scope(None, {})

    def run(self) -> dict[str, Any]:
        """Return the outermost variables."""
        self.block(parse(self.file), self.scope)
        return {name: cell.value for name, cell in self.scope.names.items()}

    # Statements

    def block(self, body: list[tree.Stmt], scope: Scope) -> None:
        for statement in body:
            Budget.spend()
            getattr(self, f"do_{type(statement).__name__}")(statement, scope)

    def do_Empty(self, node: tree.Empty, scope: Scope) -> None:
        pass

    def do_ExprStmt(self, node: tree.ExprStmt, scope: Scope) -> None:
        self.expr(node.expr, scope)

    def do_Assign(self, node: tree.Assign, scope: Scope) -> None:
        if node.op == ":=":
            assert isinstance(node.target, tree.Ident)
            if isinstance(node.value, tree.Func):
                cell = scope.define(node.target.name, node)
                cell.value = self.expr(node.value, scope)
            else:
                value = self.expr(node.value, scope)
                scope.define(node.target.name, node).value = value
        elif node.op == "=":
            self.assign(node.target, lambda: self.expr(node.value, scope), scope, node.pos)
        else:
            self.assign(node.target, lambda: self.compound(node, node.op[:-1], node.value, scope), scope, node.pos)

    def do_Step(self, node: tree.Step, scope: Scope) -> None:
        self.assign(node.target, lambda: self.compound(node, node.op[0], node.one, scope), scope, node.pos)

    def compound(self, node: Any, op: str, right: tree.Expr, scope: Scope) -> Any:
        left = self.expr(node.target, scope)
        return binary(op, left, self.expr(right, scope), node.pos)

    def assign(self, target: tree.Expr, value: Callable[[], Any], scope: Scope, pos: int) -> None:
        selectors = []
        base: Any = target
        while isinstance(base, tree.Index):
            selectors.append(base.index)
            base = base.base
        cell = scope.find(base.name)
        assert cell is not None
        new = value()
        if not selectors:
            cell.value = new
            return
        keys = [self.expr(selector, scope) for selector in selectors]
        holder = cell.value
        for key in reversed(keys[1:]):
            holder = self.get(holder, key, pos)
        self.put(holder, keys[0], new, pos)

    def put(self, holder: Any, key: Any, value: Any, pos: int) -> None:
        if isinstance(holder, Array) and not holder.frozen:
            at = _to_int(key)
            if at is None:
                raise Fault("invalid index type", pos)
            if not 0 <= at < len(holder.items):
                raise Fault("index out of bounds", pos)
            holder.items[at] = value
        elif isinstance(holder, Map) and not holder.frozen:
            if key is None:
                raise Fault("invalid index type", pos)
            holder.items[text_of(key)] = value
        else:
            raise Fault(f"not index-assignable: {type_name(holder)}", pos)

    def do_Block(self, node: tree.Block, scope: Scope) -> None:
        self.block(node.body, scope.inner())

    def do_If(self, node: tree.If, scope: Scope) -> None:
        scope = scope.inner()
        if node.init is not None:
            self.block([node.init], scope)
        if truthy(self.expr(node.test, scope)):
            self.block(node.then.body, scope.inner())
        elif isinstance(node.other, tree.If):
            self.do_If(node.other, scope)
        elif node.other is not None:
            self.block(node.other.body, scope.inner())

    def do_For(self, node: tree.For, scope: Scope) -> None:
        scope = scope.inner()
        if node.init is not None:
            self.block([node.init], scope)
        while node.test is None or truthy(self.expr(node.test, scope)):
            try:
                self.block(node.body.body, scope.inner())
            except _Break:
                break
            except _Continue:
                pass
            if node.post is not None:
                self.block([node.post], scope)
            Budget.spend()

    def do_ForIn(self, node: tree.ForIn, scope: Scope) -> None:
        iterable = self.expr(node.iterable, scope)
        for key, read in self.rounds(iterable, node):
            inner = scope.inner()
            for ident, value in ((node.key, key), (node.value, read())):
                if ident.name != "_":
                    inner.define(ident.name, ident).value = value
            try:
                self.block(node.body.body, inner.inner())
            except _Break:
                break
            except _Continue:
                continue

    def rounds(self, value: Any, node: tree.ForIn) -> Any:
        if isinstance(value, Array):
            items = value.items
            return [(at, lambda at=at: items[at] if at < len(items) else None) for at in range(len(items))]
        if isinstance(value, Map):
            return [(key, lambda key=key: value.items.get(key)) for key in sorted(value.items)]
        if isinstance(value, bytes):
            return [(at, lambda rune=rune: Char(rune)) for at, (rune, _) in enumerate(_runes(value))]
        if value is None:
            return []
        raise Fault(f"not iterable: {type_name(value)}", node.iterable.pos)

    def do_Branch(self, node: tree.Branch, scope: Scope) -> None:
        raise _Break if node.word == "break" else _Continue

    def do_Return(self, node: tree.Return, scope: Scope) -> None:
        raise _Return(None if node.value is None else self.expr(node.value, scope))

    # Expressions

    def expr(self, node: tree.Expr, scope: Scope) -> Any:
        return getattr(self, f"of_{type(node).__name__}")(node, scope)

    def of_Ident(self, node: tree.Ident, scope: Scope) -> Any:
        cell = scope.find(node.name)
        return self.builtins[node.name] if cell is None else cell.value

    def of_Int(self, node: tree.Int, scope: Scope) -> Any:
        return node.value

    of_Float = of_Bool = of_String = of_Int

    def of_Char(self, node: tree.Char, scope: Scope) -> Any:
        return Char(node.value)

    def of_Undefined(self, node: tree.Undefined, scope: Scope) -> Any:
        return None

    def of_Paren(self, node: tree.Paren, scope: Scope) -> Any:
        return self.expr(node.inner, scope)

    def of_Unary(self, node: tree.Unary, scope: Scope) -> Any:
        value = self.expr(node.operand, scope)
        if node.op == "!":
            return not truthy(value)
        if node.op == "+":
            return value
        if node.op == "-" and type(value) in (int, float):
            return wrap(-value) if _is_int(value) else -value
        if node.op == "^" and _is_int(value):
            return ~value
        raise Fault(f"invalid operation: {node.op}{type_name(value)}", node.pos)

    def of_Binary(self, node: tree.Binary, scope: Scope) -> Any:
        left = self.expr(node.left, scope)
        return binary(node.op, left, self.expr(node.right, scope), node.pos)

    def of_Logical(self, node: tree.Logical, scope: Scope) -> Any:
        left = self.expr(node.left, scope)
        return self.expr(node.right, scope) if truthy(left) is (node.op == "&&") else left

    def of_Cond(self, node: tree.Cond, scope: Scope) -> Any:
        return self.expr(node.then if truthy(self.expr(node.test, scope)) else node.other, scope)

    def of_Index(self, node: tree.Index, scope: Scope) -> Any:
        base = self.expr(node.base, scope)
        return self.get(base, self.expr(node.index, scope), node.index.pos)

    def get(self, base: Any, key: Any, pos: int) -> Any:
        if base is None:
            return None
        if isinstance(base, Array):
            if isinstance(key, float) and key.is_integer():
                key = int(key)  # a deviation of ours
            if not _is_int(key):
                raise Fault(f"invalid index type: {type_name(key)}", pos)
            return base.items[key] if 0 <= key < len(base.items) else None
        if isinstance(base, bytes):
            if not _is_int(key):
                raise Fault(f"invalid index type: {type_name(key)}", pos)
            runes = _runes(base)
            return Char(runes[key][0]) if 0 <= key < len(runes) else None
        if isinstance(base, Map):
            if key is None:
                raise Fault("invalid index type: undefined", pos)
            return base.items.get(text_of(key))
        if isinstance(base, Err):
            if key is not None and text_of(key) == b"value":
                return base.value
            raise Fault("invalid index on error", pos)
        raise Fault(f"not indexable: {type_name(key)}", pos)

    def of_Slice(self, node: tree.Slice, scope: Scope) -> Any:
        base = self.expr(node.base, scope)
        low = None if node.low is None else self.expr(node.low, scope)
        high = None if node.high is None else self.expr(node.high, scope)
        pos = node.pos if node.high is None else node.high.pos
        if low is not None and not _is_int(low):
            raise Fault(f"invalid slice index type: {type_name(low)}", pos)
        if not isinstance(base, (Array, bytes)):
            raise Fault(f"not indexable: {type_name(base)}", pos)
        size = len(base) if isinstance(base, bytes) else len(base.items)
        if high is not None and not _is_int(high):
            raise Fault(f"invalid slice index type: {type_name(high)}", pos)
        low, high = 0 if low is None else low, size if high is None else high
        if low > high:
            raise Fault(f"invalid slice index: {low} > {high}", pos)
        low, high = min(max(low, 0), size), min(max(high, 0), size)
        return base[low:high] if isinstance(base, bytes) else Array(base.items[low:high])

    def of_Array(self, node: tree.Array, scope: Scope) -> Any:
        return Array([self.expr(item, scope) for item in node.items])

    def of_Map(self, node: tree.Map, scope: Scope) -> Any:
        return Map({key: self.expr(value, scope) for key, value in zip(node.keys, node.values, strict=True)})

    def of_Error(self, node: tree.Error, scope: Scope) -> Any:
        return Err(self.expr(node.value, scope))

    def of_Immutable(self, node: tree.Immutable, scope: Scope) -> Any:
        value = self.expr(node.value, scope)
        return type(value)(value.items, True) if isinstance(value, (Array, Map)) else value

    def of_Func(self, node: tree.Func, scope: Scope) -> Any:
        return Function(node, scope)

    def of_Call(self, node: tree.Call, scope: Scope) -> Any:
        callee = self.expr(node.callee, scope)
        args = [self.expr(arg, scope) for arg in node.args]
        if not isinstance(callee, (Function, Builtin)):
            raise Fault(f"not callable: {type_name(callee)}", node.pos)
        if node.spread:
            last = args.pop()
            if not isinstance(last, Array):
                raise Fault(f"not an array: {type_name(last)}", node.pos)
            args += last.items
        if isinstance(callee, Builtin):
            try:
                return callee.call(*args)
            except Fault as fault:
                raise Fault(str(fault), node.pos) from None
        return self.apply(callee, args, node.pos)

    def apply(self, function: Function, args: list[Any], pos: int) -> Any:
        Budget.spend()
        node = function.node
        count = len(node.params)
        if node.variadic:
            if len(args) < count - 1:
                raise Fault(f"wrong number of arguments: want>={count - 1}, got={len(args)}", pos)
            args = [*args[: count - 1], Array(args[count - 1 :])]
        elif len(args) != count:
            raise Fault(f"wrong number of arguments: want={count}, got={len(args)}", pos)
        scope = Scope(function.scope, None)
        for param, arg in zip(node.params, args, strict=True):
            scope.define(param.name, param).value = arg
        try:
            self.block(node.body.body, scope.inner())
        except _Return as returned:
            return returned.value
        return None

    # Builtins

    def _functions(self) -> dict[str, Callable[..., Any]]:
        def length(value: Any) -> int:
            if isinstance(value, bytes):
                return len(value)
            if isinstance(value, (Array, Map)):
                return len(value.items)
            raise Fault(_expected("len", "first", "array/string/bytes/map", value), 0)

        def append(value: Any, *more: Any) -> Array:
            if not isinstance(value, Array):
                raise Fault(_expected("append", "first", "array", value), 0)
            return Array(value.items + list(more))

        def copied(value: Any) -> Any:
            Budget.spend()
            if isinstance(value, Array):
                return Array([copied(item) for item in value.items])
            if isinstance(value, Map):
                return Map({key: copied(item) for key, item in value.items.items()})
            return Char(value.code) if isinstance(value, Char) else value

        def to_int(value: Any) -> Any:
            return _to_int(value)

        def text(value: Any) -> Any:
            return None if value is None else text_of(value)

        def delete(value: Any, key: Any) -> None:
            if not isinstance(value, Map) or value.frozen:
                raise Fault(_expected("delete", "first", "map", value), 0)
            if not isinstance(key, bytes):
                raise Fault(_expected("delete", "second", "string", key), 0)
            value.items.pop(key, None)

        def kind(*names: str) -> Callable[[Any], bool]:
            return lambda value: type_name(value) in names

        functions: dict[str, Callable[..., Any]] = {
            "len": length,
            "append": append,
            "copy": copied,
            "int": to_int,
            "string": text,
            "bool": truthy,
            "delete": delete,
            "type_name": lambda value: type_name(value).encode(),
            "is_callable": lambda value: isinstance(value, (Function, Builtin)),
        }
        for name in ("int", "float", "string", "bool", "char", "array", "map", "error", "undefined"):
            functions[f"is_{name}"] = kind(name)
        functions["is_immutable_array"] = kind("immutable-array")
        functions["is_immutable_map"] = kind("immutable-map")
        return functions


def _expected(name: str, which: str, wanted: str, found: Any) -> str:
    return (
        f"invalid type for argument '{which}' in call to 'builtin-function:{name}': "
        f"expected {wanted}, found {type_name(found)}"
    )
