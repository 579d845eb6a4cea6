"""Tokens to tree: precedence climbing for expressions, one method a statement.

Errors, their texts, their places and the way parsing goes on after them follow the reference.
"""

from __future__ import annotations

from llmspell_tengo.syntax import literals
from llmspell_tengo.syntax.faults import TOO_DEEP, ParseFault
from llmspell_tengo.syntax.file import SourceFile
from llmspell_tengo.syntax.lexer import LITERALS, scan
from llmspell_tengo.syntax.tree import (
    Array,
    Assign,
    Bad,
    Binary,
    Block,
    Bool,
    Branch,
    Call,
    Char,
    Cond,
    Empty,
    Error,
    Export,
    Expr,
    ExprStmt,
    Float,
    For,
    ForIn,
    Func,
    Ident,
    If,
    Immutable,
    Import,
    Index,
    Int,
    Logical,
    Map,
    Paren,
    Return,
    Slice,
    Step,
    Stmt,
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
_ASSIGNMENTS = frozenset({":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "&^="})
_BEGINS_STATEMENT = frozenset({"break", "continue", "for", "if", "return", "export"})
_BEGINS_SIMPLE = frozenset(
    {"func", "error", "immutable", "ident", "int", "float", "char", "string", "true", "false", "undefined"}
    | {"import", "(", "{", "[", "+", "-", "*", "&", "^", "!"}
)
_UNARY = frozenset({"+", "-", "!", "^"})
_POSTFIX = frozenset({".", "[", "("})

NESTING = 64
"""How deep a program may nest. A level costs up to twelve frames of ours, of which Python has a thousand, and up to
three of the 200 levels that the Lua compiler bears."""
_LOOP_WEIGHT = 2
"""A loop becomes several nested Lua blocks."""
_MOST_ERRORS = 10


class _TooManyErrors(Exception):
    """Ends parsing after eleven errors, as in the reference."""


def parse(file: SourceFile) -> list[Stmt]:
    """Parse a whole file.

    Raises:
        ParseFault: For the first error by position; it says how many more there are.
    """
    return _Parser(file).file_()


class _Parser:
    def __init__(self, file: SourceFile) -> None:
        tokens = scan(file.text)
        self.source = file
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.offsets = tokens.offsets
        self.token_faults = tokens.faults
        self.errors: list[tuple[int, int, str]] = []
        self.incomplete = False
        self.index = 0
        self.kind = self.kinds[0]
        self.depth = 0
        self.synced = -1
        self.syncs = 0
        if tokens.faults:
            self._hear()

    # Tokens ---------------------------------------------------------------------------------------------

    def next(self) -> None:
        index = self.index + 1
        if index < len(self.kinds):
            self.index = index
            self.kind = self.kinds[index]
            if self.token_faults:
                self._hear()

    def _hear(self) -> None:
        for offset, message in self.token_faults.pop(self.index, ()):
            self._add(offset, message)
            if "not terminated" in message and message[:3] in ("raw", "com"):
                self.incomplete = len(self.errors) == 1

    def expect(self, kind: str) -> int:
        offset = self.offsets[self.index]
        if self.kind != kind:
            self.error_expected(offset, f"'{kind}'")
        self.next()
        return offset

    def expect_semicolon(self) -> None:
        kind = self.kind
        if kind == ";":
            self.next()
        elif kind not in (")", "}"):
            self.error_expected(self.offsets[self.index], "';'")
            if kind == ",":
                self.next()
            else:
                self.advance()

    def expect_comma(self, closer: str, what: str) -> bool:
        if self.kind == ",":
            self.next()
            if self.kind == closer:
                self.error_expected(self.offsets[self.index], what)
                return False
            return True
        if self.kind == ";" and self.texts[self.index] == "\n":
            self.next()
        return False

    def advance(self) -> None:
        """Skip to where a statement may begin, making sure that parsing goes forward."""
        while self.kind != "EOF":
            if self.kind in _BEGINS_STATEMENT:
                offset = self.offsets[self.index]
                if offset == self.synced and self.syncs < _MOST_ERRORS:
                    self.syncs += 1
                    return
                if offset > self.synced:
                    self.synced = offset
                    self.syncs = 0
                    return
            self.next()

    # Errors ---------------------------------------------------------------------------------------------

    def _add(self, offset: int, message: str) -> None:
        self.errors.append((self.source.locate(offset).line, offset, message))

    def error(self, offset: int, message: str) -> None:
        if self.errors:
            if self.errors[-1][0] == self.source.locate(offset).line:
                return
            if len(self.errors) > _MOST_ERRORS:
                raise _TooManyErrors
        else:
            self.incomplete = self.kind == "EOF" or (
                self.kind == ";" and self.kinds[self.index + 1 :] == ["EOF"] and self.texts[self.index] == "\n"
            )
        self._add(offset, message)

    def error_expected(self, offset: int, what: str) -> None:
        message = f"expected {what}"
        if offset == self.offsets[self.index]:
            text = self.texts[self.index]
            if self.kind == ";" and text == "\n":
                message += ", found newline"
            elif self.kind in LITERALS:
                message += f", found {text}"
            else:
                message += f", found '{self.kind}'"
        self.error(offset, message)

    def deepen(self, by: int = 1) -> None:
        self.depth += by
        if self.depth > NESTING:
            location = self.source.locate(self.offsets[self.index])
            raise ParseFault(f"{TOO_DEEP}: more than {NESTING} levels", location)

    # File and statements --------------------------------------------------------------------------------

    def file_(self) -> list[Stmt]:
        statements: list[Stmt] = []
        try:
            if not self.errors:
                statements = self.statements()
                if self.kind != "EOF":
                    self.error_expected(self.offsets[self.index], "'EOF'")
        except _TooManyErrors:
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

    # Expressions ----------------------------------------------------------------------------------------

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
        if kind in _OPERANDS:
            return _OPERANDS[kind](self)
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


_OPERANDS = {
    "float": _Parser.float_,
    "char": _Parser.char,
    "true": _Parser.constant,
    "false": _Parser.constant,
    "undefined": _Parser.constant,
    "(": _Parser.paren,
    "[": _Parser.array,
    "{": _Parser.map,
    "func": _Parser.func,
    "error": _Parser.wrapped,
    "immutable": _Parser.wrapped,
    "import": _Parser.import_,
}
