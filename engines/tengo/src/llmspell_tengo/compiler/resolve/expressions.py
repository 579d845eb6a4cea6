"""Binding what yields a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell_tengo.compiler.modules import NativeModule, SourceModule, Unit
from llmspell_tengo.compiler.resolve.scopes import KNOWN, Scopes
from llmspell_tengo.compiler.symbols import Function, Symbol
from llmspell_tengo.syntax import tree

_CHANGING = frozenset({"splice"})
"""Builtins that change an array's length in place."""


class ExpressionResolver(Scopes):
    """Binds expressions; a function's body and a module's file are the business of the layers above."""

    def block_(self, node: tree.Block) -> None:
        """Bind statements in a block of their own."""
        raise NotImplementedError

    def source_module(self, node: tree.Import, module: SourceModule) -> Unit:
        """Bind a module's file, unless that was done before."""
        raise NotImplementedError

    def expr(self, node: tree.Expr) -> None:
        _EXPRESSIONS[type(node)](self, node)

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

    def func(self, node: tree.Func, symbol: Symbol | None = None) -> None:
        function = Function(self.function, symbol=symbol, variadic=node.variadic)
        node.function = function
        self.program.functions.append(function)
        outer, self.function = self.function, function
        self.enter()
        for param in node.params:
            param.symbol = self.define(param.name)
            function.params.append(param.symbol)
        self.block_(node.body)
        self.leave()
        self.function = outer
        function.falls = not _terminates(node.body.body)
        self.constants.add(node)

    def wrapped(self, node: tree.Error | tree.Immutable) -> None:
        self.expr(node.value)

    def import_(self, node: tree.Import) -> None:
        if not node.name:
            raise self.fault(node, "empty module name")
        self.program.imports.setdefault((self.file.name, node.name), node.pos)
        module = self.modules.find(node.name, self.file.name)
        if module is None:
            raise self.fault(node, f"module '{node.name}' not found")
        if isinstance(module, SourceModule):
            self.function.calls = True
            for loop in self.loops:
                loop.calls = True
            node.module = self.source_module(node, module)
            return
        node.module = module
        names = self.program.native_modules if isinstance(module, NativeModule) else self.program.host_modules
        if module.name not in names:
            names.append(module.name)
        self.constants.add(module)


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


def _terminates(body: list[tree.Stmt]) -> bool:
    """Tell whether control never reaches the end of ``body``."""
    for statement in reversed(body):
        if type(statement) is tree.Return:
            return True
        if type(statement) is tree.If:
            branch: tree.If | tree.Block | None = statement
            while type(branch) is tree.If:
                if not _terminates(branch.then.body):
                    return False
                branch = branch.other
            return isinstance(branch, tree.Block) and _terminates(branch.body)
        if type(statement) is not tree.Empty:
            return False
    return False


_EXPRESSIONS: dict[type, Callable[[ExpressionResolver, Any], None]] = {
    tree.Ident: ExpressionResolver.ident,
    tree.Int: ExpressionResolver.constant,
    tree.Float: ExpressionResolver.constant,
    tree.Char: ExpressionResolver.constant,
    tree.String: ExpressionResolver.string,
    tree.Bool: ExpressionResolver.nothing,
    tree.Undefined: ExpressionResolver.nothing,
    tree.Paren: ExpressionResolver.paren,
    tree.Unary: ExpressionResolver.unary,
    tree.Binary: ExpressionResolver.binary,
    tree.Logical: ExpressionResolver.binary,
    tree.Cond: ExpressionResolver.cond,
    tree.Index: ExpressionResolver.index,
    tree.Slice: ExpressionResolver.slice,
    tree.Call: ExpressionResolver.call,
    tree.Array: ExpressionResolver.array,
    tree.Map: ExpressionResolver.map,
    tree.Func: ExpressionResolver.func,
    tree.Error: ExpressionResolver.wrapped,
    tree.Immutable: ExpressionResolver.wrapped,
    tree.Import: ExpressionResolver.import_,
}
