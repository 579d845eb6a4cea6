"""Binding what yields a value, but functions, which hold statements, and imports, which hold files."""

from __future__ import annotations

from typing import Any, ClassVar

from llmspell_tengo.compiler.modules import NativeModule
from llmspell_tengo.compiler.resolve.scopes import KNOWN, Scopes, Table
from llmspell_tengo.syntax import tree

_CHANGING = frozenset({"splice"})
"""Builtins that change an array's length in place."""


class ExpressionResolver(Scopes):
    def ident(self, node: tree.Ident) -> None:
        symbol = self.find(node.name)
        if symbol is None:
            if node.name not in KNOWN:
                raise self.fault(node, f"unresolved reference '{node.name}'")
            return
        node.symbol = symbol
        symbol.escapes = True

    def constant(self, node: Any) -> None:
        self.constants.add((type(node), node.value))

    def string(self, node: tree.String) -> None:
        if len(node.value) > self.options.max_string_len:
            raise self.fault(node, "exceeding string size limit")
        self.constants.add(node.value)

    def nothing(self, node: tree.Expr) -> None:
        pass

    def paren(self, node: tree.Paren) -> None:
        self.expr(node.inner)

    def unary(self, node: tree.Unary) -> None:
        self.expr(node.operand)

    def binary(self, node: tree.Binary | tree.Logical) -> None:
        spine = [node]
        left = node.left
        while type(left) is tree.Binary or type(left) is tree.Logical:
            spine.append(left)
            left = left.left
        self.program.operators.extend(spine)
        self.expr(left)
        for link in reversed(spine):
            self.expr(link.right)

    def cond(self, node: tree.Cond) -> None:
        self.expr(node.test)
        self.expr(node.then)
        self.expr(node.other)

    def index(self, node: tree.Index) -> None:
        base = node.base
        if node.dotted and type(base) is tree.Ident:
            self.callee(base)
            if base.symbol is not None and base.symbol.module is None:
                base.symbol.escapes = True
        else:
            self.expr(base)
        self.expr(node.index)

    def slice(self, node: tree.Slice) -> None:
        self.expr(node.base)
        if node.low is not None:
            self.expr(node.low)
        if node.high is not None:
            self.expr(node.high)

    def callee(self, node: tree.Ident) -> None:
        """Bind a name that is not used as a value."""
        symbol = self.find(node.name)
        if symbol is None and node.name not in KNOWN:
            raise self.fault(node, f"unresolved reference '{node.name}'")
        node.symbol = symbol

    def call(self, node: tree.Call) -> None:
        callee = node.callee
        runs_script = True
        if type(callee) is tree.Ident:
            self.callee(callee)
            if callee.symbol is None:
                runs_script = callee.name in _CHANGING
                if not runs_script:
                    for arg in node.args:
                        self.expr(arg)
                    return
            else:
                callee.symbol.calls.append(node)
        else:
            self.expr(callee)
            runs_script = not _is_native_member(callee)
        if runs_script:
            self.function.calls = True
            for loop in self.loops:
                loop.calls = True
        for arg in node.args:
            self.expr(arg)

    def array(self, node: tree.Array) -> None:
        for item in node.items:
            self.expr(item)

    def map(self, node: tree.Map) -> None:
        longest = self.options.max_string_len
        for key, value in zip(node.keys, node.values, strict=True):
            if len(key) > longest:
                raise self.fault(node, "exceeding string size limit")
            self.constants.add(key)
            self.expr(value)

    def wrapped(self, node: tree.Error | tree.Immutable) -> None:
        self.expr(node.value)

    EXPRESSIONS: ClassVar[Table] = {
        tree.Ident: ident,
        tree.Int: constant,
        tree.Float: constant,
        tree.Char: constant,
        tree.String: string,
        tree.Bool: nothing,
        tree.Undefined: nothing,
        tree.Paren: paren,
        tree.Unary: unary,
        tree.Binary: binary,
        tree.Logical: binary,
        tree.Cond: cond,
        tree.Index: index,
        tree.Slice: slice,
        tree.Call: call,
        tree.Array: array,
        tree.Map: map,
        tree.Error: wrapped,
        tree.Immutable: wrapped,
    }


def _is_native_member(callee: tree.Expr) -> bool:
    """Tell whether the callee is a member of a runtime module that runs no script code."""
    if type(callee) is not tree.Index or not callee.dotted or type(callee.index) is not tree.String:
        return False
    base: Any = callee.base
    imported = base
    if type(base) is tree.Ident:
        if base.symbol is None or base.symbol.module is None or base.symbol.assigned:
            return False
        imported = base.symbol.module
    if type(imported) is not tree.Import or not isinstance(imported.module, NativeModule):
        return False
    return not imported.module.may_run(callee.index.value.decode("utf-8", "replace"))
