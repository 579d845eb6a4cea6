"""The ``structured`` bridge: schemas made, checked against data, and kept by name and version."""

from __future__ import annotations

from llmspell_llm.bridges.structured.checking import CheckingExports
from llmspell_llm.bridges.structured.keeping import KeepingExports
from llmspell_llm.bridges.structured.making import MakingExports


class StructuredBridge(MakingExports, CheckingExports, KeepingExports):
    """Schemas: made, kept by name and version, compared, and checked against data.

    Where a schema is asked for, a name of a kept one, a JSON Schema, or a short description will do:
    ``{name = "string", age = "integer?", tags = "string[]"}``.
    """

    name = "structured"
    permissions = ("read", "write")
