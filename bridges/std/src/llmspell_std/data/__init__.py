"""The ``data`` bridge: values in, values out, with nothing reached of the world."""

from llmspell_std.data.bridge import DataBridge

__all__ = ["DataBridge"]
