"""Reverse Polish notation for llmspell."""
