"""What the parts of the ``structured`` bridge share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell.plugin import Bridge
from llmspell_llm.structured import Schema, SchemaError, SchemaRegistry, expand


class StructuredBase(Bridge):
    """Knows the session's schemas."""

    def __init__(self) -> None:
        self.registry = SchemaRegistry()

    def schema_of(self, given: Any) -> Schema:
        """Return the schema that a script means: by name, as it is, or described.

        Raises:
            SchemaError: It means none.
        """
        if not isinstance(given, str):
            return Schema(expand(given))
        if given in self.registry:
            return self.registry.get(given)
        try:
            return Schema(expand(given))
        except SchemaError:
            return self.registry.get(given)

    def table_of(self, given: Any) -> dict[str, Any]:
        """Return a schema as a table."""
        definition = (given if isinstance(given, Schema) else self.schema_of(given)).definition
        if isinstance(definition, Mapping):
            return dict(definition)
        return {} if definition else {"not": {}}


def checked(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition that is a schema.

    Raises:
        SchemaError: It is none.
    """
    Schema(definition)
    return definition
