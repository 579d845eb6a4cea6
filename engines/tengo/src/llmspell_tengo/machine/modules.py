"""The standard modules: which there are, and in what form."""

from __future__ import annotations

from llmspell_tengo.compiler import Module, NativeModule, SourceModule
from llmspell_tengo.machine.parts import STANDARD, source

SOURCE = ("enum",)


def find_standard(name: str) -> Module | None:
    """Return the standard module of that name."""
    if name in STANDARD:
        return NativeModule(name)
    if name in SOURCE:
        return SourceModule(name, source(f"{name}.tengo").decode())
    return None
