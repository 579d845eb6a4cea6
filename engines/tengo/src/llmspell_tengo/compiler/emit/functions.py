"""Function literals, and what belongs to a function alone: its entry, its ``return``, its last call.

A Tengo function becomes a Lua function whose first parameter is the number of arguments; a *raw* one, which is only
called directly, does without it.
"""

from __future__ import annotations

from typing import ClassVar

from llmspell_tengo.compiler.direct import MOST_PARAMS
from llmspell_tengo.compiler.emit.calls import CallWriter
from llmspell_tengo.compiler.emit.expressions import runs_code, strip
from llmspell_tengo.compiler.emit.writer import ATOM, CALL, Code, ExpressionTable, Frame, StatementTable
from llmspell_tengo.compiler.symbols import Function
from llmspell_tengo.syntax import tree


class FunctionWriter(CallWriter):
    def func(self, node: tree.Func) -> Code:
        function = node.function
        assert function is not None
        text = f"function{self.function_rest(node, function)}"
        if self.options.count_allocs and any(not symbol.owner.main for symbol in function.free):
            return f"{self.helper('allocated')}{self.mark(node.pos)}({text})", CALL
        return text, ATOM

    def function_rest(self, node: tree.Func, function: Function) -> str:
        """Emit parameters and body: all of a Lua function but its first word."""
        outer_frame, self.frame = getattr(self, "frame", None), Frame(function)
        outer_out, self.out = self.out, []
        inline, self.inline = self.inline, 0
        self.open_block()
        head = self._parameters(function)
        self.body(node.body.body, function)
        text = f"({head}) {' '.join(self.out)} end"
        self.close_block()
        self.out, self.inline = outer_out, inline
        if outer_frame is not None:
            self.frame = outer_frame
        return text

    def _parameters(self, function: Function) -> str:
        params = function.params
        raw = function.symbol is not None and function.symbol.raw
        count = len(params) - 1 if function.variadic else len(params)
        if not raw:
            test = f"n<{count}" if function.variadic else f"n~={count}"
            if count or not function.variadic:
                flag = ",true" if function.variadic else ""
                self.out.append(f"if {test} then {self.helper('bad_arity')}(n,{count}{flag}) end")
        if len(params) > MOST_PARAMS:
            self.out.append("local P={...}")
            for index, param in enumerate(params[:count]):
                param.lua = f"P[{index + 1}]"
            if function.variadic:
                params[-1].lua = f"P[{count + 1}]"
                self.out.append(f"{params[-1].lua}={self.helper('rest')}(n,{count},...)")
            return "n,..."
        names = []
        for param in params[:count]:
            param.lua = self.variable(param)
            names.append(param.lua)
        self.frame.live += len(params) + 1
        if function.variadic:
            rest = params[-1]
            rest.lua = self.variable(rest)
            self.out.append(f"local {rest.lua}={self.helper('pack')}(n-{count},...)")
            names.append("...")
        return ",".join(names if raw else ["n", *names])

    def entry_tick(self) -> str:
        """Count a call; the second counter also bounds the depth of calls."""
        return f"local c=C-1 C=c if c<0 then B,C={self.helper('tick')}(B,C) end"

    def body(self, statements: list[tree.Stmt], function: Function) -> None:
        """Emit a function's statements.

        Its entry is counted before the first statement that may call or loop, so that a call which ends before it
        costs nothing. A last call of itself takes over its frame, as in the reference.
        """
        if function.calls or function.loops:
            begin = 0
            while begin < len(statements) and _is_plain(statements[begin]):
                begin += 1
            self.statements(statements[:begin])
            statements = statements[begin:]
            self.out.append(self.entry_tick())
        if statements and type(statements[-1]) is tree.ExprStmt:
            last = strip(statements[-1].expr)
            if type(last) is tree.Call and self.calls_itself(last, function):
                self.statements(statements[:-1])
                self._tail(last)
                return
        self.statements(statements)

    @staticmethod
    def calls_itself(node: tree.Call, function: Function) -> bool:
        callee = node.callee
        return (
            type(callee) is tree.Ident
            and callee.symbol is not None
            and callee.symbol is function.symbol
            and callee.symbol.assigned == 0
        )

    def return_(self, node: tree.Return) -> None:
        self.out.append("do")
        self.open_block()
        self._return(node.value)
        self.close_block()
        self.out.append("end")

    def _return(self, node: tree.Expr | None) -> None:
        inner = None if node is None else strip(node)
        if inner is None:
            self.out.append(f"{self.leave_loops()} return")
        elif type(inner) is tree.Cond:
            self.branches(inner, self._return)
        elif type(inner) is tree.Call:
            if self.calls_itself(inner, self.frame.function):
                self._tail(inner)
            else:
                text = self.text(inner)
                self.out.append(f"{self.leave_loops()} return ({text})")
        else:
            text, level = self.value(inner)
            # a call of the runtime must not take the place of this function in an error's trace
            self.out.append(f"{self.leave_loops()} return {f'({text})' if level == CALL else text}")

    def _tail(self, node: tree.Call) -> None:
        """Emit a call that takes over the frame."""
        text = self.call(node)[0]
        self.out.append(f"{self.leave_loops()} do return {text} end")

    def leave_loops(self) -> str:
        """Count the rounds of the loops that a ``return`` here leaves."""
        return "".join(f"B=B-{counter} " for counter in self.frame.counters)

    EXPRESSIONS: ClassVar[ExpressionTable] = {**CallWriter.EXPRESSIONS, tree.Func: func}
    STATEMENTS: ClassVar[StatementTable] = {tree.Return: return_}


def _is_plain(node: tree.Stmt | None) -> bool:
    """Tell whether a statement neither calls nor loops."""
    kind = type(node)
    if kind is tree.Return:
        return node.value is None or not runs_code(node.value)  # type: ignore[union-attr]
    if kind is tree.Assign or kind is tree.Step:
        value = node.compound or node.value  # type: ignore[union-attr]
        return type(value) is not tree.Func and not runs_code(node.target, value)  # type: ignore[union-attr]
    if kind is tree.If:
        return (
            node.init is None  # type: ignore[union-attr]
            and not runs_code(node.test)  # type: ignore[union-attr]
            and all(map(_is_plain, node.then.body))  # type: ignore[union-attr]
            and (node.other is None or _is_plain(node.other))  # type: ignore[union-attr]
        )
    if kind is tree.Block:
        return all(map(_is_plain, node.body))  # type: ignore[union-attr]
    return kind is tree.Empty
