"""The model bridges of llmspell: llm, providers, agents, tools."""
