"""Compile: text in, Lua bytecode and the way back to the text out."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from llmspell.errors import Location
from llmspell_tengo.compiler.direct import analyse, forget
from llmspell_tengo.compiler.emit import emit
from llmspell_tengo.compiler.modules import Modules
from llmspell_tengo.compiler.options import CompileOptions
from llmspell_tengo.compiler.resolve import resolve
from llmspell_tengo.syntax.faults import TOO_DEEP, CompileFault
from llmspell_tengo.syntax.file import SourceFile

_TOO_LARGE = "an expression or block is too large or nested too deep; keep parts of it in variables or functions"
_LUA_LINE = re.compile(r"\w:(\d+): ")


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
        return _place(self._files, self._lines, self._places, line)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.bytecode) + 8 * len(self._lines) + sum(len(file.text) for file in self._files)


def compile_program(file: SourceFile, modules: Modules, options: CompileOptions) -> CompiledProgram:
    """Compile a file and the source modules it imports.

    Raises:
        ParseFault, CompileFault: With the reference's message and position.
    """
    try:
        return _compile(file, modules, options)
    except RecursionError:  # the caller's own stack was deep already
        raise CompileFault(TOO_DEEP, file.locate(0)) from None


def _compile(file: SourceFile, modules: Modules, options: CompileOptions) -> CompiledProgram:
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
    files, lines = tuple(unit.file for unit in program.units), array("i", emitted.lines)
    if isinstance(bytecode, str):
        # Lua's own limits on registers, upvalues and nesting lie beyond ours for any program of a sensible shape.
        found = _LUA_LINE.search(bytecode)
        place = _place(files, lines, emitted.places, int(found[1])) if found else None
        raise CompileFault(_TOO_LARGE, place[0] if place else file.locate(0))
    return CompiledProgram(
        bytecode=bytecode,
        chunk=chunk,
        globals=tuple(program.globals),
        helpers=emitted.helpers,
        native_modules=tuple(program.native_modules),
        host_modules=tuple(program.host_modules),
        _files=files,
        _lines=lines,
        _places=emitted.places,
    )


def _place(
    files: Sequence[SourceFile], lines: Sequence[int], places: Sequence[tuple[int, int, str]], line: int
) -> tuple[Location, str] | None:
    """Return what a line stands for; one that stands for nothing belongs to the last before it that does."""
    index = lines[line - 1] if 0 < line <= len(lines) else -1
    while index < 0 and line > 1:
        line -= 1
        index = lines[line - 1]
    if index < 0:
        return None
    unit, offset, tag = places[index]
    return files[unit].locate(offset), tag


def _bytecode(text: bytes, chunk: str) -> bytes | str:
    """Compile Lua text in a state that never runs a program; return the bytecode, or Lua's reason not to."""
    import lupa.lua54

    compile_ = lupa.lua54.LuaRuntime(encoding=None, register_eval=False, register_builtins=False).eval(
        b"function(text, name) local f, why = load(text, name, 't', {})"
        b" if not f then return nil, why end return string.dump(f) end"
    )
    made = compile_(text, chunk.encode())
    return made if isinstance(made, bytes) else made[1].decode("utf-8", "replace")
