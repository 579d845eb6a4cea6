"""The Tengo language: compiled to Lua 5.4 and run on lupa, as an engine of llmspell and on its own."""

__version__ = "0.1.0"
