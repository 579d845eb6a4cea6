"""The ``errors`` bridge: errors as plain tables, and ways to live with failure."""

from llmspell_std.errors.bridge import ErrorsBridge

__all__ = ["ErrorsBridge"]
