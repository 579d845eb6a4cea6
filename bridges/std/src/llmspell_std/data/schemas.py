"""JSON Schema: checking, guessing and migrating values, with no way to the network and no regular expression trap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from llmspell.plugin import BridgeError, Value, instants_as_text

_MAX_STEPS = 200_000
_MAX_PROBLEMS = 100
Checkpoint = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a value does not fit. ``path`` is like ``"users.0.name"``, empty for the value itself."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a value came to."""

    valid: bool
    errors: list[Problem]


def validate(value: Value, schema: dict[str, Any], checkpoint: Checkpoint) -> Verdict:
    """Check a value against a JSON Schema (draft 2020-12 unless it names another), as the JSON it would be.

    Args:
        checkpoint: Called now and then, so that a schema that takes for ever does not.

    Raises:
        BridgeError: ``invalid_schema``; ``too_complex`` beyond 200,000 steps.
    """
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    schema = instants_as_text(schema)
    validator = _validator(schema, _Steps(checkpoint))
    problems: list[Problem] = []
    try:
        type(validator).check_schema(schema)
        for error in validator.iter_errors(instants_as_text(value)):
            problems.append(Problem(".".join(map(str, error.absolute_path)), _short(error.message)))
            if len(problems) >= _MAX_PROBLEMS:
                break
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path))
        raise BridgeError(
            f"the schema is not valid: {_short(error.message)}" + (f" (at {where})" if where else ""),
            code="invalid_schema",
        ) from None
    except Unresolvable as error:
        raise BridgeError(
            f"the schema refers to {error.ref!r}, which it does not hold", code="invalid_schema"
        ) from None
    except RecursionError:
        raise BridgeError("the schema or the value is nested too deep to check", code="too_complex") from None
    return Verdict(not problems, problems)


