"""The standard modules: which there are, and in what form."""

from __future__ import annotations

from llmspell_tengo.compiler import Module, NativeModule, SourceModule
from llmspell_tengo.machine.parts import CONCURRENT, STANDARD, source

SOURCE = ("enum",)

_SUSPENDING = {"times": frozenset({"sleep"})}
"""Functions of the standard modules that let other tasks run."""


def find_standard(name: str) -> Module | None:
    """Return the standard module of that name."""
    if name in STANDARD:
        return NativeModule(name, _SUSPENDING.get(name, frozenset()))
    if name in CONCURRENT:
        return NativeModule(name, None)
    if name in SOURCE:
        return SourceModule(name, source(f"{name}.tengo").decode())
    return None
