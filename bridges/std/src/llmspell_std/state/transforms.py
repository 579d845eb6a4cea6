"""Ready-made changes of a state's data."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from llmspell.plugin import BridgeError

_SECRET_WORDS = ("password", "secret", "token", "api_key", "apikey", "authorization", "credential")


def keep(data: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Keep the keys that match one of ``keys`` (patterns), and drop those that match one of ``drop``."""
    wanted, unwanted = _texts(options, "keys"), _texts(options, "drop")
    return {
        key: value
        for key, value in data.items()
        if (not wanted or _matches(key, wanted)) and not _matches(key, unwanted)
    }


def flatten(data: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Bring nested tables to one level, keys joined by ``separator`` (a dot)."""
    separator = options.get("separator", ".")
    if not isinstance(separator, str):
        raise BridgeError("separator should be a text", code="invalid_argument")
    flat: dict[str, Any] = {}

    def walk(part: dict[str, Any], prefix: str) -> None:
        for key, value in part.items():
            if isinstance(value, dict) and value:
                walk(value, f"{prefix}{key}{separator}")
            else:
                flat[prefix + key] = value

    walk(data, "")
    return flat


def sanitize(data: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Mask what stands under keys that sound secret, and drop what is empty."""
    cleaned: dict[str, Any] = {}
    for key, value in data.items():
        if any(word in key.lower() for word in _SECRET_WORDS):
            cleaned[key] = "****"
        elif isinstance(value, dict):
            below = sanitize(value, options)
            if below:
                cleaned[key] = below
        elif value not in (None, "", [], b""):
            cleaned[key] = value
    return cleaned


def _texts(options: dict[str, Any], name: str) -> list[str]:
    found = options.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise BridgeError(f"{name} should be a list of texts", code="invalid_argument")
    return found


def _matches(key: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


TRANSFORMS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "filter": keep,
    "flatten": flatten,
    "sanitize": sanitize,
}
