"""Compile: text in, Lua and the way back to the text out."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from llmspell.errors import Location
from llmspell_tengo.compiler.direct import analyse, forget
from llmspell_tengo.compiler.emit import emit
from llmspell_tengo.compiler.modules import Modules
from llmspell_tengo.compiler.options import CompileOptions
from llmspell_tengo.compiler.resolver import resolve
from llmspell_tengo.syntax.file import SourceFile


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """A compiled program, independent of any Lua state.

    Attributes:
        lua: The chunk, see :class:`~llmspell_tengo.compiler.emit.Emitted`.
        globals: Names of its outermost variables, predefined ones first.
        helpers: What it uses of the runtime.
        native_modules: The runtime's modules it imports.
        host_modules: Modules the host must provide.
    """

    lua: bytes
    globals: tuple[str, ...]
    helpers: tuple[str, ...]
    native_modules: tuple[str, ...]
    host_modules: tuple[str, ...]
    _files: tuple[SourceFile, ...]
    _lines: array[int]
    _places: list[tuple[int, int, str]]

    def place(self, line: int) -> tuple[Location, str] | None:
        """Return what a line of ``lua`` stands for and what it does, or None."""
        index = self._lines[line - 1] if 0 < line <= len(self._lines) else -1
        while index < 0 and line > 1:
            line -= 1
            index = self._lines[line - 1]
        if index < 0:
            return None
        unit, offset, tag = self._places[index]
        return self._files[unit].locate(offset), tag


def compile_program(file: SourceFile, modules: Modules, options: CompileOptions) -> CompiledProgram:
    """Compile a file and the source modules it imports.

    Raises:
        ParseFault, CompileFault: With the reference's message and position.
    """
    program = resolve(file, modules, options)
    if program.plain or options.count_allocs or not options.optimise:
        forget(program)
        options = options.unoptimised()
    else:
        analyse(program)
    emitted = emit(program, options)
    return CompiledProgram(
        lua=emitted.text.encode(),
        globals=tuple(program.globals),
        helpers=emitted.helpers,
        native_modules=tuple(program.native_modules),
        host_modules=tuple(program.host_modules),
        _files=tuple(unit.file for unit in program.units),
        _lines=array("i", emitted.lines),
        _places=emitted.places,
    )
