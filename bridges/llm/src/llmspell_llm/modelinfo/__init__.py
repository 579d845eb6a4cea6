"""The ``modelinfo`` bridge: which models a host can reach, what they can do and what they cost.

One for all sessions of a host: it owns the providers that the environment and the configuration name, the embedded
model's server among them, and the connections to them. May import every room but those of other bridges.
"""

from llmspell_llm.modelinfo.bridge import ModelInfoBridge

__all__ = ["ModelInfoBridge"]
