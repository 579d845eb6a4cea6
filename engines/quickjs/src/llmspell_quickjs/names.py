"""Names on both sides: exports are snake_case in Python and camelCase in JavaScript."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def camel(name: str) -> str:
    """Spell a snake_case name in camelCase; leading underscores stay.

    Example:
        >>> camel("quick_prompt")
        'quickPrompt'
    """
    body = name.lstrip("_")
    head, *rest = body.split("_")
    return name[: len(name) - len(body)] + head + "".join(part[:1].upper() + part[1:] for part in rest)
