"""The ``core`` bridge: what a language's own library lacks, the same in every language."""

from llmspell_std.core.bridge import CoreBridge

__all__ = ["CoreBridge"]
