"""The back of the front end: names bound, types found, Lua emitted.

May import ``syntax``. What comes out is data: text for ``load`` and tables that lead back to the source.
"""

from llmspell_tengo.compiler.modules import HostModule, Module, Modules, NativeModule, SourceModule
from llmspell_tengo.compiler.options import BUILTINS, CompileOptions
from llmspell_tengo.compiler.program import CompiledProgram, compile_program
from llmspell_tengo.compiler.resolve import resolve

__all__ = [
    "BUILTINS",
    "CompileOptions",
    "CompiledProgram",
    "HostModule",
    "Module",
    "Modules",
    "NativeModule",
    "SourceModule",
    "compile_program",
    "resolve",
]
