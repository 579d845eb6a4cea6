"""Loops. Every round is counted, but not one by one.

A loop runs in strips: an inner counting loop of at most ``_STRIP`` rounds, which Lua does in one instruction a round,
inside an outer loop that counts the strip as a whole. Where few local variables are left, and in the mode without
optimisation, a loop takes a plain form that counts each round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmspell_tengo.compiler.emit.expressions import last_pos, strip, types
from llmspell_tengo.compiler.emit.statements import StatementWriter
from llmspell_tengo.compiler.emit.writer import COMFORTABLE_LOCALS, StatementTable
from llmspell_tengo.compiler.symbols import Loop, Symbol
from llmspell_tengo.compiler.types import ARR, INT, MAP, STR, type_of
from llmspell_tengo.syntax import tree

_STRIP = 256
_WIDEST = 1 << 50
"""Steps below it do not overflow when a whole strip of them is added."""
_HIDDEN_LOCALS = 12
"""Local variables of a loop in strips, Lua's own state of its counting loops included."""


@dataclass(slots=True)
class _Open:
    """A loop being written: where ``break`` and ``continue`` go, and what must be done before leaving it."""

    exit: str
    next: str
    before_exit: str = ""
    breaks: bool = False
    continues: bool = False


@dataclass(frozen=True, slots=True)
class _Counting:
    """``for i := start; i < limit; i++`` and its like.

    Attributes:
        step: A constant, or the name of a variable that is positive.
        closed: The limit is still reached.
    """

    symbol: Symbol
    start: tree.Expr
    limit: tree.Expr
    step: int | Symbol
    closed: bool

    @property
    def down(self) -> bool:
        return isinstance(self.step, int) and self.step < 0


