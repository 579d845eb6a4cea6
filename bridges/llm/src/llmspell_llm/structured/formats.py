"""Schemas in other notations: text, YAML, OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmspell_llm.structured.schema import SchemaError
from llmspell_llm.yamltext import read_yaml

FORMATS = ("json-schema", "openapi", "yaml", "json")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def to_openapi(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as OpenAPI 3.0 writes it: ``nullable`` for null, one ``example``, no ``$schema``."""
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("$schema", "$id"):
            continue
        if key == "type" and isinstance(value, list):
            kinds = [kind for kind in value if kind != "null"]
            if len(kinds) != 1:
                raise SchemaError("OpenAPI 3.0 knows one type at a time", path="$.type")
            out["type"] = kinds[0]
            if "null" in value:
                out["nullable"] = True
        elif key == "const":
            out["enum"] = [value]
        elif key == "examples" and value:
            out["example"] = value[0]
        else:
            out[key] = _inside(key, value, to_openapi)
    return out


def from_openapi(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI 3.0 schema as JSON Schema."""
    out = {
        key: _inside(key, value, from_openapi) for key, value in schema.items() if key not in ("nullable", "example")
    }
    if schema.get("nullable") and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
    if "example" in schema:
        out["examples"] = [schema["example"]]
    return out


def _inside(key: str, value: Any, change: Any) -> Any:
    if key in ("properties", "$defs", "patternProperties") and isinstance(value, Mapping):
        return {name: change(part) if isinstance(part, Mapping) else part for name, part in value.items()}
    if key in ("items", "additionalProperties", "not") and isinstance(value, Mapping):
        return change(value)
    if key in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
        return [change(part) if isinstance(part, Mapping) else part for part in value]
    return value


def parse(text: str, format_: str = "json") -> dict[str, Any]:
    """Read a schema from a text.

    Raises:
        SchemaError: It is not in that format, or no object.
    """
    try:
        if format_ == "yaml":
            value = read_yaml(text)
        elif format_ in ("json", "json-schema", "openapi"):
            value = json.loads(text)
        else:
            raise SchemaError(f"there is no format {format_!r}; formats: {', '.join(FORMATS)}")
    except SchemaError:
        raise
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"this is no {format_}: {str(error).splitlines()[0]}") from error
    if not isinstance(value, dict):
        raise SchemaError(f"a schema is an object, not {type(value).__name__}")
    return from_openapi(value) if format_ == "openapi" else value


def write(schema: Mapping[str, Any], format_: str = "json-schema") -> str:
    """Write a schema as text.

    Raises:
        SchemaError: There is no such format.
    """
    if format_ in ("json", "json-schema"):
        return json.dumps({"$schema": _DIALECT, **schema}, indent=2, ensure_ascii=False)
    if format_ == "openapi":
        return json.dumps(to_openapi(schema), indent=2, ensure_ascii=False)
    if format_ == "yaml":
        import yaml

        text: str = yaml.safe_dump(dict(schema), sort_keys=False, allow_unicode=True)
        return text
    raise SchemaError(f"there is no format {format_!r}; formats: {', '.join(FORMATS)}")
