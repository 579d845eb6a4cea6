"""The standard bridges of llmspell. Each lives in a room or module of its own and is imported on first use.

May import ``llmspell.plugin``, ``llmspell.errors`` and ``llmspell.guards``; files and hosts are reached through
``call.files`` and ``call.net`` only.
"""
