"""JSON as text: strict both ways, with errors a script author can act on."""

from __future__ import annotations

import datetime
import json
from typing import Any, NoReturn

from llmspell.plugin import BridgeError, instants_as_text

MAX_INDENT = 16


def parse(text: str, *, unique_keys: bool = False) -> Any:
    """Parse strict JSON: no NaN, no Infinity.

    Args:
        unique_keys: Also refuse a key that stands twice in one object; else the last one counts.

    Raises:
        BridgeError: ``invalid_json``, with line and column; both also in ``details``.
    """
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice if unique_keys else None
        )
    except json.JSONDecodeError as error:
        raise BridgeError(
            f"the text is not JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            code="invalid_json",
            details={"line": error.lineno, "column": error.colno},
        ) from None
    except RecursionError:
        raise BridgeError("the JSON text is nested too deep", code="invalid_json") from None
    except ValueError as error:
        raise BridgeError(f"the text is not JSON: {error}", code="invalid_json") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice")
        found[key] = value
    return found


def write(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """Write a value as JSON; points in time as ISO 8601 texts.

    Raises:
        BridgeError: ``not_json``, with the path of what JSON has no form for: a function, bytes, NaN.
    """
    if indent is not None and not 0 <= indent <= MAX_INDENT:
        raise BridgeError(f"indent should be between 0 and {MAX_INDENT}", code="invalid_argument")
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, indent=indent, sort_keys=sort_keys, separators=separators,
            default=_simplify,
        )  # fmt: skip
    except (TypeError, ValueError):
        path, what = _culprit(value, "$")
        raise BridgeError(f"{what} cannot be written as JSON (at {path})", code="not_json") from None


def _simplify(item: Any) -> Any:
    if isinstance(item, datetime.datetime) and item.tzinfo is datetime.UTC:
        return instants_as_text(item)
    if isinstance(item, datetime.date | datetime.time):
        return item.isoformat()
    raise TypeError


def _culprit(item: Any, path: str) -> tuple[str, str]:
    """Find the first part that JSON has no form for."""
    if isinstance(item, dict):
        parts = ((f"{path}.{key}", part) for key, part in item.items())
    elif isinstance(item, list):
        parts = ((f"{path}[{index}]", part) for index, part in enumerate(item))
    else:
        return path, _word(item)
    for where, part in parts:
        found = _culprit(part, where)
        if found[1]:
            return found
    return path, ""


def _word(item: Any) -> str:
    if isinstance(item, bool | int | str | datetime.date | datetime.time) or item is None:
        return ""
    if isinstance(item, float):
        return "" if item - item == 0 else "a number that is not finite"
    if isinstance(item, bytes):
        return "bytes"
    return "a function" if callable(item) else "a handle"


def plain(value: Any) -> Any:
    """Replace what JSON has no form for by a word for it, where showing matters more than keeping."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if value is None or isinstance(value, str | int | float | bool | datetime.datetime):
        return value
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else f"<{type(value).__name__}>"
