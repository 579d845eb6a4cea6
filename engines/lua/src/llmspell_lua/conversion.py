"""Values on their way into a Lua state and out of it.

Most values go as MessagePack, which the prelude encodes and decodes (``encode.lua``, ``decode.lua``): inside the VM,
under its limits. Scalars go as they are, and flat containers of scalars by lupa's own conversion, which is quicker.
Whatever goes in must be made of ``bytes`` and numbers: a ``str`` would arrive as a Python object.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from llmspell.values import decoder, encode

VALUE, PACKED, LIST = 1, 2, 6
"""Modes of an answer; see ``tasks.lua``."""

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1

_PLAIN = frozenset({int, float, bool, bytes})
_FLAT = _PLAIN | {str}

decode: Callable[[bytes], Any] = decoder(object).decode


def from_lua(raw: Any) -> Any:
    """Return a scalar of the script as a value: text where it is UTF-8, else bytes."""
    if type(raw) is not bytes:
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return raw


def scalar(value: Any) -> tuple[bool, Any]:
    """Return whether a value can be told as it is, and how."""
    kind = type(value)
    if kind is str:
        return True, value.encode("utf-8", "surrogatepass")
    if kind is int:
        return _INT_MIN <= value <= _INT_MAX, value
    return value is None or kind in _PLAIN, value


def ordered(value: Any) -> Any:
    """Sort the keys of tables: Lua keeps no order, and what a spell returns should look the same every time."""
    if type(value) is dict:
        return {key: ordered(part) for key, part in sorted(value.items(), key=_key)}
    if type(value) is list:
        return [ordered(part) for part in value]
    return value


_key = itemgetter(0)


_MOST_KEYS, _LONGEST_KEY = 4096, 64
_known: dict[str, bytes] = {}


def _keyed(value: dict[str, Any]) -> dict[bytes, Any]:
    """Encode the keys. Those of records come again and again: the last few thousand are remembered."""
    try:
        return {_known[key]: part for key, part in value.items()}
    except KeyError:
        pass
    told = {}
    for key, part in value.items():
        told[encoded := key.encode()] = part
        if len(key) <= _LONGEST_KEY:
            _known[key] = encoded
    if len(_known) > _MOST_KEYS:
        _known.clear()
    return told


def answer_of(value: Any, table_from: Callable[[Any], Any]) -> tuple[int, Any]:
    """Return mode and content of an answer.

    Args:
        table_from: Makes a Lua table of a dict or list.
    """
    simple, told = scalar(value)
    if simple:
        return VALUE, told
    kind = type(value)
    try:
        if kind is dict and value:
            kinds = list(map(type, value.values()))
            if kinds.count(int) == len(kinds) or _PLAIN.issuperset(kinds):
                return VALUE, table_from(_keyed(value))
            if _FLAT.issuperset(kinds):
                return VALUE, table_from(
                    {
                        key.encode(): part.encode("utf-8", "surrogatepass") if type(part) is str else part
                        for key, part in value.items()
                    }
                )
        elif kind is list and value and _PLAIN.issuperset(map(type, value)):
            return LIST, table_from(value)
    except (OverflowError, UnicodeEncodeError):
        pass  # an integer or a key that needs a word of explanation: decode.lua gives it
    return PACKED, encode(value)
