"""Expressions: precedence climbing, and one method an operand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from llmspell_tengo.syntax import literals
from llmspell_tengo.syntax.cursor import Cursor
from llmspell_tengo.syntax.tree import (
    Array,
    Bad,
    Binary,
    Bool,
    Call,
    Char,
    Cond,
    Error,
    Expr,
    Float,
    Ident,
    Immutable,
    Import,
    Index,
    Int,
    Logical,
    Map,
    Paren,
    Slice,
    String,
    Unary,
    Undefined,
)

PRECEDENCE = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-", "|", "^"), 4),
    **dict.fromkeys(("*", "/", "%", "<<", ">>", "&", "&^"), 5),
}
_UNARY = frozenset({"+", "-", "!", "^"})
_POSTFIX = frozenset({".", "[", "("})


OperandTable = Mapping[str, Callable[[Any], Expr]]
"""What parses the operand that begins with each kind of token: methods."""


class ExpressionParser(Cursor):
    """Parses expressions but functions, which hold statements: who parses those adds them to ``OPERANDS``."""

    def expression(self) -> Expr:
        self.deepen()
        left = self.binary(1)
        if self.kind == "?":
            self.next()
            then = self.expression()
            self.expect(":")
            left = Cond(left.pos, left, then, self.expression())
        self.depth -= 1
        return left

    def binary(self, lowest: int) -> Expr:
        left = self.unary()
        while True:
            op = self.kind
            strength = PRECEDENCE.get(op, 0)
            if strength < lowest:
                return left
            self.next()
            right = self.binary(strength + 1) if strength < 5 else self.unary()
            left = (Binary if strength > 2 else Logical)(left.pos, op, left, right)

    def unary(self) -> Expr:
        if self.kind in _UNARY:
            op = self.kind
            self.next()
            self.deepen()
            operand = self.unary()
            self.depth -= 1
            return Unary(operand.pos, op, operand)
        left = self.operand()
        if self.kind in _POSTFIX:
            depth = self.depth
            while True:
                kind = self.kind
                if kind == ".":
                    self.next()
                    offset = self.offsets[self.index]
                    if self.kind != "ident":
                        self.error_expected(offset, "selector")
                        self.advance()
                        return Bad(offset)
                    name = self.texts[self.index]
                    self.next()
                    left = Index(left.pos, left, String(offset, name.encode(), name), True)
                elif kind == "(":
                    left = self.call(left)
                elif kind == "[":
                    left = self.index_or_slice(left)
                else:
                    break
                self.deepen()
            self.depth = depth
        return left

    def call(self, callee: Expr) -> Call:
        self.next()
        args: list[Expr] = []
        spread = False
        while self.kind not in {")", "EOF"} and not spread:
            args.append(self.expression())
            if self.kind == "...":
                spread = True
                self.next()
            if not self.expect_comma(")", "call argument"):
                break
        self.expect(")")
        return Call(callee.pos, callee, args, spread)

    def index_or_slice(self, base: Expr) -> Expr:
        self.next()
        low = high = None
        if self.kind != ":":
            low = self.expression()
        if self.kind == ":":
            self.next()
            if self.kind not in ("]", "EOF"):
                high = self.expression()
            self.expect("]")
            return Slice(base.pos, base, low, high)
        self.expect("]")
        assert low is not None
        return Index(base.pos, base, low, False)

    def identifier(self) -> Ident:
        offset = self.offsets[self.index]
        name = "_"
        if self.kind == "ident":
            name = self.texts[self.index]
            self.next()
        else:
            self.expect("ident")
        return Ident(offset, name)

    def operand(self) -> Expr:
        kind = self.kind
        index = self.index
        offset = self.offsets[index]
        if kind == "ident":
            self.next()
            return Ident(offset, self.texts[index])
        if kind == "int":
            text = self.texts[index]
            value = int(text) if text.isdecimal() and text[0] != "0" and len(text) < 19 else literals.integer(text)
            if value is None:
                self.error(offset, "invalid integer")
                value = 0
            self.next()
            return Int(offset, value, text)
        if kind == "string":
            text = self.texts[index]
            self.next()
            return String(offset, literals.string(text) if not self.errors else b"", text)
        parse = self.OPERANDS.get(kind)
        if parse is not None:
            return parse(self)
        self.error_expected(offset, "operand")
        self.advance()
        return Bad(offset)

    def float_(self) -> Expr:
        offset, text = self.offsets[self.index], self.texts[self.index]
        value = literals.floating(text)
        if value is None:
            self.error(offset, "invalid float")
        self.next()
        return Float(offset, value or 0.0, text)

    def char(self) -> Expr:
        offset, text = self.offsets[self.index], self.texts[self.index]
        value = literals.character(text)
        if value is None:
            self.error(offset, "illegal char literal")
        self.next()
        return Char(offset, value or 0, text)

    def constant(self) -> Expr:
        offset, kind = self.offsets[self.index], self.kind
        self.next()
        return Undefined(offset) if kind == "undefined" else Bool(offset, kind == "true")

    def paren(self) -> Expr:
        offset = self.offsets[self.index]
        self.next()
        inner = self.expression()
        self.expect(")")
        return Paren(offset, inner)

    def array(self) -> Expr:
        offset = self.expect("[")
        items: list[Expr] = []
        while self.kind not in {"]", "EOF"}:
            items.append(self.expression())
            if not self.expect_comma("]", "array element"):
                break
        self.expect("]")
        return Array(offset, items)

    def map(self) -> Expr:
        offset = self.expect("{")
        keys: list[bytes] = []
        names: list[str] = []
        values: list[Expr] = []
        while self.kind not in {"}", "EOF"}:
            text = self.texts[self.index]
            if self.kind == "ident":
                keys.append(text.encode())
            elif self.kind == "string":
                keys.append(literals.string(text) if not self.errors else b"")
            else:
                self.error_expected(self.offsets[self.index], "map key")
                keys.append(b"_")
            names.append(text)
            self.next()
            self.expect(":")
            values.append(self.expression())
            if not self.expect_comma("}", "map element"):
                break
        self.expect("}")
        return Map(offset, keys, names, values)

    def wrapped(self) -> Expr:
        offset, kind = self.offsets[self.index], self.kind
        self.next()
        self.expect("(")
        value = self.expression()
        self.expect(")")
        return Error(offset, value) if kind == "error" else Immutable(offset, value)

    def import_(self) -> Expr:
        offset = self.offsets[self.index]
        self.next()
        self.expect("(")
        if self.kind != "string":
            self.error_expected(self.offsets[self.index], "module name")
            self.advance()
            return Bad(offset)
        name = literals.string(self.texts[self.index]).decode("utf-8", "replace") if not self.errors else ""
        self.next()
        self.expect(")")
        return Import(offset, name)

    OPERANDS: ClassVar[OperandTable] = {
        "float": float_,
        "char": char,
        "true": constant,
        "false": constant,
        "undefined": constant,
        "(": paren,
        "[": array,
        "{": map,
        "error": wrapped,
        "immutable": wrapped,
        "import": import_,
    }
