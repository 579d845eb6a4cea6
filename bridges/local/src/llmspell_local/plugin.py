"""What this distribution offers to the host.

The provider itself is not offered here: ``llmspell-llm`` finds it in its own entry-point group.
"""
