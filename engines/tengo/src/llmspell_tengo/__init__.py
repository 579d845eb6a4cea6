"""The Tengo engine of llmspell: Tengo compiled to Lua 5.4."""
