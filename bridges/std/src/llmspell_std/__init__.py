"""The standard bridges of llmspell: data, log, core, fs and more."""
