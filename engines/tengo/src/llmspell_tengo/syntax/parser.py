"""Tokens to tree: files, statements, functions."""

from __future__ import annotations

from typing import ClassVar

from llmspell_tengo.syntax.cursor import TooManyErrors
from llmspell_tengo.syntax.expressions import ExpressionParser, OperandTable
from llmspell_tengo.syntax.faults import ParseFault
from llmspell_tengo.syntax.file import SourceFile
from llmspell_tengo.syntax.tree import (
    Assign,
    Bad,
    Block,
    Branch,
    Empty,
    Export,
    Expr,
    ExprStmt,
    For,
    ForIn,
    Func,
    Ident,
    If,
    Int,
    Return,
    Step,
    Stmt,
)

_ASSIGNMENTS = frozenset({":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "&^="})
_BEGINS_SIMPLE = frozenset(
    {"func", "error", "immutable", "ident", "int", "float", "char", "string", "true", "false", "undefined"}
    | {"import", "(", "{", "[", "+", "-", "*", "&", "^", "!"}
)
_LOOP_WEIGHT = 2
"""A loop becomes several nested Lua blocks."""


def parse(file: SourceFile) -> list[Stmt]:
    """Parse a whole file.

    Raises:
        ParseFault: For the first error by position; it says how many more there are.
    """
    return _Parser(file).file_()


class _Parser(ExpressionParser):
    def file_(self) -> list[Stmt]:
        statements: list[Stmt] = []
        try:
            if not self.errors:
                statements = self.statements()
                if self.kind != "EOF":
                    self.error_expected(self.offsets[self.index], "'EOF'")
        except TooManyErrors:
            pass
        if self.errors:
            errors = sorted(self.errors, key=lambda error: error[1:])
            _, offset, message = errors[0]
            raise ParseFault(message, self.source.locate(offset), incomplete=self.incomplete, more=len(errors) - 1)
        return statements

    def statements(self) -> list[Stmt]:
        found: list[Stmt] = []
        while self.kind not in {"}", "EOF"}:
            found.append(self.statement())
        return found

    def statement(self) -> Stmt:
        kind = self.kind
        if kind in _BEGINS_SIMPLE:
            simple = self.simple()
            self.expect_semicolon()
            return simple
        offset = self.offsets[self.index]
        if kind == "if":
            return self.if_()
        if kind == "for":
            return self.for_()
        if kind == "return":
            self.next()
            value = None
            if self.kind not in (";", "}"):
                value = self.expression()
            self.expect_semicolon()
            return Return(offset, value)
        if kind in {"break", "continue"}:
            self.next()
            label = ""
            if self.kind == "ident":
                label = self.identifier().name
            self.expect_semicolon()
            return Branch(offset, kind, label)
        if kind == ";":
            implicit = self.texts[self.index] == "\n"
            self.next()
            return Empty(offset, implicit)
        if kind == "export":
            self.next()
            exported = self.expression()
            self.expect_semicolon()
            return Export(offset, exported)
        self.error_expected(offset, "statement")
        self.advance()
        return Empty(offset, True)

    def func(self) -> Expr:
        offset = self.expect("func")
        self.deepen()
        self.expect("(")
        params: list[Ident] = []
        variadic = False
        if self.kind != ")":
            while True:
                if self.kind == "...":
                    variadic = True
                    self.next()
                params.append(self.identifier())
                if variadic or self.kind != ",":
                    break
                self.next()
        self.expect(")")
        body = self.block()
        self.depth -= 1
        return Func(offset, params, variadic, body)

    def block(self) -> Block:
        offset = self.expect("{")
        body = self.statements()
        self.expect("}")
        return Block(offset, body)

    def simple(self, loop_header: bool = False) -> Stmt:
        target = self.expression()
        targets = [target]
        while self.kind == ",":
            self.next()
            targets.append(self.expression())
        kind = self.kind
        if kind in {"=", ":="}:
            self.next()
            value = self.expression()
            values = [value]
            while self.kind == ",":
                self.next()
                values.append(self.expression())
            more = (targets[1:], values[1:]) if len(targets) > 1 or len(values) > 1 else None
            return Assign(target.pos, kind, target, value, more)
        if kind == "in" and loop_header:
            self.next()
            return self._for_in_header(targets)
        if len(targets) > 1:
            self.error_expected(target.pos, "1 expression")
        if kind in _ASSIGNMENTS:
            self.next()
            return Assign(target.pos, kind, target, self.expression())
        if kind in {"++", "--"}:
            self.next()
            return Step(target.pos, kind, target, Int(target.pos, 1, "1"))
        return ExprStmt(target.pos, target)

    def _for_in_header(self, targets: list[Expr]) -> ForIn:
        iterable = self.expression()
        names = []
        for target in targets[:2]:
            if isinstance(target, Ident):
                names.append(target)
            else:
                self.error_expected(target.pos, "identifier")
                names.append(Ident(target.pos, "_"))
        if len(names) == 1:
            names.insert(0, Ident(targets[0].pos, "_"))
        return ForIn(targets[0].pos, names[0], names[1], iterable, Block(0, []))

    def if_(self) -> If:
        first: If | None = None
        last: If | None = None
        self.deepen()
        while True:
            offset = self.expect("if")
            init, test = self.if_header()
            node = If(offset, init, test, self.block(), None)
            if last is None:
                first = node
            else:
                last.other = node
            last = node
            if self.kind != "else":
                self.expect_semicolon()
                break
            self.next()
            if self.kind == "{":
                last.other = self.block()
                self.expect_semicolon()
                break
            if self.kind != "if":
                self.error_expected(self.offsets[self.index], "if or {")
                break
        self.depth -= 1
        assert first is not None
        return first

    def if_header(self) -> tuple[Stmt | None, Expr]:
        offset = self.offsets[self.index]
        if self.kind == "{":
            self.error(offset, "missing condition in if statement")
            return None, Bad(offset)
        if self.kind == ";":
            self.error(offset, "missing init in if statement")
            return None, Bad(offset)
        first: Stmt | None = self.simple()
        condition = None
        if self.kind == "{":
            condition, first = first, None
        elif self.kind == ";":
            self.next()
            condition = self.simple()
        else:
            self.error(self.offsets[self.index], "missing condition in if statement")
        if condition is None:
            return first, Bad(offset)
        return first, self.condition(condition, "boolean expression")

    def condition(self, statement: Stmt, want: str) -> Expr:
        if isinstance(statement, ExprStmt):
            return statement.expr
        found = "assignment" if isinstance(statement, Assign) else "simple statement"
        self.error(statement.pos, f"expected {want}, found {found}")
        return Bad(statement.pos)

    def for_(self) -> Stmt:
        offset = self.expect("for")
        self.deepen(_LOOP_WEIGHT)
        try:
            if self.kind == "{":
                body = self.block()
                self.expect_semicolon()
                return For(offset, None, None, None, body)
            first: Stmt | None = None
            if self.kind != ";":
                first = self.simple(loop_header=True)
            if isinstance(first, ForIn):
                first.pos = offset
                first.body = self.block()
                self.expect_semicolon()
                return first
            second: Stmt | None = None
            third: Stmt | None = None
            if self.kind == ";":
                self.next()
                if self.kind != ";":
                    second = self.simple()
                self.expect(";")
                if self.kind != "{":
                    third = self.simple()
            else:
                first, second = None, first
            body = self.block()
            self.expect_semicolon()
            test = None if second is None else self.condition(second, "condition expression")
            return For(offset, first, test, third, body)
        finally:
            self.depth -= _LOOP_WEIGHT

    OPERANDS: ClassVar[OperandTable] = {**ExpressionParser.OPERANDS, "func": func}