class _Steps:
    """Counts the keywords that are checked."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._left = _MAX_STEPS
        self._checkpoint = checkpoint

    def take(self) -> None:
        self._left -= 1
        if self._left % 1024 == 0:
            self.look()
        if self._left < 0:
            raise BridgeError(f"checking the schema took more than {_MAX_STEPS:,} steps", code="too_complex")

    def look(self) -> None:
        """Ask whether there is time to go on."""
        self._checkpoint()


def _validator(schema: dict[str, Any], steps: _Steps) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend, validator_for
    from jsonschema_specifications import REGISTRY

    if not isinstance(schema.get("$schema", ""), str):
        raise BridgeError("the schema's $schema should be a text", code="invalid_schema")
    if _holds(schema, "unevaluatedProperties") and _holds(schema, "patternProperties"):
        raise BridgeError(
            "a schema with both unevaluatedProperties and patternProperties is not supported", code="invalid_schema"
        )
    base: Any = validator_for(schema, default=Draft202012Validator)
    ours = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    }
    keywords = {name: _counted(ours.get(name, check), steps) for name, check in base.VALIDATORS.items()}
    keywords |= {name: _following(keywords[name], steps) for name in _REFERENCES & keywords.keys()}
    return extend(base, keywords)(schema, registry=REGISTRY)


def _holds(item: Any, keyword: str) -> bool:
    stack = [item]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            if keyword in here:
                return True
            stack.extend(here.values())
        elif isinstance(here, list):
            stack.extend(here)
    return False


_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})


def _following(function: Callable[..., Any], steps: _Steps) -> Callable[..., Iterator[Any]]:
    """Follow references: to do so can take as long as to read the whole schema, and may lead to what is no schema."""
    from jsonschema.exceptions import UnknownType

    def check(validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
        steps.look()
        try:
            yield from function(validator, reference, instance, schema)
        except (UnknownType, AttributeError, TypeError, ValueError) as error:  # the rest is known to be a schema
            raise BridgeError(
                f"what the schema refers to as {reference!r} is no schema", code="invalid_schema"
            ) from error

    return check


def _counted(function: Callable[..., Any], steps: _Steps) -> Callable[..., Iterator[Any]]:
    def check(validator: Any, keyword: Any, instance: Any, schema: Any) -> Iterator[Any]:
        steps.take()
        yield from function(validator, keyword, instance, schema) or ()

    return check


# These replace the library's own, whose regular expressions backtrack without bound.


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        for pattern, below in patterns.items():
            for name, part in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(part, below, path=name, schema_path=pattern)


def _additional_properties(validator: Any, below: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, part in instance.items():
        if name in known or any(_matches(pattern, name) for pattern in patterns):
            continue
        if below is False:
            yield ValidationError(f"{name!r} is not expected here")
        else:
            yield from validator.descend(part, below, path=name)


def _unique_items(validator: Any, wanted: bool, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if wanted and isinstance(instance, list) and len({repr(_canonical(part)) for part in instance}) < len(instance):
        yield ValidationError("its items are not all different")


def _canonical(item: Any) -> Any:
    """Make what JSON Schema calls equal the same: 1 and 1.0, dicts in any order; but not 1 and true."""
    if isinstance(item, dict):
        return sorted((key, _canonical(part)) for key, part in item.items())
    if isinstance(item, list):
        return [_canonical(part) for part in item]
    return int(item) if isinstance(item, float) and item.is_integer() else item


def _matches(pattern: str, text: str) -> bool:
    try:
        return _compiled(pattern).search(text) is not None
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        raise BridgeError(
            f"the pattern {_short(pattern)!r} is not supported: no look-around or back-references",
            code="invalid_schema",
        ) from None


def _short(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def infer(value: Value) -> dict[str, Any]:
    """Return the schema of a value taken as an example: every key it has is required."""
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {key: infer(part) for key, part in value.items()},
            "required": list(value),
        }
    if isinstance(value, list):
        kinds = {repr(_canonical(kind)): kind for kind in map(infer, value)}
        items = list(kinds.values())
        return {"type": "array"} if not items else {"type": "array", "items": _any_of(items)}
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return {"type": name}
    if isinstance(value, datetime):
        return {"type": "string", "format": "date-time"}
    if value is None:
        return {"type": "null"}
    raise BridgeError("only plain data has a schema", code="not_json")


def _any_of(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def migrate(value: Value, old: dict[str, Any], new: dict[str, Any], checkpoint: Checkpoint) -> Value:
    """Make a value that fits ``old`` fit ``new``: kept as it is if it does, else its known properties with defaults.

    Raises:
        BridgeError: ``invalid_data``: it does not fit ``old``, or cannot be made to fit ``new``.
    """
    require(value, old, checkpoint, "the value does not fit the old schema")
    if validate(value, new, checkpoint).valid:
        return value
    moved = _fitted(value, new)
    require(moved, new, checkpoint, "the value cannot be made to fit the new schema")
    return moved


def _fitted(value: Value, schema: Any) -> Value:
    if not (isinstance(value, dict) and isinstance(schema, dict) and isinstance(schema.get("properties"), dict)):
        return value
    fitted: dict[str, Value] = {}
    for name, below in schema["properties"].items():
        if name in value:
            fitted[name] = _fitted(value[name], below)
        elif isinstance(below, dict) and "default" in below:
            fitted[name] = below["default"]
    return fitted


def require(value: Value, schema: dict[str, Any], checkpoint: Checkpoint, message: str) -> None:
    """Check a value and refuse it if it does not fit.

    Raises:
        BridgeError: ``invalid_data``; ``details`` holds the errors.
    """
    verdict = validate(value, schema, checkpoint)
    if not verdict.valid:
        first = verdict.errors[0]
        where = f" (at {first.path})" if first.path else ""
        raise BridgeError(
            f"{message}: {first.message}{where}",
            code="invalid_data",
            details={"errors": [{"path": each.path, "message": each.message} for each in verdict.errors]},
            exit_code=10,
        )
