"""Statements but loops, ``return`` and ``export``."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from llmspell_tengo.compiler.emit.expressions import runs_code, strip, types
from llmspell_tengo.compiler.emit.functions import FunctionWriter
from llmspell_tengo.compiler.emit.writer import CALL, StatementTable
from llmspell_tengo.compiler.symbols import Symbol, is_append_to
from llmspell_tengo.compiler.types import ARR, UNDEF, type_of
from llmspell_tengo.syntax import tree


class StatementWriter(FunctionWriter):
    def block(self, node: tree.Block) -> None:
        self.open_block()
        self.statements(node.body)
        self.close_block()

    def scoped(self, write: Callable[[], None]) -> None:
        """Write a statement whose temporaries, if it needs any, live in a block of their own."""
        before = len(self.out)
        self.open_block()
        write()
        self.close_block()
        if any(line.startswith("local ") for line in self.out[before:]):
            self.out.insert(before, "do")
            self.out.append("end")

    # Simple statements ----------------------------------------------------------------------------------

    def empty(self, node: tree.Empty) -> None:
        pass

    def expr_stmt(self, node: tree.ExprStmt) -> None:
        self.scoped(lambda: self._evaluate(node.expr))

    def _evaluate(self, node: tree.Expr) -> None:
        text, level = self.expr(node)
        if level == CALL:
            self.out.append(f";{text}" if text.startswith("(") else text)
        else:
            self.out.append(f"local _={text}")

    def assign(self, node: tree.Assign) -> None:
        if node.op == ":=":
            self._define(node)
        elif node.compound is not None:
            self.scoped(lambda: self._store(node.target, node.compound, node.pos))  # type: ignore[arg-type]
        else:
            self.scoped(lambda: self._store(node.target, node.value, node.pos))

    def step(self, node: tree.Step) -> None:
        assert node.compound is not None
        self.scoped(lambda: self._store(node.target, node.compound, node.pos))  # type: ignore[arg-type]

    def _define(self, node: tree.Assign) -> None:
        symbol = node.target.symbol  # type: ignore[attr-defined]
        value = node.value
        if type(value) is tree.Func:
            self._define_function(symbol, value)
            return
        before = len(self.out)
        if type(value) is tree.Cond:
            text = ""
        else:
            self.open_block()
            text = self.text(value)
            self.close_block()
        if text and len(self.out) == before:
            self.out.append(f"local {symbol.lua}={text}" if self.declare(symbol) else f"{symbol.lua}={text}")
            return
        late = self.out[before:]
        del self.out[before:]
        if self.declare(symbol):
            self.out.append(f"local {symbol.lua}")
        self.out.append("do")
        self.out.extend(late)
        if type(value) is tree.Cond:
            self.open_block()
            self.branches(value, lambda branch: self.out.append(f"{symbol.lua}={self.text(branch)}"))
            self.close_block()
        else:
            self.out.append(f"{symbol.lua}={text}")
        self.out.append("end")

    def _define_function(self, symbol: Symbol, value: tree.Func) -> None:
        assert value.function is not None
        if self.options.count_allocs:
            declared = self.declare(symbol)
            if declared:
                self.out.append(f"local {symbol.lua}")
            self.out.append(f"{symbol.lua}={self.func(value)[0]}")
        elif self.declare(symbol):
            self.out.append(f"local function {symbol.lua}{self.function_rest(value, value.function)}")
        else:
            self.out.append(f"{symbol.lua}=function{self.function_rest(value, value.function)}")

    # Assignment -----------------------------------------------------------------------------------------

    def _store(self, target: tree.Expr, value: tree.Expr, pos: int) -> None:
        if type(target) is tree.Index:
            self._store_through(target, value, pos)
            return
        symbol = target.symbol  # type: ignore[attr-defined]
        if symbol.grows and self.optimise and _appends_to(value, symbol):
            self._grow(symbol, value)  # type: ignore[arg-type]
        elif type(value) is tree.Cond:
            self.branches(value, lambda branch: self._store(target, branch, pos))
        else:
            self.out.append(f"{symbol.lua}={self.text(value)}")

    def _grow(self, symbol: Symbol, value: tree.Call) -> None:
        """Emit ``x = append(x, item)``: in place, if the variable is the array's only owner."""
        item = self.text(value.args[1])
        if not (item.isidentifier() or type(strip(value.args[1])) in (tree.Int, tree.Bool, tree.String)):
            item = self.temporary(item)
        name, size = symbol.lua, self.fresh()
        length, own, store = self.helper("L"), self.helper("OWN"), self.helper("rawset")
        self.out.append(
            f"if {name}[{own}] then local {size}={name}[{length}] {name}[{length}]={size}+1 "
            f"{store}({name},{size},{item}) "
            f"else {name}={self.helper('grow')}{self.mark(value.pos)}({name},{item}) end"
        )

    def _store_through(self, target: tree.Index, value: tree.Expr, pos: int) -> None:
        """Emit ``a.b[i] = v``: the value first, then the selectors from the right, then the variable."""
        selectors: list[tree.Index] = []
        base: tree.Expr = target
        while type(base) is tree.Index:
            selectors.append(base)
            base = base.base
        assert isinstance(base, tree.Ident)
        assert base.symbol is not None
        indexes = [selector.index for selector in selectors]
        ordered = runs_code(value, *indexes)
        text = self.text(value)
        doubtful = bool(types(value) & UNDEF) and type_of(target.base) != ARR
        if ordered or (doubtful and not text.isidentifier()):
            text = self.temporary(text)
        keys = []
        for index in indexes:
            key = self.expr(index)[0]
            if ordered and type(strip(index)) not in (tree.String, tree.Int):
                key = self.temporary(key)
            keys.append(key)
        mark = self.mark(pos, "set")
        place = self.ident(base)[0]
        for index, key in zip(reversed(indexes[1:]), reversed(keys[1:]), strict=True):
            place += mark + self._selector(index, key)
        last = self._selector(indexes[0], keys[0])
        if doubtful:
            keep = f"{self.helper('set_undefined')}{mark}({place},{keys[0]})"
            self.out.append(f"if {text}~=nil then {place}{mark}{last}={text} else {keep} end")
        else:
            self.out.append(f"{place}{mark}{last}={self.settle(text, pos, 'set')}")

    def _selector(self, index: tree.Expr, key: str) -> str:
        if type(index) is tree.String and self.is_field(index.value):
            return f".{index.value.decode()}"
        return f"[{key}]"

    # Branches -------------------------------------------------------------------------------------------

    def if_(self, node: tree.If) -> None:
        """Emit a chain of tests; one with a statement of its own nests, the others are ``elseif``."""
        begin = len(self.out)
        self.open_block()
        opened = 1
        word = "if"
        branch: tree.If | tree.Block | None = node
        while type(branch) is tree.If:
            if branch.init is not None:
                if word == "elseif":
                    self.out.append("else")
                    self.open_block()
                    opened += 1
                    word = "if"
                self.statements([branch.init])
            self.inline += word == "elseif"
            test = self.truth(branch.test)[0]
            self.inline -= word == "elseif"
            if branch is node and len(self.out) > begin:
                self.out.insert(begin, "do")
            self.out.append(f"{word} {test} then")
            self.block(branch.then)
            branch = branch.other
            word = "elseif"
        if branch is not None:
            self.out.append("else")
            self.block(branch)  # type: ignore[arg-type]
        for _ in range(opened):
            self.close_block()
            self.out.append("end")
        if self.out[begin] == "do":
            self.out.append("end")

    STATEMENTS: ClassVar[StatementTable] = {
        **FunctionWriter.STATEMENTS,
        tree.Empty: empty,
        tree.ExprStmt: expr_stmt,
        tree.Assign: assign,
        tree.Step: step,
        tree.Block: block,
        tree.If: if_,
    }


def _appends_to(value: tree.Expr, symbol: Symbol) -> bool:
    """Tell whether the statement extends the array of ``x`` in place."""
    # the array is read before the item is evaluated, which may assign the variable
    return is_append_to(value, symbol) and not (symbol.captured and runs_code(value.args[1]))
