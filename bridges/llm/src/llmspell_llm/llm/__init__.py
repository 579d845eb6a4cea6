"""The ``llm`` bridge: questions to models, answers constrained, checked, counted and priced."""

from llmspell_llm.llm.asking import Asking, Spend

__all__ = ["Asking", "Spend"]
