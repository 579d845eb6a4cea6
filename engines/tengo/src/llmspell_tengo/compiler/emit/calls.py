"""Calls and function literals.

A Tengo function becomes a Lua function whose first parameter is the number of arguments; a *raw* one, which is only
called directly, does without it.
"""

from __future__ import annotations

from llmspell_tengo.compiler.direct import MOST_PARAMS
from llmspell_tengo.compiler.emit.operators import OperatorWriter
from llmspell_tengo.compiler.emit.writer import ATOM, CALL, NAME, Code, Frame
from llmspell_tengo.compiler.symbols import Function
from llmspell_tengo.compiler.types import ARR, BOOL, CHAR, ERR, FLOAT, INT, MAP, STR, UNDEF, type_of
from llmspell_tengo.syntax import tree

_MOST_ARGS = 150
"""Arguments of one Lua call; registers end at 255."""

_TESTS = {
    "is_int": INT,
    "is_float": FLOAT,
    "is_string": STR,
    "is_bool": BOOL,
    "is_char": CHAR,
    "is_array": ARR,
    "is_map": MAP,
    "is_error": ERR,
    "is_undefined": UNDEF,
}


class CallWriter(OperatorWriter):
    def call(self, node: tree.Call) -> Code:
        callee = node.callee
        if type(callee) is tree.Ident:
            if callee.symbol is None:
                return self.builtin(node, callee.name)
            if callee.symbol.raw:
                args = self.sequence(node.args, self.text)
                return f"{callee.symbol.lua}{self.mark(node.pos)}({','.join(args)})", CALL
        parts = self.sequence((callee, *node.args), lambda part: self._part(part, callee))
        return self._invoke(parts[0], parts[1:], node), CALL

    def _part(self, part: tree.Expr, callee: tree.Expr) -> str:
        return self.suffixed(part) if part is callee else self.text(part)

    def _invoke(self, function: str, args: list[str], node: tree.Call) -> str:
        mark = self.mark(node.pos)
        if node.spread:
            return f"{self.helper('spread')}{mark}({len(args) - 1},{','.join([function, *args])})"
        count = str(len(args))
        if len(args) > _MOST_ARGS:
            args = [f"{self.helper('unpack')}({{{','.join(args)}}},1,{count})"]
        if self.options.count_allocs:
            return f"{self.helper('call_counted')}{mark}({','.join([function, count, *args])})"
        return f"{function}{mark}({','.join([count, *args])})"

    # Builtins -------------------------------------------------------------------------------------------

    def builtin(self, node: tree.Call, name: str) -> Code:
        if self.optimise and not node.spread and len(node.args) == 1:
            known = self._one_argument(node, name)
            if known is not None:
                return known
        args = self.sequence(node.args, self.text)
        return self._invoke(self.helper(f"builtin_{name}"), args, node), CALL

    def _one_argument(self, node: tree.Call, name: str) -> Code | None:
        arg = node.args[0]
        mask = type_of(arg)
        if name == "len":
            text, level = self.expr(arg)
            if mask == STR:
                return f"#{text if level >= ATOM else f'({text})'}", ATOM
            if mask == ARR:
                return f"{text if level >= NAME else f'({text})'}[{self.helper('L')}]", NAME
            return f"{self.helper('length')}{self.mark(node.pos)}({text})", CALL
        if name in _TESTS:
            return self._type_test(arg, name)
        if name == "string" and mask and not mask & UNDEF:
            code = self.expr(arg)
            return code if mask == STR else (f"{self.helper('shown')}({code[0]})", CALL)
        return None

    def _type_test(self, arg: tree.Expr, name: str) -> Code:
        wanted = _TESTS[name]
        text, level = self.expr(arg)
        if level < ATOM or level == CALL:
            text = f"({text})"
        if name == "is_undefined":
            return f"({text}==nil)", NAME
        if name == "is_int":
            return f'({self.helper("math_type")}({text})=="integer")', NAME
        if name == "is_float":
            return f'({self.helper("math_type")}({text})=="float")', NAME
        if wanted in (STR, BOOL):
            return f'({self.helper("type")}({text})=="{"string" if wanted == STR else "boolean"}")', NAME
        return f"{self.helper(name)}({text})", CALL

    # Functions ------------------------------------------------------------------------------------------

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
        raise NotImplementedError
