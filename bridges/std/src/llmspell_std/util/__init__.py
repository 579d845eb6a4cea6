"""The ``util`` bridge (also ``utils``): small helpers, and short names for functions of other bridges."""

from llmspell_std.util.bridge import UtilBridge

__all__ = ["UtilBridge"]
