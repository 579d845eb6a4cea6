"""Making schemas: from descriptions, examples, texts, and each other."""

from __future__ import annotations

from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.structured.base import StructuredBase, checked
from llmspell_llm.structured import Schema, diff_schemas, expand, infer_schema, merge_schemas
from llmspell_llm.structured.formats import from_openapi, parse, to_openapi, write


class MakingExports(StructuredBase):
    """The exports that make schemas."""

    @export
    def create_schema(self, definition: Any) -> dict[str, Any]:
        """Return the JSON Schema of a description, checked.

        Args:
            definition: A JSON Schema, or a short description: ``{name = "string", age = "integer?"}``.
        """
        return self.table_of(definition)

    @export
    def create_property(self, type: str, constraints: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the schema of one property: a type and its constraints, checked."""
        made = {**expand(type), **(constraints or {})}
        Schema(made)
        return made

    @export
    def infer(self, example: Any, *, many: bool = False, required: bool = True) -> dict[str, Any]:
        """Return the schema that an example fits.

        Args:
            example: A value; with ``many`` a list of values that all must fit.
            many: ``example`` holds several examples.
            required: Keys that are always there are required.
        """
        if many and not isinstance(example, list):
            raise ArgumentError("with many, example should be a list of examples", parameter="example", position=1)
        return infer_schema(example if many else [example], required=required)

    @export
    def from_json_schema(self, text: str) -> dict[str, Any]:
        """Read a JSON Schema from its text."""
        return checked(parse(text, "json"))

    @export
    def to_json_schema(self, schema: Any) -> str:
        """Write a schema as the text of a JSON Schema."""
        return write(self.table_of(schema), "json-schema")

    @export
    def to_openapi(self, schema: Any) -> dict[str, Any]:
        """Return a schema as OpenAPI 3.0 writes it."""
        return to_openapi(self.table_of(schema))

    @export
    def from_openapi(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return an OpenAPI 3.0 schema as JSON Schema."""
        return checked(from_openapi(schema))

    @export
    def convert_format(self, text: str, source: str, target: str) -> str:
        """Turn the text of a schema from one format into another: ``json-schema``, ``openapi`` or ``yaml``."""
        return write(checked(parse(text, source)), target)

    @export
    def import_from_string(self, text: str, format: str = "json") -> dict[str, Any]:
        """Read a schema from a text: ``json``, ``yaml`` or ``openapi``."""
        return checked(parse(text, format))

    @export(blocking=True, permissions=("read",))
    def import_from_file(self, call: Call, path: str, format: str | None = None) -> dict[str, Any]:
        """Read a schema from a file that the policy grants; the format is that of its name if not given."""
        chosen = format or ("yaml" if path.endswith((".yaml", ".yml")) else "json")
        return checked(parse(call.files.read_text(path), chosen))

    @export
    def merge_schemas(self, schemas: list[Any], strategy: str = "merge_all") -> dict[str, Any]:
        """Return one schema of several.

        Args:
            schemas: Two or more.
            strategy: ``merge_all`` (all properties, required where all require them), ``override`` (the later counts),
                ``intersection`` (a value must fit all) or ``any_of`` (one is enough).
        """
        return checked(merge_schemas([self.table_of(schema) for schema in schemas], strategy))

    @export
    def diff_schemas(self, old: Any, new: Any) -> dict[str, Any]:
        """Tell what changed between two schemas: ``{added, removed, changed, breaking, compatible}``."""
        return diff_schemas(self.table_of(old), self.table_of(new))