class LoopWriter(StatementWriter):
    open_loops: list[_Open]

    @property
    def _roomy(self) -> bool:
        return self.optimise and self.frame.live < COMFORTABLE_LOCALS

    def branch(self, node: tree.Branch) -> None:
        loop = self.open_loops[-1]
        if node.word == "break":
            loop.breaks = True
            self.out.append(f"{loop.before_exit} goto {loop.exit}")
        else:
            loop.continues = True
            self.out.append(f"goto {loop.next}")

    def _enter(self, before_exit: str = "") -> _Open:
        loop = _Open(self.fresh("x"), self.fresh("k"), before_exit)
        self.open_loops.append(loop)
        return loop

    def _loop_body(self, body: tree.Block, loop: _Open) -> None:
        """Write the statements of one round, and where ``continue`` lands."""
        self.out.append("do")
        self.block(body)
        self.out.append("end")
        self.open_loops.pop()
        if loop.continues:
            self.out.append(f"::{loop.next}::")

    def _check(self, amount: str = "") -> str:
        spend = f"B=B-{amount} " if amount else ""
        return f"{spend}if B<0 then B,C={self.helper('tick')}(B,C) end"

    # for ------------------------------------------------------------------------------------------------

    def for_(self, node: tree.For) -> None:
        counting = self._counting(node)
        if counting is not None and self._roomy:
            self._counting_loop(counting, node)
            return
        self.out.append("do")
        self.open_block()
        if node.init is not None:
            self.statements([node.init])
        if self._roomy:
            self._strips(node)
        else:
            self._rounds(node)
        self.close_block()
        self.out.append("end")

    def _rounds(self, node: tree.For) -> None:
        """Write the plain form."""
        loop = self._enter()
        self.out.append(f"while true do {self._check('1')}")
        self._test(node, loop)
        self._loop_body(node.body, loop)
        if node.post is not None:
            self.statements([node.post])
        self.out.append(f"end ::{loop.exit}::")

    def _strips(self, node: tree.For) -> None:
        counter = self.fresh()
        loop = self._enter(f"B=B-{counter}")
        self.frame.live += _HIDDEN_LOCALS // 2
        self.frame.counters.append(counter)
        self.out.append(f"while true do for {counter}=1,{_STRIP} do")
        self._test(node, loop)
        self._loop_body(node.body, loop)
        if node.post is not None:
            self.statements([node.post])
        self.frame.counters.pop()
        # rounds of an innermost loop are counted here and looked at where the loop around it is
        after = self._check() if node.loop is None or node.loop.nests else ""
        self.out.append(f"end {self._check(str(_STRIP))} end ::{loop.exit}:: {after}")

    def _test(self, node: tree.For, loop: _Open) -> None:
        if node.test is None:
            return
        loop.breaks = True
        before = len(self.out)
        self.open_block()
        text = self.truth(node.test)[0]
        if len(self.out) > before:
            self.out.insert(before, "do")
            self.out.append(f"if not ({text}) then {loop.before_exit} goto {loop.exit} end end")
        else:
            self.out.append(f"if not ({text}) then {loop.before_exit} goto {loop.exit} end")
        self.close_block()

    # Counting loops -------------------------------------------------------------------------------------

    def _counting(self, node: tree.For) -> _Counting | None:
        """Recognise a loop that Lua's numeric ``for`` can run: its variable and limit change nowhere else."""
        init, test, post, loop = node.init, node.test, node.post, node.loop
        if type(init) is not tree.Assign or init.op != ":=" or type(init.target) is not tree.Ident:
            return None
        symbol = init.target.symbol
        if symbol is None or symbol.captured or loop is None or symbol in loop.assigned or symbol.assigned != 1:
            return None
        if type(test) is not tree.Binary or type(post) not in (tree.Step, tree.Assign):
            return None
        step = self._step(post, symbol, loop)
        if step is None:
            return None
        down = isinstance(step, int) and step < 0
        if test.op not in ((">", ">=") if down else ("<", "<=")):
            return None
        left, limit = strip(test.left), strip(test.right)
        if type(left) is not tree.Ident or left.symbol is not symbol:
            return None
        if type_of(init.value) != INT or not self._is_fixed(limit, loop):
            return None
        return _Counting(symbol, init.value, limit, step, test.op in ("<=", ">="))

    @staticmethod
    def _step(post: tree.Stmt | None, symbol: Symbol, loop: Loop) -> int | Symbol | None:
        """Return by how much the last part of the header moves the variable; None if it does anything else."""
        amount: int | Symbol = 1
        if isinstance(post, tree.Step):
            target, sign = post.target, post.op[0]
        else:
            assert isinstance(post, tree.Assign)
            value = strip(post.value)
            target, sign = post.target, post.op[0]
            if post.op not in ("+=", "-="):
                return None
            if type(value) is tree.Int and 0 < value.value < 1 << 31:
                amount = value.value
            elif type(value) is tree.Ident and value.symbol is not None and value.symbol.positive and sign == "+":
                amount = value.symbol
            else:
                return None
        if type(target) is not tree.Ident or target.symbol is not symbol:
            return None
        return amount if sign == "+" or isinstance(amount, Symbol) else -amount

    @staticmethod
    def _is_fixed(limit: tree.Expr, loop: Loop) -> bool:
        """Tell whether the limit is the same number in every round."""
        if type(limit) is tree.Int:
            return limit.value < 1 << 62
        if type(limit) is tree.Ident:
            return LoopWriter._is_constant(limit.symbol, loop)
        if type(limit) is tree.Unary and limit.op == "-" and type(limit.operand) is tree.Int:
            return limit.operand.value < 1 << 62
        if type(limit) is tree.Call and type(limit.callee) is tree.Ident and limit.callee.symbol is None:
            arg = strip(limit.args[0]) if len(limit.args) == 1 and not limit.spread else None
            return (
                limit.callee.name == "len"
                and isinstance(arg, tree.Ident)
                and not loop.calls
                and LoopWriter._is_constant(arg.symbol, loop)
                and type_of(arg) in (ARR, STR)
            )
        return False

    @staticmethod
    def _is_constant(symbol: Symbol | None, loop: Loop) -> bool:
        if symbol is None or symbol in loop.assigned:
            return False
        return not (symbol.captured and symbol.assigned and loop.calls)

    def _counting_loop(self, counting: _Counting, node: tree.For) -> None:
        self.out.append("do")
        self.open_block()
        start = self.text(counting.start)
        if not start.isalnum():
            start = self.temporary(start)
        self.frame.live += _HIDDEN_LOCALS
        last, guarded = self._last(counting, node, start)
        outer, end = self.fresh(), self.fresh()
        step, width, span, rounds = self._stride(counting.step, outer, end)
        sign, beyond, behind = ("-", "<", ">") if counting.down else ("+", ">", "<")
        self.out.append(f"for {outer}={start},{last},{width} do local {end}={outer}{sign}{span}")
        self.out.append(f"if {end}{beyond}{last} or {end}{behind}{outer} then {end}={last} end {self._check(rounds)}")
        symbol = counting.symbol
        symbol.lua = self.variable(symbol)
        symbol.positive = type(counting.start) is tree.Int and counting.start.value > 0 and not counting.down
        loop = self._enter()
        self.out.append(f"for {symbol.lua}={outer},{end}{step} do")
        self._loop_body(node.body, loop)
        self.out.append("end end")
        if loop.breaks:
            self.out.append(f"::{loop.exit}::")
        self.close_block()
        self.out.append("end end" if guarded else "end")

    def _stride(self, step: int | Symbol, outer: str, end: str) -> tuple[str, str, str, str]:
        """Write the inner step with its comma, the outer step, the inner distance, and the rounds of a strip."""
        if isinstance(step, Symbol):
            width = self.temporary(f"{step.lua}<{_WIDEST} and {step.lua}*{_STRIP} or {(1 << 63) - 1}")
            return f",{step.lua}", width, f"({width}-{step.lua})", f"(({end}-{outer})//{step.lua}+1)"
        width, span = str(step * _STRIP), str((_STRIP - 1) * abs(step))
        if step == 1:
            return "", width, span, f"({end}-{outer}+1)"
        return f",{step}", width, span, f"(({end}-{outer})//{step}+1)"

    def _last(self, counting: _Counting, node: tree.For, start: str) -> tuple[str, bool]:
        """Write what finds the variable's last value; tell whether it opened an ``if`` around the loop.

        The ``if`` keeps the value before an open limit from wrapping around.
        """
        limit, closed = counting.limit, counting.closed
        down = counting.down
        if type(limit) is tree.Int:
            return str(limit.value + (0 if closed else 1 if down else -1)), False
        assert isinstance(node.test, tree.Binary)
        bound = self.temporary(self.expr(limit)[0])
        mark = self.mark(node.test.pos, node.test.op)
        self.out.append(f"if {start}{mark}{node.test.op}{bound} then")
        if type_of(limit) == INT:
            return self.temporary(bound if closed else f"{bound}{'+' if down else '-'}1"), True
        helper = self.helper("lower_limit" if down else "upper_limit")
        return self.temporary(f"{helper}({bound},{'true' if closed else 'false'})"), True

    # for in ---------------------------------------------------------------------------------------------

    def for_in(self, node: tree.ForIn) -> None:
        self.out.append("do")
        self.open_block()
        if self._roomy:
            self._each_in_strips(node)
        else:
            self._each(node)
        self.close_block()
        self.out.append("end")

    def _iterable(self, node: tree.ForIn, helper: str) -> str:
        mark = self.mark(last_pos(node.iterable))
        text = f"{self.helper(helper)}{mark}({self.text(node.iterable)})"
        if self.options.count_allocs:
            text = f"{self.helper('allocated')}{mark}({text})"
        return text

    def _each(self, node: tree.ForIn) -> None:
        """Write the plain form: the loop's state is one table."""
        state = self.temporary(self._iterable(node, "iterator"))
        loop = self._enter()
        self.out.append(f"while {self.helper('advance')}({state}) do {self._check('1')}")
        self.open_block()
        for ident, field in ((node.key, "key"), (node.value, "value")):
            self._bind(ident, f"{state}.{field}")
        self._loop_body(node.body, loop)
        self.close_block()
        self.out.append("end")
        if loop.breaks:
            self.out.append(f"::{loop.exit}::")

    def _each_in_strips(self, node: tree.ForIn) -> None:
        mask = types(node.iterable)
        if mask == ARR:
            values = self.temporary(self.text(node.iterable))
            last = self.temporary(f"{values}[{self.helper('L')}]-1")
            keys = ""
        else:
            last, keys, values = self.fresh(), self.fresh(), self.fresh()
            self.frame.live += 3
            self.out.append(f"local {last},{keys},{values}={self._iterable(node, 'contents')}")
            if not mask & ~(ARR | STR):
                keys = ""
        self.frame.live += _HIDDEN_LOCALS
        outer, end, index = self.fresh(), self.fresh(), self.fresh()
        loop = self._enter()
        self.out.append(f"for {outer}=0,{last},{_STRIP} do local {end}={last}")
        self.out.append(
            f"if {last}-{outer}>={_STRIP} then {end}={outer}+{_STRIP - 1} end {self._check(f'({end}-{outer}+1)')}"
        )
        self.out.append(f"for {index}={outer},{end} do")
        self.open_block()
        key = index
        if keys and (node.key.symbol is not None or node.value.symbol is not None):
            if mask == MAP:
                key = self.temporary(f"{keys}[{index}]")
            else:
                key = self.temporary(index)
                self.out.append(f"if {keys} then {key}={keys}[{index}] end")
        self._bind(node.key, key)
        self._bind(node.value, f"{values}[{key}]")
        self._loop_body(node.body, loop)
        self.close_block()
        self.out.append("end end")
        if loop.breaks:
            self.out.append(f"::{loop.exit}::")

    def _bind(self, ident: tree.Ident, text: str) -> None:
        symbol = ident.symbol
        if symbol is None:
            return
        if not symbol.lua and not symbol.assigned and text.replace("_", "").isalnum():
            symbol.lua = text
            return
        self.out.append(f"local {symbol.lua}={text}" if self.declare(symbol) else f"{symbol.lua}={text}")

    STATEMENTS: ClassVar[StatementTable] = {
        **StatementWriter.STATEMENTS,
        tree.For: for_,
        tree.ForIn: for_in,
        tree.Branch: branch,
    }
