"""Questions to models: answers constrained, checked, counted and priced.

May import ``conversation``, ``errors``, ``prices``, ``structured``, ``providers`` and ``adapter``.
"""

from llmspell_llm.llm.account import Account, FreeAccount, Report
from llmspell_llm.llm.asking import Asking
from llmspell_llm.llm.streaming import AnswerStream

__all__ = ["Account", "AnswerStream", "Asking", "FreeAccount", "Report"]
