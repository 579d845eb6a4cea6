"""The embedded model of llmspell: the provider that needs no key."""
