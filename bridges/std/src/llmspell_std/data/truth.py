"""What counts as true."""

from __future__ import annotations

import math
from typing import Any


def is_true(language: str, value: Any) -> bool:
    """Tell whether a value counts as true in a language.

    In Lua all but nil and false do. In JavaScript 0, NaN and the empty text do not, every object does. In Tengo 0, NaN
    and everything empty do not, but 0.0 does.
    """
    if language == "lua":
        return value is not None and value is not False
    if isinstance(value, float):
        return not math.isnan(value) and (language == "tengo" or value != 0)
    if language == "javascript" and isinstance(value, list | dict | bytes):
        return True
    return bool(value)
