"""The JavaScript engine of llmspell, on quickjs-ng."""
