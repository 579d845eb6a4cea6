"""Schemas made rather than written: from examples, and from short descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from llmspell.values import instants_as_text
from llmspell_llm.structured.schema import SchemaError

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_INSTANT = "date-time"
_SHORT = {"str": "string", "text": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array",
          "table": "object", "map": "object"}  # fmt: skip


def infer_schema(values: Sequence[Any], *, required: bool = True) -> dict[str, Any]:
    """Return a schema that every one of some values fits, and little else.

    Args:
        values: At least one example.
        required: Keys that every example of an object has are required.

    Example:
        >>> infer_schema([{"n": 1}, {"n": 2.5}])
        {'type': 'object', 'properties': {'n': {'type': 'number'}}, 'required': ['n']}
    """
    if not values:
        raise SchemaError("a schema cannot be inferred from nothing")
    kinds = {_kind(value) for value in values}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if kinds == {_INSTANT, "string"}:
        kinds = {"string"}
    if kinds == {"object"}:
        return _object(values, required)
    if kinds == {"array"}:
        items = [item for value in values for item in value]
        return {"type": "array", "items": infer_schema(items, required=required)} if items else {"type": "array"}
    if kinds == {_INSTANT}:
        return {"type": "string", "format": _INSTANT}
    if len(kinds) == 1:
        return {"type": kinds.pop()}
    groups = [[value for value in values if _kind(value) == kind] for kind in sorted(kinds)]
    return {"anyOf": [infer_schema(group, required=required) for group in groups]}


def _object(values: Sequence[Any], required: bool) -> dict[str, Any]:
    keys = dict.fromkeys(key for value in values for key in value)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            key: infer_schema([value[key] for value in values if key in value], required=required) for key in keys
        },
    }
    always = [key for key in keys if all(key in value for value in values)]
    if required and always:
        schema["required"] = always
    return schema


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str() | bytes():
            return "string"
        case datetime():
            return _INSTANT
        case Mapping():
            return "object"
        case list() | tuple():
            return "array"
        case _:
            raise SchemaError(f"a {type(value).__name__} has no schema")


def expand(short: Any) -> dict[str, Any]:
    """Return the schema that a short description stands for.

    ``"string"``, ``"integer?"`` (optional), ``"string[]"`` (a list), ``{name = "string", age = "integer?"}`` (an
    object), ``{"red", "green"}`` (one of these); what has a ``type`` or another keyword of JSON Schema is one already.

    Raises:
        SchemaError: It stands for nothing.

    Example:
        >>> expand({"name": "string", "tags": "string[]?"})["required"]
        ['name']
    """
    if isinstance(short, str):
        return _named(short.removesuffix("?"))
    if isinstance(short, list):
        if not short:
            raise SchemaError("an empty list describes nothing")
        return {"enum": list(short)}
    if not isinstance(short, Mapping):
        raise SchemaError(f"{instants_as_text(short)!r} describes no schema")
    if is_schema(short):
        return dict(short)
    properties = {key: expand(value) for key, value in short.items()}
    required = [key for key, value in short.items() if not (isinstance(value, str) and value.endswith("?"))]
    return {"type": "object", "properties": properties, "required": required}


def is_schema(given: Mapping[str, Any]) -> bool:
    """Tell whether a table is a JSON Schema rather than a description of an object's keys."""
    kind = given.get("type")
    if isinstance(kind, str) and kind in _TYPES and not (set(given) - _KEYWORDS):
        return True
    return bool(set(given) & _UNMISTAKABLE) or not given


_UNMISTAKABLE = {"$ref", "$schema", "$defs", "anyOf", "oneOf", "allOf", "enum", "const", "properties"}
_KEYWORDS = _UNMISTAKABLE | {
    "type", "title", "description", "default", "examples", "format", "pattern", "minLength", "maxLength", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "items", "prefixItems", "minItems", "maxItems",
    "uniqueItems", "contains", "required", "additionalProperties", "patternProperties", "propertyNames",
    "minProperties", "maxProperties", "not", "if", "then", "else", "dependentRequired", "deprecated", "readOnly",
}  # fmt: skip


def _named(name: str) -> dict[str, Any]:
    if name.endswith("[]"):
        return {"type": "array", "items": _named(name[:-2])}
    kind = _SHORT.get(name, name)
    if kind not in _TYPES:
        raise SchemaError(f"there is no type {name!r}; types: {', '.join(_TYPES)}")
    return {"type": kind}
