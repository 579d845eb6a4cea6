"""The ``events`` bridge: listeners, patterns, history, replay, and functions around functions."""

from llmspell_std.events.bridge import EventsBridge

__all__ = ["EventsBridge"]
