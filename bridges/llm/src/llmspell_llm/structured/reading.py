"""Reading JSON that a model wrote: fenced, surrounded by talk, or broken off."""

from __future__ import annotations

import json
import re
from typing import Any

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)


class NotJson(ValueError):
    """There is no JSON in the text."""


def read_json(text: str, *, repair: bool = True) -> Any:
    """Return the JSON value in a model's text.

    Args:
        text: What the model wrote.
        repair: Mend what is broken (missing quotes and brackets, trailing commas) where the text holds an object
            or a list at all.

    Raises:
        NotJson: There is none.

    Example:
        >>> read_json('Here you are: {"a": 1, "b": [1, 2,')
        {'a': 1, 'b': [1, 2]}
    """
    stripped = text.strip()
    candidates = [stripped]
    if (fenced := _FENCE.search(stripped)) is not None:
        candidates.append(fenced[1].strip())
    for candidate in candidates:
        try:
            return json.loads(candidate, parse_constant=_refuse)
        except (ValueError, RecursionError):
            continue
    start = min((i for i in (candidates[-1].find("{"), candidates[-1].find("[")) if i >= 0), default=-1)
    if not repair or start < 0:
        raise NotJson("the text holds no JSON")
    from json_repair import repair_json

    try:
        mended = json.loads(repair_json(candidates[-1][start:]), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJson("the text holds no JSON that can be mended") from error
    if mended in ("", {}, []) and candidates[-1][start:].strip() not in ("{}", "[]"):
        raise NotJson("the text holds no JSON that can be mended")
    return mended


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
