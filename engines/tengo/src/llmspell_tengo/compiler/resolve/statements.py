"""Binding statements: definitions, assignments, functions, and what they tell of variables and loops."""

from __future__ import annotations

from typing import ClassVar

from llmspell_tengo.compiler.resolve.expressions import ExpressionResolver
from llmspell_tengo.compiler.resolve.scopes import KNOWN, Table
from llmspell_tengo.compiler.symbols import Function, Loop, Symbol, is_append_to
from llmspell_tengo.syntax import tree


class StatementResolver(ExpressionResolver):
    def empty(self, node: tree.Empty) -> None:
        pass

    def expr_stmt(self, node: tree.ExprStmt) -> None:
        self.expr(node.expr)

    def assign(self, node: tree.Assign) -> None:
        if node.more is not None:
            raise self.fault(node, "tuple assignment not allowed")
        if node.op == ":=":
            self.definition(node)
        elif node.op == "=":
            self.assignment(node, node.target, None, node.value)
        else:
            node.compound = tree.Binary(node.pos, node.op[:-1], node.target, node.value)
            self.assignment(node, node.target, node.compound, node.value)

    def step(self, node: tree.Step) -> None:
        node.compound = tree.Binary(node.pos, node.op[0], node.target, node.one)
        self.assignment(node, node.target, node.compound, node.one)

    def definition(self, node: tree.Assign) -> None:
        target = node.target
        if type(target) is not tree.Ident:
            if type(target) is tree.Index:
                raise self.fault(node, "operator ':=' not allowed with selector")
            target = tree.Ident(target.pos, "")
            node.target = target
        if self.is_defined_here(target.name):
            raise self.fault(node, f"'{target.name}' redeclared in this block")
        value = node.value
        if type(value) is tree.Func:
            symbol = self.define(target.name)
            symbol.literal = value
            target.symbol = symbol
            self.func(value, symbol)
        else:
            self.expr(value)
            symbol = self.define(target.name)
            target.symbol = symbol
            if type(value) is tree.Import:
                symbol.module = value
        symbol.values.append(value)

    def assignment(self, node: tree.Stmt, target: tree.Expr, compound: tree.Binary | None, value: tree.Expr) -> None:
        base: tree.Expr = target
        selectors = []
        while type(base) is tree.Index:
            selectors.append(base.index)
            base = base.base
        if type(base) is not tree.Ident:
            base = tree.Ident(base.pos, "")
        symbol = self.find(base.name)
        if symbol is None:
            if base.name in KNOWN:
                raise self.fault(node, f"cannot assign to builtin function '{base.name}'")
            raise self.fault(node, f"unresolved reference '{base.name}'")
        if compound is not None:
            self.program.operators.append(compound)
            self.expr(target)
        self.expr(value)
        for selector in selectors:
            self.expr(selector)
        base.symbol = symbol
        if selectors:
            symbol.escapes = True
            return
        symbol.assigned += 1
        if symbol.module is not None:
            self.program.plain = True
        symbol.values.append(compound or value)
        for loop in self.loops:
            loop.assigned.add(symbol)
        if compound is None and is_append_to(value, symbol):
            symbol.grows = True

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

    def block_(self, node: tree.Block) -> None:
        self.enter()
        binders = self.STATEMENTS
        for statement in node.body:
            binders[type(statement)](self, statement)
        self.leave()

    def if_(self, node: tree.If) -> None:
        opened = 0
        branch: tree.If | tree.Block | None = node
        while type(branch) is tree.If:
            self.enter()
            opened += 1
            if branch.init is not None:
                self.statement(branch.init)
            self.expr(branch.test)
            self.block_(branch.then)
            branch = branch.other
        if branch is not None:
            assert isinstance(branch, tree.Block)
            self.block_(branch)
        for _ in range(opened):
            self.leave()

    def open_loop(self) -> Loop:
        if self.loops:
            self.loops[-1].nests = True
        loop = Loop(self.function)
        self.loops.append(loop)
        return loop

    def for_(self, node: tree.For) -> None:
        self.function.loops = True
        self.enter()
        if node.init is not None:
            self.statement(node.init)
        node.loop = self.open_loop()
        if node.test is not None:
            self.expr(node.test)
        self.block_(node.body)
        self.loops.pop()
        if node.post is not None:
            self.statement(node.post)
        self.leave()

    def for_in(self, node: tree.ForIn) -> None:
        self.function.loops = True
        self.enter()
        self.expr(node.iterable)
        node.loop = self.open_loop()
        for ident, role in ((node.key, "key"), (node.value, "value")):
            if ident.name != "_":
                ident.symbol = self.define(ident.name)
                ident.symbol.values.append((role, node.iterable))
        self.block_(node.body)
        self.loops.pop()
        self.leave()

    def branch(self, node: tree.Branch) -> None:
        if not self.loops or self.loops[-1].function is not self.function:
            raise self.fault(node, f"{node.word} not allowed outside loop")

    def return_(self, node: tree.Return) -> None:
        if self.function.parent is None and not self.paths:
            raise self.fault(node, "return not allowed outside function")
        if node.value is not None:
            self.expr(node.value)
        self.function.returns.append(node.value)

    def export(self, node: tree.Export) -> None:
        if self.function.parent is not None:
            raise self.fault(node, "export not allowed inside function")
        if self.paths or self.options.exports:
            self.expr(node.value)

    EXPRESSIONS: ClassVar[Table] = {**ExpressionResolver.EXPRESSIONS, tree.Func: func}
    STATEMENTS: ClassVar[Table] = {
        tree.Empty: empty,
        tree.ExprStmt: expr_stmt,
        tree.Assign: assign,
        tree.Step: step,
        tree.Block: block_,
        tree.If: if_,
        tree.For: for_,
        tree.ForIn: for_in,
        tree.Branch: branch,
        tree.Return: return_,
        tree.Export: export,
    }


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
