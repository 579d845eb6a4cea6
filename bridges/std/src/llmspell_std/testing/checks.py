"""What an assertion looks at. Each check returns what is wrong, or None."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from llmspell.plugin import BridgeError, ScriptFunction
from llmspell_std.data import jsontext

_KINDS: dict[str, tuple[type, ...]] = {
    "nil": (type(None),), "null": (type(None),), "boolean": (bool,), "number": (int, float), "integer": (int,),
    "string": (str, bytes), "table": (list, dict), "array": (list,), "object": (dict,), "list": (list,),
    "function": (ScriptFunction,), "date": (datetime,),
}  # fmt: skip


def shown(value: Any) -> str:
    """Show a value briefly."""
    text = "nothing" if value is None else jsontext.write(jsontext.plain(value))
    return text if len(text) <= 200 else text[:197] + "..."


def same(left: Any, right: Any) -> bool:
    """Compare in depth; 1 and 1.0 are the same, 1 and true are not, NaN is like NaN."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(part, right[key]) for key, part in left.items())
    if isinstance(left, ScriptFunction) and isinstance(right, ScriptFunction):
        return left.ref == right.ref
    return bool(left == right)


def equal(actual: Any, expected: Any) -> str | None:
    return None if same(actual, expected) else f"expected {shown(expected)}, got {shown(actual)}"


def unequal(actual: Any, expected: Any) -> str | None:
    return f"expected anything but {shown(expected)}" if same(actual, expected) else None


def of_kind(value: Any, kind: str) -> str | None:
    """Check a value's kind by its name.

    Raises:
        BridgeError: ``invalid_argument``: there is no such kind.
    """
    if kind not in _KINDS:
        raise BridgeError(f"there is no kind {kind!r}; there are {', '.join(_KINDS)}", code="invalid_argument")
    fits = isinstance(value, _KINDS[kind]) and not (isinstance(value, bool) and kind in ("number", "integer"))
    return None if fits else f"expected a value of the kind {kind}, got {shown(value)}"


def ordered(actual: Any, relation: str, expected: Any) -> str | None:
    """Check ``actual > expected`` and the like; both are numbers, both texts or both points in time."""
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (actual, expected))
    alike = any(isinstance(actual, kind) and isinstance(expected, kind) for kind in (str, datetime))
    if not numbers and not alike:
        return f"{shown(actual)} and {shown(expected)} cannot be compared"
    holds = {
        ">": actual > expected, "<": actual < expected, ">=": actual >= expected, "<=": actual <= expected,
    }[relation]  # fmt: skip
    return None if holds else f"expected {shown(actual)} {relation} {shown(expected)}"


def containing(whole: Any, part: Any) -> str | None:
    """Check that a text holds a text, a list a value, or a table a value."""
    if isinstance(whole, str) and isinstance(part, str):
        found = part in whole
    else:
        items = whole.values() if isinstance(whole, dict) else whole if isinstance(whole, list) else ()
        found = any(same(item, part) for item in items)
    return None if found else f"expected {shown(whole)} to contain {shown(part)}"


def matching(text: Any, pattern: str) -> str | None:
    """Check a text against a regular expression (RE2: no look-around, no back-references).

    Raises:
        BridgeError: ``invalid_argument``: it is no regular expression.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error:
        raise BridgeError(f"{pattern!r} is no regular expression that is supported", code="invalid_argument") from None
    found = isinstance(text, str) and compiled.search(text.encode("utf-8", "replace").decode()) is not None
    return None if found else f"expected {shown(text)} to match {pattern}"


def sized(value: Any, length: int) -> str | None:
    if not isinstance(value, str | bytes | list | dict):
        return f"{shown(value)} has no length"
    return None if len(value) == length else f"expected the length {length}, got {len(value)}"


def empty(value: Any) -> str | None:
    blank = value is None or (isinstance(value, str | bytes | list | dict) and not value)
    return None if blank else f"expected nothing, got {shown(value)}"


def close(actual: Any, expected: float, tolerance: float) -> str | None:
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return f"{shown(actual)} is no number"
    near = abs(actual - expected) <= tolerance
    return None if near else f"expected {shown(actual)} within {tolerance:g} of {shown(expected)}"
