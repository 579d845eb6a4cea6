"""Small values that fit a schema, for prompts and tests."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import BridgeError

_MAX_DEPTH = 16
_MAX_ITEMS = 16
_MAX_NODES = 10_000
_FORMATS = {
    "email": "user@example.org",
    "uri": "https://example.org/",
    "date": "2000-01-01",
    "time": "00:00:00Z",
    "date-time": "2000-01-01T00:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def sample(schema: Any) -> Any:
    """Return a value that a schema describes.

    Raises:
        BridgeError: ``invalid_schema``: it refers elsewhere, nests too deep, or asks for too much.
    """
    return _Sampler(schema).make(schema, 0)


class _Sampler:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes = 0

    def make(self, schema: Any, depth: int) -> Any:
        self._nodes += 1
        if depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            raise BridgeError("the schema nests too deep or asks for too much", code="invalid_schema")
        if not isinstance(schema, dict):
            return None
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if isinstance(schema.get(key), list) and schema[key]:
                return schema[key][0]
        if "$ref" in schema:
            return self.make(self._referred(str(schema["$ref"])), depth + 1)
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return self.make(schema[key][0], depth + 1)
        if isinstance(schema.get("allOf"), list):
            parts = [self.make(part, depth + 1) for part in schema["allOf"][:_MAX_ITEMS]]
            tables = [part for part in parts if isinstance(part, dict)]
            return {key: part for table in tables for key, part in table.items()} if tables else next(iter(parts), None)
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "null")
        if isinstance(kind, list):
            kind = kind[0] if kind else "null"
        if kind == "object":
            properties = schema.get("properties", {})
            properties = properties if isinstance(properties, dict) else {}
            return {name: self.make(below, depth + 1) for name, below in properties.items()}
        if kind == "array":
            least = min(max(_whole(schema.get("minItems"), 1), 1), _MAX_ITEMS)
            return [self.make(schema.get("items", {}), depth + 1) for _ in range(least)]
        if kind == "string":
            text = _FORMATS.get(str(schema.get("format")), "text")
            return text.ljust(min(_whole(schema.get("minLength"), 0), 1000), "x")[
                : _whole(schema.get("maxLength"), 1000)
            ]
        if kind in ("integer", "number"):
            lowest, highest = schema.get("minimum"), schema.get("maximum")
            number = lowest if isinstance(lowest, int | float) else highest if isinstance(highest, int | float) else 0
            return int(number) if kind == "integer" else number
        return {"boolean": True, "null": None}.get(str(kind))

    def _referred(self, reference: str) -> Any:
        here = self._root
        if not reference.startswith("#"):
            raise BridgeError(f"the schema refers to {reference!r}, which it does not hold", code="invalid_schema")
        for part in reference[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(here, dict) or key not in here:
                raise BridgeError(f"the schema refers to {reference!r}, which it does not hold", code="invalid_schema")
            here = here[key]
        return here


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
