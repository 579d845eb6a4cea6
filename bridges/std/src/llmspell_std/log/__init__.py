"""The ``log`` bridge: levelled, structured messages of scripts."""

from llmspell_std.log.bridge import LogBridge

__all__ = ["LogBridge"]
