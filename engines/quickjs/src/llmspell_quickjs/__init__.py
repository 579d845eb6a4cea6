"""The JavaScript engine of llmspell, on quickjs-ng."""

__version__ = "0.1.0"
