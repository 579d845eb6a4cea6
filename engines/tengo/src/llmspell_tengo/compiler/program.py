"""Compile: text in, Lua bytecode and the way back to the text out."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass

from llmspell.errors import Location
from llmspell_tengo.compiler.direct import analyse, forget
from llmspell_tengo.compiler.emit import emit
from llmspell_tengo.compiler.modules import Modules
from llmspell_tengo.compiler.options import CompileOptions
from llmspell_tengo.compiler.resolver import resolve
from llmspell_tengo.syntax.faults import CompileFault
from llmspell_tengo.syntax.file import SourceFile


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """A compiled program, independent of any Lua state.

    Attributes:
        bytecode: Of the chunk, see :class:`~llmspell_tengo.compiler.emit.Emitted`; with line numbers and names.
        chunk: The chunk's name, which tells programs of one state apart.
        globals: Names of its outermost variables, predefined ones first.
        helpers: What it uses of the runtime.
        native_modules: The runtime's modules it imports.
        host_modules: Modules the host must provide.
    """

    bytecode: bytes
    chunk: str
    globals: tuple[str, ...]
    helpers: tuple[str, ...]
    native_modules: tuple[str, ...]
    host_modules: tuple[str, ...]
    _files: tuple[SourceFile, ...]
    _lines: array[int]
    _places: list[tuple[int, int, str]]

    def place(self, line: int) -> tuple[Location, str] | None:
        """Return what a line of the chunk stands for and what it does, or None."""
        index = self._lines[line - 1] if 0 < line <= len(self._lines) else -1
        while index < 0 and line > 1:
            line -= 1
            index = self._lines[line - 1]
        if index < 0:
            return None
        unit, offset, tag = self._places[index]
        return self._files[unit].locate(offset), tag

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.bytecode) + 8 * len(self._lines) + sum(len(file.text) for file in self._files)


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
    text = emitted.text.encode()
    chunk = "=" + hashlib.blake2b(text, key=file.name.encode("utf-8", "replace")[:64], digest_size=8).hexdigest()
    bytecode = _bytecode(text, chunk)
    if isinstance(bytecode, str):
        # Lua's own limits on registers, upvalues and nesting lie beyond ours for any program of a sensible shape.
        raise CompileFault(
            f"the program is too large or too deeply nested ({bytecode.rpartition(': ')[2]})", file.locate(0)
        )
    return CompiledProgram(
        bytecode=bytecode,
        chunk=chunk,
        globals=tuple(program.globals),
        helpers=emitted.helpers,
        native_modules=tuple(program.native_modules),
        host_modules=tuple(program.host_modules),
        _files=tuple(unit.file for unit in program.units),
        _lines=array("i", emitted.lines),
        _places=emitted.places,
    )


def _bytecode(text: bytes, chunk: str) -> bytes | str:
    """Compile Lua text in a state that never runs a program; return the bytecode, or Lua's reason not to."""
    import lupa.lua54

    compile_ = lupa.lua54.LuaRuntime(encoding=None, register_eval=False, register_builtins=False).eval(
        b"function(text, name) local f, why = load(text, name, 't', {})"
        b" if not f then return nil, why end return string.dump(f) end"
    )
    made = compile_(text, chunk.encode())
    return made if isinstance(made, bytes) else made[1].decode("utf-8", "replace")
