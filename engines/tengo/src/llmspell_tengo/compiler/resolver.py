"""Bind names, find modules, refuse what the reference refuses at compile time, in the order it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell_tengo.compiler.modules import Modules, NativeModule, Resolved, SourceModule, Unit
from llmspell_tengo.compiler.options import BUILTINS, CompileOptions
from llmspell_tengo.compiler.symbols import Function, Loop, Symbol
from llmspell_tengo.compiler.types import TOP
from llmspell_tengo.syntax import tree
from llmspell_tengo.syntax.faults import TOO_DEEP, CompileFault
from llmspell_tengo.syntax.file import SourceFile
from llmspell_tengo.syntax.parser import parse

_BUILTINS = frozenset(BUILTINS)
_CHANGING = frozenset({"splice"})
"""Builtins that change an array's length in place."""


def resolve(file: SourceFile, modules: Modules, options: CompileOptions) -> Resolved:
    """Parse and bind a program and every source module it imports.

    Raises:
        ParseFault, CompileFault: As the reference words them.
    """
    program = Resolved()
    try:
        _Resolver(program, file, modules, options, {}).main()
    except RecursionError:  # the caller's own stack was deep already
        raise CompileFault(TOO_DEEP, file.locate(0)) from None
    if 0 <= options.max_const_objects < program.constants:
        raise CompileFault(f"exceeding constant objects limit: {program.constants}", file.locate(len(file.text)))
    return program


class _Resolver:
    """Binds one file. ``paths`` are the modules being compiled around it, ``done`` those compiled before."""

    def __init__(
        self,
        program: Resolved,
        file: SourceFile,
        modules: Modules,
        options: CompileOptions,
        done: dict[str, Unit],
        paths: tuple[str, ...] = (),
        constants: set[object] | None = None,
    ) -> None:
        self.program = program
        self.file = file
        self.modules = modules
        self.options = options
        self.done = done
        self.paths = paths
        self.constants: set[object] = set() if constants is None else constants
        self.function = Function(None, main=not paths)
        program.functions.append(self.function)
        self.names: dict[str, list[Symbol]] = {}
        self.blocks: list[list[str]] = [[]]
        self.block = 0
        self.open_blocks = [0]
        self.loops: list[Loop] = []

    # Files ----------------------------------------------------------------------------------------------

    def main(self) -> None:
        for name in self.options.globals:
            symbol = self.define(name)
            symbol.values.append(TOP)
        self.file_()
        top = {name: self.names[name][-1] for name in self.blocks[0]}
        self.program.globals.update(top)
        self.program.constants = len(self.constants)

    def file_(self) -> Unit:
        body = parse(self.file)
        unit = Unit(0, self.file, body, self.function)
        if not self.paths:
            self.program.units.append(unit)
        for statement in body:
            self.statement(statement)
        if self.paths:
            unit.index = len(self.program.units)
            self.program.units.append(unit)
        return unit

    def fault(self, node: tree.Node, message: str) -> CompileFault:
        return CompileFault(message, self.file.locate(node.pos))

    # Names ----------------------------------------------------------------------------------------------

    def enter(self) -> None:
        self.block += 1
        self.open_blocks.append(self.block)
        self.blocks.append([])

    def leave(self) -> None:
        self.open_blocks.pop()
        for name in self.blocks.pop():
            self.names[name].pop()

    def define(self, name: str) -> Symbol:
        symbol = Symbol(name, self.function, self.open_blocks[-1])
        self.program.symbols.append(symbol)
        known = self.names.get(name)
        if known is None:
            self.names[name] = [symbol]
        else:
            known.append(symbol)
        self.blocks[-1].append(name)
        return symbol

    def find(self, name: str) -> Symbol | None:
        known = self.names.get(name)
        if not known:
            return None
        symbol = known[-1]
        function = self.function
        if symbol.owner is not function:
            symbol.captured = True
            while function is not symbol.owner:
                function.free[symbol] = None
                assert function.parent is not None
                function = function.parent
        return symbol

    def is_defined_here(self, name: str) -> bool:
        known = self.names.get(name)
        if known and known[-1].scope == self.open_blocks[-1] and known[-1].owner is self.function:
            return True
        return name in _BUILTINS and not self.paths and len(self.open_blocks) == 1 and not known

    # Statements -----------------------------------------------------------------------------------------

    def statement(self, node: tree.Stmt) -> None:
        _STATEMENTS[type(node)](self, node)

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
            if base.name in _BUILTINS:
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
        if compound is None and _is_append_to(value, symbol):
            symbol.grows = True

    def block_(self, node: tree.Block) -> None:
        self.enter()
        for statement in node.body:
            _STATEMENTS[type(statement)](self, statement)
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

    # Expressions ----------------------------------------------------------------------------------------

    def expr(self, node: tree.Expr) -> None:
        _EXPRESSIONS[type(node)](self, node)

    def ident(self, node: tree.Ident) -> None:
        symbol = self.find(node.name)
        if symbol is None:
            if node.name not in _BUILTINS:
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
        if symbol is None and node.name not in _BUILTINS:
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

    def source_module(self, node: tree.Import, module: SourceModule) -> Unit:
        if module.path in self.paths:
            raise self.fault(node, f"cyclic module import: {module.path}")
        unit = self.done.get(module.path)
        if unit is None:
            inner = _Resolver(
                self.program,
                SourceFile(module.path, module.text),
                self.modules,
                self.options,
                self.done,
                (*self.paths, module.path),
                self.constants,
            )
            unit = inner.file_()
            self.done[module.path] = unit
            self.constants.add(unit)
        return unit


def _is_append_to(value: tree.Expr, symbol: Symbol) -> bool:
    """Tell whether ``value`` is ``append(x, item)`` for the variable ``x``."""
    return (
        type(value) is tree.Call
        and type(value.callee) is tree.Ident
        and value.callee.name == "append"
        and value.callee.symbol is None
        and len(value.args) == 2
        and not value.spread
        and type(value.args[0]) is tree.Ident
        and value.args[0].symbol is symbol
    )


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


_STATEMENTS: dict[type, Callable[[_Resolver, Any], None]] = {
    tree.Empty: _Resolver.empty,
    tree.ExprStmt: _Resolver.expr_stmt,
    tree.Assign: _Resolver.assign,
    tree.Step: _Resolver.step,
    tree.Block: _Resolver.block_,
    tree.If: _Resolver.if_,
    tree.For: _Resolver.for_,
    tree.ForIn: _Resolver.for_in,
    tree.Branch: _Resolver.branch,
    tree.Return: _Resolver.return_,
    tree.Export: _Resolver.export,
}
_EXPRESSIONS: dict[type, Callable[[_Resolver, Any], None]] = {
    tree.Ident: _Resolver.ident,
    tree.Int: _Resolver.constant,
    tree.Float: _Resolver.constant,
    tree.Char: _Resolver.constant,
    tree.String: _Resolver.string,
    tree.Bool: _Resolver.nothing,
    tree.Undefined: _Resolver.nothing,
    tree.Paren: _Resolver.paren,
    tree.Unary: _Resolver.unary,
    tree.Binary: _Resolver.binary,
    tree.Logical: _Resolver.binary,
    tree.Cond: _Resolver.cond,
    tree.Index: _Resolver.index,
    tree.Slice: _Resolver.slice,
    tree.Call: _Resolver.call,
    tree.Array: _Resolver.array,
    tree.Map: _Resolver.map,
    tree.Func: _Resolver.func,
    tree.Error: _Resolver.wrapped,
    tree.Immutable: _Resolver.wrapped,
    tree.Import: _Resolver.import_,
}
