"""Calls: of the program's functions, of raw ones, of builtins."""

from __future__ import annotations

from typing import ClassVar

from llmspell_tengo.compiler.emit.operators import OperatorWriter
from llmspell_tengo.compiler.emit.writer import ATOM, CALL, NAME, Code, ExpressionTable
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

    EXPRESSIONS: ClassVar[ExpressionTable] = {**OperatorWriter.EXPRESSIONS, tree.Call: call}
