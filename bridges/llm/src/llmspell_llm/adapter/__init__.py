"""The only contact with pydantic-ai: endpoints become its models, our messages its messages, its errors ours.

May import ``conversation``, ``errors``, ``prices``, ``structured`` and ``providers``. Importing this package loads
nothing heavy; its modules other than ``connection`` do and are imported where a model is first asked.
"""

from llmspell_llm.adapter.connection import Connection, Connections

__all__ = ["Connection", "Connections"]
