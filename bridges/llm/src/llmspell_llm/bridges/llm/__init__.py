"""The ``llm`` bridge: questions to models, streams, conversations, and which model is asked."""

from __future__ import annotations

from llmspell_llm.bridges.llm.choosing import ChoosingExports
from llmspell_llm.bridges.llm.questions import QuestionExports
from llmspell_llm.bridges.llm.streams import StreamExports
from llmspell_llm.bridges.llm.texts import TextExports


class LlmBridge(QuestionExports, StreamExports, ChoosingExports, TextExports):
    """Ask language models.

    Without a ``model`` the default is asked: the configured one, else the first provider whose key is in the
    environment, else the embedded model. Every answer's tokens and cost count against the run's budget.
    """

    name = "llm"
    requires = ("modelinfo", "structured")
    permissions = ("model",)
