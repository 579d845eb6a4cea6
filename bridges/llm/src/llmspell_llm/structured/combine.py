"""Schemas together: merged into one, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmspell_llm.structured.schema import SchemaError

STRATEGIES = ("merge_all", "intersection", "override", "any_of")


def merge_schemas(schemas: Sequence[Mapping[str, Any]], strategy: str = "merge_all") -> dict[str, Any]:
    """Return one schema of several.

    Args:
        schemas: Two or more.
        strategy: ``merge_all`` (the properties of all, required where all require them), ``intersection`` (a value must
            fit all), ``override`` (the properties of all; of two of one name the later counts, and everything required
            stays so) or ``any_of`` (a value must fit one).

    Raises:
        SchemaError: There are fewer than two, or ``merge_all`` finds one property with two types.
    """
    if len(schemas) < 2:
        raise SchemaError("it takes two schemas to merge")
    if strategy not in STRATEGIES:
        raise SchemaError(f"there is no strategy {strategy!r}; strategies: {', '.join(STRATEGIES)}")
    if strategy == "any_of":
        return {"anyOf": [dict(schema) for schema in schemas]}
    if strategy == "intersection":
        return {"allOf": [dict(schema) for schema in schemas]}
    merged: dict[str, Any] = {"type": "object", "properties": {}}
    for schema in schemas:
        if schema.get("type", "object") != "object":
            raise SchemaError(f"only schemas of objects can be merged by {strategy!r}")
        for name, part in schema.get("properties", {}).items():
            known = merged["properties"].get(name)
            both = strategy == "merge_all" and known is not None and known != part
            merged["properties"][name] = _both(name, known, part) if both else part
        for key in ("$defs", "title", "description"):
            if key in schema:
                merged[key] = {**merged.get(key, {}), **schema[key]} if key == "$defs" else schema[key]
    every = [set(schema.get("required", ())) for schema in schemas]
    kept = set.union(*every) if strategy == "override" else set.intersection(*every)
    if kept:
        merged["required"] = [name for name in merged["properties"] if name in kept]
    return merged


def _both(name: str, first: Any, second: Any) -> Any:
    kinds = {str(part.get("type")) for part in (first, second) if isinstance(part, Mapping)}
    if len(kinds) > 1 and kinds != {"integer", "number"}:
        raise SchemaError(f"property {name!r} is {' here and '.join(sorted(kinds))} there", path=f"$.{name}")
    if kinds == {"object"}:
        return merge_schemas([first, second])
    return {**first, **second}


def diff_schemas(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changed: ``{added, removed, changed, breaking, compatible}``, properties by path.

    A change is breaking if a value that fitted the old schema may not fit the new one.

    Example:
        >>> a = {"type": "object", "properties": {"n": {"type": "integer"}}}
        >>> diff_schemas(a, {**a, "required": ["n"]})["breaking"]
        ['$.n is required now']
    """
    found: dict[str, Any] = {"added": [], "removed": [], "changed": {}, "breaking": []}
    _compare(old, new, "$", found)
    return {**found, "compatible": not found["breaking"]}


def _compare(old: Mapping[str, Any], new: Mapping[str, Any], path: str, found: dict[str, Any]) -> None:
    before, after = old.get("properties", {}), new.get("properties", {})
    required = set(new.get("required", ())) - set(old.get("required", ()))
    for name in after:
        if name not in before:
            found["added"].append(f"{path}.{name}")
    for name in before:
        if name not in after:
            found["removed"].append(f"{path}.{name}")
            if new.get("additionalProperties") is False:
                found["breaking"].append(f"{path}.{name} is not allowed any more")
        elif before[name] != after[name]:
            _compare(before[name], after[name], f"{path}.{name}", found)
    found["breaking"].extend(f"{path}.{name} is required now" for name in sorted(required))
    if "items" in old and "items" in new and old["items"] != new["items"]:
        _compare(old["items"], new["items"], f"{path}[]", found)
    nested = {"properties", "required", "items", "title", "description", "$defs", "examples"}
    changes = {
        key: {"old": old.get(key), "new": new.get(key)}
        for key in sorted((set(old) | set(new)) - nested)
        if old.get(key) != new.get(key)
    }
    if changes:
        found["changed"][path] = changes
        kinds = (old.get("type"), new.get("type"))
        if not set(changes) <= {"default", "deprecated"} and kinds != ("integer", "number"):
            found["breaking"].append(f"{path} changed {', '.join(changes)}")
