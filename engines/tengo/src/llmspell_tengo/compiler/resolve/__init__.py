"""Bind names, find modules, refuse what the reference refuses at compile time, in the order it does.

One class in layers by subject, each building on the one before: scopes, expressions, statements, files. May import
``syntax`` and the compiler's data (``modules``, ``options``, ``symbols``, ``types``).
"""

from llmspell_tengo.compiler.resolve.files import resolve

__all__ = ["resolve"]
