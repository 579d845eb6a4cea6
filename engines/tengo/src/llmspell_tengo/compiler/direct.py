"""Find functions that are only ever called directly, and what they are called with."""

from __future__ import annotations

from llmspell_tengo.compiler.modules import Resolved
from llmspell_tengo.compiler.symbols import Function, Symbol
from llmspell_tengo.compiler.types import ARR, TOP, infer

MOST_PARAMS = 100
"""A function with more takes them as Lua varargs, since Lua functions have 200 local variables."""


def analyse(program: Resolved) -> None:
    """Mark raw functions, pass the types of their arguments to their parameters, and infer all types."""
    for symbol in program.symbols:
        if symbol.literal is not None:
            function = symbol.literal.function
            assert function is not None
            symbol.raw = _is_raw(symbol, function)
    for function in program.functions:
        _feed_params(function)
    infer(program.functions, program.symbols, program.operators)


def forget(program: Resolved) -> None:
    """Assume nothing: every variable may hold anything."""
    for symbol in program.symbols:
        symbol.type = TOP
        symbol.grows = False
    for function in program.functions:
        function.result = TOP


def _is_raw(symbol: Symbol, function: Function) -> bool:
    if symbol.assigned or symbol.escapes or function.variadic or len(function.params) > MOST_PARAMS:
        return False
    count = len(function.params)
    return all(len(call.args) == count and not call.spread for call in symbol.calls)


def _feed_params(function: Function) -> None:
    symbol = function.symbol
    if symbol is None or not symbol.raw:
        for param in function.params:
            param.values.append(TOP)
        if function.variadic:
            function.params[-1].values[-1:] = [ARR]
        return
    for call in symbol.calls:
        for param, arg in zip(function.params, call.args, strict=True):
            param.values.append(arg)
