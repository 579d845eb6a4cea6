"""The ``json`` bridge: JSON texts, under the names people know from elsewhere."""

from __future__ import annotations

import json
from typing import Any

from llmspell.plugin import Bridge, BridgeError, Call, Value, export, instants_as_text
from llmspell_std.data import jsontext, paths, schemas
from llmspell_std.data.compare import Difference, difference
from llmspell_std.data.extract import extract
from llmspell_std.data.formats import read, write
from llmspell_std.data.samples import sample


class JsonBridge(Bridge):
    """Write, read, compare and mend JSON. ``data`` has the same for values."""

    name = "json"

    @export
    def encode(self, value: Value, *, pretty: bool = False, indent: int = 2, sort_keys: bool = False) -> str:
        """Write a value as JSON."""
        return jsontext.write(value, indent=indent if pretty else None, sort_keys=sort_keys)

    marshal = encode

    @export
    def decode(self, text: str) -> Value:
        """Read JSON."""
        found: Value = jsontext.parse(text)
        return found

    parse = decode
    unmarshal = decode

    @export
    def marshal_indent(self, value: Value, prefix: str = "", indent: str = "  ") -> str:
        """Write a value over several lines, each beginning with ``prefix``."""
        if len(indent) > jsontext.MAX_INDENT or indent.strip() or len(prefix) > 100:
            raise BridgeError("indent should be a few blanks, prefix at most 100 characters", code="invalid_argument")
        spread = jsontext.write(value, indent=0) if not indent else _reindented(value, indent)
        return ("\n" + prefix).join(spread.split("\n"))

    @export
    def marshal_to_bytes(self, value: Value) -> bytes:
        """Write a value as JSON in UTF-8."""
        return jsontext.write(value).encode("utf-8", "surrogatepass")

    @export
    def unmarshal_from_bytes(self, content: bytes | str) -> Value:
        """Read JSON from UTF-8."""
        try:
            text = content if isinstance(content, str) else content.decode("utf-8")
        except UnicodeDecodeError:
            raise BridgeError("the bytes are not UTF-8", code="invalid_json") from None
        found: Value = jsontext.parse(text)
        return found

    @export
    def unmarshal_strict(self, text: str) -> Value:
        """Read JSON, and refuse keys that stand twice."""
        return jsontext.parse(text, unique_keys=True)  # type: ignore[no-any-return]

    @export
    def encode_lines(self, values: list[Any]) -> str:
        """Write one value a line."""
        return "".join(jsontext.write(value) + "\n" for value in values)

    @export
    def decode_lines(self, text: str) -> list[Any]:
        """Read one value a line; empty lines are passed over."""
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    found.append(jsontext.parse(line))
                except BridgeError as error:
                    raise BridgeError(
                        f"line {number}: {error.message}", code=error.code, details={"line": number}
                    ) from None
        return found

    @export
    def validate(self, call: Call, text: str, schema: dict[str, Any]) -> schemas.Verdict:
        """Check a JSON text against a schema; a text that is no JSON is not valid."""
        try:
            value = jsontext.parse(text)
        except BridgeError as error:
            return schemas.Verdict(False, [schemas.Problem("", error.message)])
        return schemas.validate(value, schema, call.checkpoint)

    validate_with_schema = validate

    @export
    def generate_from_schema(self, schema: dict[str, Any]) -> Value:
        """Return a small value that a schema describes, from its defaults, examples and types."""
        found: Value = sample(schema)
        return found

    @export
    def infer_schema(self, example: Value) -> dict[str, Any]:
        """Return a schema that the value is an example of."""
        return schemas.infer(example)

    @export(blocking=True)
    def parse_structured(self, call: Call, text: str, schema: dict[str, Any]) -> Value:
        """Return the JSON inside a model's answer; refuse what does not fit the schema."""
        value: Value = extract(text)
        schemas.require(value, schema, call.checkpoint, "the JSON found does not fit the schema")
        return value

    @export(blocking=True)
    def parse_with_recovery(self, text: str) -> str:
        """Return the JSON inside a model's answer, mended, as a text."""
        return jsontext.write(extract(text))

    @export
    def enhance_prompt(self, prompt: str, schema: dict[str, Any], *, example: bool = False) -> str:
        """Return a prompt that also asks for an answer in JSON that fits a schema."""
        parts = [
            prompt,
            "Answer with JSON only, without any other text, that fits this JSON Schema:",
            jsontext.write(schema, indent=2),
        ]
        if example:
            parts += ["For example:", jsontext.write(sample(schema))]
        return "\n\n".join(parts)

    @export(blocking=True)
    def convert_format(self, text: str, source: str, target: str, *, pretty: bool = False) -> str:
        """Convert a text between ``json``, ``yaml``, ``xml``, ``csv`` and ``toml`` (which is only read)."""
        return write(read(text, source), target, pretty=pretty)

    @export
    def pretty_print(self, text: str, *, indent: int = 2) -> str:
        """Spread a JSON text over several lines."""
        return jsontext.write(jsontext.parse(text), indent=indent)

    @export
    def minify(self, text: str) -> str:
        """Write a JSON text without blanks."""
        return jsontext.write(jsontext.parse(text))

    @export
    def merge(self, objects: list[Any]) -> Value:
        """Merge values key by key, level by level; later ones win."""
        merged: Any = {}
        for item in objects:
            merged = paths.merge(merged, item)
        found: Value = merged
        return found

    @export
    def diff(self, before: dict[str, Any] | list[Any], after: dict[str, Any] | list[Any]) -> Difference:
        """Tell what was added, removed and modified."""
        return difference(before, after)


def _reindented(value: Value, indent: str) -> str:
    jsontext.write(value)
    return json.dumps(instants_as_text(value), ensure_ascii=False, allow_nan=False, indent=indent)
