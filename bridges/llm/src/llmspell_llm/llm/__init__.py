"""The ``llm`` bridge: questions to models, answers constrained, checked, counted and priced."""

from llmspell_llm.llm.account import Account, FreeAccount, Report
from llmspell_llm.llm.asking import Asking
from llmspell_llm.llm.streaming import AnswerStream

__all__ = ["Account", "AnswerStream", "Asking", "FreeAccount", "Report"]
