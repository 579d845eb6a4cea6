"""From the bound tree to Lua: one class, in layers by subject, each building on the one before."""

from llmspell_tengo.compiler.emit.program import Emitted, emit

__all__ = ["Emitted", "emit"]
