"""Names and the blocks they are known in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from llmspell_tengo.compiler.modules import Modules, Resolved, Unit
from llmspell_tengo.compiler.options import BUILTINS, CompileOptions
from llmspell_tengo.compiler.symbols import Function, Loop, Symbol
from llmspell_tengo.syntax import tree
from llmspell_tengo.syntax.faults import CompileFault
from llmspell_tengo.syntax.file import SourceFile

KNOWN = frozenset(BUILTINS)

Table = Mapping[type, Callable[[Any, Any], None]]
"""What binds each kind of node: methods, called with the resolver and the node."""


class Scopes:
    """What is known at one place of a file.

    Which method binds a kind of node stands in two tables, to which each layer above adds the kinds it knows.

    Attributes:
        paths: The modules being compiled around it; none for the main file.
        done: Modules compiled before, by path.
        constants: Distinct constants of the whole program.
        function: The function the place is in.
        loops: The loops it is in, those around the function included.
    """

    EXPRESSIONS: ClassVar[Table] = {}
    STATEMENTS: ClassVar[Table] = {}

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

    def expr(self, node: tree.Expr) -> None:
        self.EXPRESSIONS[type(node)](self, node)

    def statement(self, node: tree.Stmt) -> None:
        self.STATEMENTS[type(node)](self, node)

    def fault(self, node: tree.Node, message: str) -> CompileFault:
        return CompileFault(message, self.file.locate(node.pos))

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
        return name in KNOWN and not self.paths and len(self.open_blocks) == 1 and not known
