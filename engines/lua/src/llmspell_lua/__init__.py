"""The Lua engine of llmspell, on lupa."""
