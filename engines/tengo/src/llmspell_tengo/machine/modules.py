"""The standard modules: which there are, and in what form."""

from __future__ import annotations

from llmspell_tengo.compiler import Module, NativeModule, SourceModule
from llmspell_tengo.machine.vm import runtime_source

NATIVE = ("base64", "fmt", "hex", "json", "math", "rand", "text", "times")
SOURCE = ("enum",)


def find_standard(name: str) -> Module | None:
    """Return the standard module of that name."""
    if name in NATIVE:
        return NativeModule(name)
    if name in SOURCE:
        return SourceModule(name, runtime_source(f"{name}.tengo").decode())
    return None
