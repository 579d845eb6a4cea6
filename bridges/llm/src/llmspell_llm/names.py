"""Spelling of options in tables that scripts write: snake_case here, camelCase in JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of options with its keys in snake_case, as exports and this package spell them.

    Only the table's own keys are changed, not those of tables within.

    Example:
        >>> snake_keys({"maxTokens": 3, "stop": ["x"]})
        {'max_tokens': 3, 'stop': ['x']}
    """
    return {_HUMP.sub(lambda hump: f"_{hump[1].lower()}", key): value for key, value in given.items()}
