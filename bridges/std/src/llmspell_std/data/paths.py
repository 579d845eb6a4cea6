"""Dotted paths into nested values: ``"users.1.name"``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmspell.plugin import BridgeError, Value

MAX_PARTS = 64
MISSING = object()


def split_path(path: str) -> list[str]:
    """Split a path at its dots.

    Raises:
        BridgeError: ``invalid_path``: empty, an empty part, or deeper than values may be.
    """
    parts = path.split(".")
    if not all(parts) or len(parts) > MAX_PARTS:
        raise BridgeError(f"{path!r} is no path; write names and indices with dots between", code="invalid_path")
    return parts


def first_index(language: str) -> int:
    """Return what a script of this language calls the first place of a list."""
    return 1 if language == "lua" else 0


def look_up(value: Any, parts: Sequence[str], base: int) -> Any:
    """Return what stands at a path, or :data:`MISSING`."""
    for part in parts:
        if isinstance(value, dict):
            value = value.get(part, MISSING)
        elif isinstance(value, list):
            index = _index(part, base)
            value = value[index] if index is not None and 0 <= index < len(value) else MISSING
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def put(root: Any, parts: Sequence[str], item: Value, base: int) -> None:
    """Set what stands at a path of a dict or list, in place; levels that are missing become dicts.

    Raises:
        BridgeError: ``invalid_path``: something on the way is no container, or a list has no such place. The place
            right behind the last may be set.
    """
    here = root
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(here, dict):
            if last:
                here[part] = item
            else:
                here = here.setdefault(part, {})
            continue
        index = _index(part, base) if isinstance(here, list) else None
        if index is None or not 0 <= index <= len(here):
            where = ".".join(parts[: depth + 1])
            raise BridgeError(f"there is no place {where!r} to set", code="invalid_path")
        if index == len(here):
            here.append(item if last else {})
        elif last:
            here[index] = item
        here = here[index]


def take(root: Any, parts: Sequence[str], base: int) -> bool:
    """Remove what stands at a path, in place; tell whether there was something."""
    above = look_up(root, parts[:-1], base)
    if isinstance(above, dict):
        return above.pop(parts[-1], MISSING) is not MISSING
    index = _index(parts[-1], base) if isinstance(above, list) else None
    if index is None or not 0 <= index < len(above):
        return False
    del above[index]
    return True


def merge(left: Any, right: Any) -> Any:
    """Return both merged, dict by dict; anything else of the right replaces the left's."""
    if isinstance(left, dict) and isinstance(right, dict):
        merged = dict(left)
        for key, part in right.items():
            merged[key] = merge(left[key], part) if key in left else part
        return merged
    return right


def copied(value: Any) -> Any:
    """Copy lists and dicts in depth; what stands in them is shared."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def _index(part: str, base: int) -> int | None:
    return int(part) - base if part.isascii() and part.isdigit() and len(part) <= 9 else None
