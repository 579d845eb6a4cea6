"""Whole programs: the chunk around the main file and its modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmspell_tengo.compiler.emit.loops import LoopWriter
from llmspell_tengo.compiler.emit.writer import MOST_CAPTURED, Frame, StatementTable
from llmspell_tengo.compiler.modules import Resolved, Unit
from llmspell_tengo.compiler.options import CompileOptions
from llmspell_tengo.compiler.symbols import Function, Symbol
from llmspell_tengo.syntax import tree

_MOST_GLOBALS = 40
"""Predefined globals that become local variables."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A program as Lua.

    Attributes:
        text: A chunk that, given the runtime, returns the main function. That takes a list of the predefined
            globals and returns ``kind, value``: ``"export"``, ``"result"``, ``"globals"`` (a table by name) or nothing.
        lines: For each line of ``text`` (from 1) an index into ``places``, or -1.
        places: Index of the file, offset in it, and what the line does; see ``Writer.mark``.
        helpers: Names of the runtime it uses.
    """

    text: str
    lines: list[int]
    places: list[tuple[int, int, str]]
    helpers: tuple[str, ...]


def emit(program: Resolved, options: CompileOptions) -> Emitted:
    """Turn a resolved and analysed program into Lua."""
    return _ProgramWriter(options).program(program)


class _ProgramWriter(LoopWriter):
    def program(self, program: Resolved) -> Emitted:
        modules = [self._module(unit) for unit in program.units[1:]]
        main = self._main(program)
        names = [(name, path) for name, path in self.helpers.items() if not path.startswith("R.")]
        head = "local R=..."
        if names:
            paths = ",".join(self.helper_path(name) for name, _ in names)
            head += f" local {','.join(path for _, path in names)}={paths}"
        text, lines = self.finish(f"{head} local B,C,M=0,0,{{}} {' '.join(modules)} return {main}")
        return Emitted(text, lines, self.places, tuple(self.helpers))

    def _begin(self, function: Function, unit: Unit) -> None:
        self.unit = unit.index
        self.frame = Frame(function)
        self.open_loops = []
        self.out = []
        self.open_block()

    def _module(self, unit: Unit) -> str:
        self._begin(unit.function, unit)
        self.out.append(self.entry_tick())
        self.statements(unit.body)
        self.close_block()
        return f"M[{unit.index}]=function() {' '.join(self.out)} end"

    def _main(self, program: Resolved) -> str:
        unit = program.units[0]
        self._begin(unit.function, unit)
        for index, name in enumerate(self.options.globals):
            symbol = program.globals[name]
            if index < _MOST_GLOBALS:
                symbol.lua = self.variable(symbol)
                self.frame.live += 1
                self.out.append(f"local {symbol.lua}=G[{index + 1}]")
            else:
                symbol.lua = f"G[{index + 1}]"
        self._hoist([symbol for symbol in program.symbols if symbol.owner is unit.function and symbol.captured])
        self.statements(unit.body)
        self._finish_main(program)
        self.close_block()
        return f"function(G) {' '.join(self.out)} end"

    def _hoist(self, symbols: list[Symbol]) -> None:
        """Declare the captured variables of the main program at its head: there is one of each, even in loops."""
        names = []
        for symbol in symbols:
            if symbol.lua:
                continue
            if self.frame.captured >= MOST_CAPTURED:
                self.declare(symbol)
                continue
            symbol.lua = self.variable(symbol)
            self.frame.captured += 1
            self.frame.live += 1
            names.append(symbol.lua)
        if names:
            self.out.insert(0, f"local {','.join(names)}")

    def _finish_main(self, program: Resolved) -> None:
        if self.options.expose:
            pairs = [
                f"[{self.quote(name.encode())}]={self._exposed(symbol)}" for name, symbol in program.globals.items()
            ]
            self.out.append(f'do return "globals",{{{",".join(pairs)}}} end')
        elif self.options.result in program.globals:
            text = self._exposed(program.globals[self.options.result])
            self.out.append(f'do return "result",{text} end')

    def _exposed(self, symbol: Symbol) -> str:
        if symbol.raw:
            return self.wrapped_function(symbol)
        return symbol.lua or "nil"

    def export(self, node: tree.Export) -> None:
        main = self.frame.function.main
        if main and not self.options.exports:
            return
        self.out.append("do")
        self.open_block()
        text = self.text(node.value)
        if main:
            self.out.append(f'{self.leave_loops()} return "export",{text}')
        else:
            self.out.append(f"{self.leave_loops()} return ({self.helper('immutable')}({text}))")
        self.close_block()
        self.out.append("end")

    STATEMENTS: ClassVar[StatementTable] = {**LoopWriter.STATEMENTS, tree.Export: export}
