"""Binding files: the main one, and the modules it imports."""

from __future__ import annotations

from typing import ClassVar

from llmspell_tengo.compiler.modules import Modules, NativeModule, Resolved, SourceModule, Unit
from llmspell_tengo.compiler.options import CompileOptions
from llmspell_tengo.compiler.resolve.scopes import Table
from llmspell_tengo.compiler.resolve.statements import StatementResolver
from llmspell_tengo.compiler.types import TOP
from llmspell_tengo.syntax import tree
from llmspell_tengo.syntax.faults import TOO_DEEP, CompileFault
from llmspell_tengo.syntax.file import SourceFile
from llmspell_tengo.syntax.parser import parse


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


class _Resolver(StatementResolver):
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
            node.module = self._source_module(node, module)
            return
        node.module = module
        names = self.program.native_modules if isinstance(module, NativeModule) else self.program.host_modules
        if module.name not in names:
            names.append(module.name)
        self.constants.add(module)

    def _source_module(self, node: tree.Import, module: SourceModule) -> Unit:
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

    EXPRESSIONS: ClassVar[Table] = {**StatementResolver.EXPRESSIONS, tree.Import: import_}
