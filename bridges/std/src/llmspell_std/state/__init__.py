"""The ``state`` bridge: values that outlive a run, by dotted path, named, versioned, saved."""

from llmspell_std.state.bridge import StateBridge

__all__ = ["StateBridge"]
