"""``DataBridge``: what scripts see as ``data``."""

from __future__ import annotations

from typing import Any, Literal

from llmspell.plugin import Bridge, BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.data import formats, jsontext, paths, schemas
from llmspell_std.data.compare import Difference, difference
from llmspell_std.data.extract import extract
from llmspell_std.data.truth import is_true

Collection = list[Any] | dict[str, Any]


class DataBridge(Bridge):
    """Work with values: JSON and other formats, collections, paths, schemas.

    Values are copied when they cross, so nothing here changes a table of the script: functions return the changed
    copy. Places of lists count from 1 for Lua and from 0 elsewhere.
    """

    name = "data"

    @export
    def parse_json(self, call: Call, text: str, schema: dict[str, Value] | None = None) -> Value:
        """Parse JSON; with ``schema``, refuse what does not fit it."""
        value: Value = jsontext.parse(text)
        if schema is not None:
            schemas.require(value, schema, call.checkpoint, "the JSON does not fit the schema")
        return value

    from_json = parse_json

    @export
    def to_json(
        self,
        value: Value,
        style: Literal["compact", "pretty"] = "compact",
        *,
        pretty: bool = False,
        indent: int = 2,
        sort_keys: bool = False,
    ) -> str:
        """Write a value as JSON, on one line unless ``"pretty"`` or ``{pretty = true}``."""
        spread = pretty or style == "pretty"
        return jsontext.write(value, indent=indent if spread else None, sort_keys=sort_keys)

    @export(blocking=True)
    def extract_structured(
        self, call: Call, text: str, schema: dict[str, Value] | None = None, *, repair: bool = True
    ) -> Value:
        """Return the JSON inside a model's answer, out of code fences and prose, mended if it is slightly broken."""
        value: Value = extract(text, repair=repair)
        if schema is not None:
            schemas.require(value, schema, call.checkpoint, "the JSON found does not fit the schema")
        return value

    @export(blocking=True)
    def convert_format(self, value: Value, source: str, target: str, *, pretty: bool = False) -> Value:
        """Convert between ``json``, ``yaml``, ``toml`` (reading only), ``csv``, ``xml`` texts and ``table`` values."""
        if source != "table":
            if not isinstance(value, str):
                raise BridgeError(f"{source} is read from a text", code="invalid_argument")
            value = formats.read(value, source)
        return value if target == "table" else formats.write(value, target, pretty=pretty)

    @export
    def validate(self, call: Call, value: Value, schema: dict[str, Value]) -> schemas.Verdict:
        """Check a value against a JSON Schema; never raises for the value, only for the schema."""
        return schemas.validate(value, schema, call.checkpoint)

    @export
    def infer_schema(self, value: Value) -> dict[str, Any]:
        """Return a JSON Schema that the value is an example of."""
        return schemas.infer(value)

    @export
    def migrate_schema(self, call: Call, value: Value, old: dict[str, Value], new: dict[str, Value]) -> Value:
        """Carry a value over from one schema to another, with defaults for what is new."""
        return schemas.migrate(value, old, new, call.checkpoint)

    @export
    async def map(self, call: Call, collection: Collection, fn: ScriptFunction) -> Collection:
        """Return the collection with ``fn(value, key)`` in place of each value."""
        if isinstance(collection, dict):
            return {key: await fn(part, key) for key, part in collection.items()}
        first = paths.first_index(call.language)
        return [await fn(part, place) for place, part in enumerate(collection, first)]

    @export
    async def filter(self, call: Call, collection: Collection, fn: ScriptFunction) -> Collection:
        """Return those values for which ``fn(value, key)`` is true."""
        if isinstance(collection, dict):
            return {key: part for key, part in collection.items() if is_true(call.language, await fn(part, key))}
        first = paths.first_index(call.language)
        return [part for place, part in enumerate(collection, first) if is_true(call.language, await fn(part, place))]

    @export
    async def reduce(self, call: Call, collection: Collection, fn: ScriptFunction, initial: Value = None) -> Value:
        """Fold the collection with ``fn(so_far, value, key)``; without ``initial`` it begins with the first value."""
        first = paths.first_index(call.language)
        items: list[tuple[str | int, Value]] = (
            list(collection.items()) if isinstance(collection, dict) else list(enumerate(collection, first))
        )
        if initial is None:
            if not items:
                return None
            initial = items.pop(0)[1]
        for key, part in items:
            initial = await fn(initial, part, key)
        return initial

    @export
    def clone(self, value: Value) -> Value:
        """Return a deep copy."""
        return value

    @export
    def merge(self, value: Value, *others: Value) -> Value:
        """Merge tables key by key, level by level; what comes later wins, and lists are replaced whole."""
        for other in others:
            value = paths.merge(value, other)
        return value

    @export
    def get_path(self, call: Call, value: Value, path: str, default: Value = None) -> Value:
        """Return what stands at a path like ``"users.1.name"``, or ``default``."""
        found = paths.look_up(value, paths.split_path(path), paths.first_index(call.language))
        return default if found is paths.MISSING else found

    @export
    def set_path(self, call: Call, value: Collection, path: str, item: Value) -> Any:
        """Return the value with ``item`` at a path; missing levels are made."""
        changed = paths.copied(value) if value else {}
        paths.put(changed, paths.split_path(path), item, paths.first_index(call.language))
        return changed

    @export
    def delete_path(self, call: Call, value: Collection, path: str) -> Any:
        """Return the value without what stands at a path."""
        changed = paths.copied(value)
        paths.take(changed, paths.split_path(path), paths.first_index(call.language))
        return changed

    @export
    def diff(self, before: Collection, after: Collection) -> Difference:
        """Tell what was added, removed and modified between two values."""
        return difference(before, after)

    @export
    def equals(self, left: Value, right: Value) -> bool:
        """Compare two values in depth."""
        return bool(left == right)
