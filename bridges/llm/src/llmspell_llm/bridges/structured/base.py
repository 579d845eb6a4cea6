"""What the parts of the ``structured`` bridge share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell.plugin import Bridge, BridgeContext
from llmspell_llm.structured import Schema, SchemaError, SchemaRegistry, expand


class StructuredBase(Bridge):
    """Knows the session's schemas; first of all those that the host's configuration names.

    There ``schemas`` holds, by name, JSON Schemas, or, given in Python, types such as pydantic models:
    ``Host(config={"bridges": {"structured": {"schemas": {"person": Person}}}})``.
    """

    def __init__(self) -> None:
        self.registry = SchemaRegistry()

    async def open(self, context: BridgeContext) -> None:
        """Take over the host's schemas."""
        for name, given in dict(context.config.get("schemas") or {}).items():
            schema = Schema(given) if isinstance(given, Mapping) else Schema.of_type(given)
            self.registry.save(name, schema.definition)

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
