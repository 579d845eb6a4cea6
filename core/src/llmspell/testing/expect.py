"""Comparison as conformance needs it: types count, NaN equals NaN, and -0.0 is not 0.0."""

from __future__ import annotations

import math
from typing import Any


def difference(actual: Any, expected: Any, path: str = "$") -> str:
    """Say where two values differ, or ``""``.

    Example:
        >>> difference({"a": [1, 2]}, {"a": [1, 2.0]})
        '$.a[1] is 2 (int), expected 2.0 (float)'
        >>> difference(float("nan"), float("nan"))
        ''
    """
    if type(actual) is not type(expected):
        return f"{path} is {_show(actual)}, expected {_show(expected)}"
    if isinstance(expected, list):
        if len(actual) != len(expected):
            return f"{path} has {len(actual)} items, expected {len(expected)}: {_show(actual)}"
        pairs = zip(actual, expected, strict=True)
        return next(filter(None, (difference(a, e, f"{path}[{i}]") for i, (a, e) in enumerate(pairs))), "")
    if isinstance(expected, dict):
        if actual.keys() != expected.keys():
            return f"{path} has the keys {sorted(actual)}, expected {sorted(expected)}"
        return next(filter(None, (difference(actual[key], expected[key], f"{path}.{key}") for key in expected)), "")
    if isinstance(expected, float):
        same = (math.isnan(actual) and math.isnan(expected)) or (
            actual == expected and math.copysign(1, actual) == math.copysign(1, expected)
        )
        return "" if same else f"{path} is {actual!r}, expected {expected!r}"
    return "" if actual == expected else f"{path} is {_show(actual)}, expected {_show(expected)}"


def check(actual: Any, expected: Any, what: str) -> None:
    """Fail with the first difference.

    Raises:
        AssertionError: They differ.
    """
    found = difference(actual, expected)
    if found:
        raise AssertionError(f"{what}: {found}")


def _show(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 200 else text[:200] + '...'} ({type(value).__name__})"
