"""Values as flat strings, the Python side of ``js/20-codec.js``.

A frame is a flag and JSON. Flag ``P``: the JSON is the value. Flag ``T``: what JSON lacks stands in it as an object
with the one key :data:`MARK`, holding ``[tag, payload]``:

====  ================================================================================
tag   payload
====  ================================================================================
n     a number JSON cannot say, as JavaScript writes it: ``NaN``, ``-Infinity``, ``-0``, ``1e21``
i     an integer beyond what a Number holds exactly, in hexadecimal
b     bytes, base64
t     an instant: milliseconds since 1970
d     a dict that has the mark itself as a key: ``[[key, value], ...]``
f     to JavaScript: number of its own function; to Python: ``[number, name]``
h     to JavaScript: ``[id, type, kind, [[camelName, name, isAsync], ...]]``; to Python: ``id``
====  ================================================================================

Frames to JavaScript are ASCII: the binding passes on strings as UTF-8, which has no place for lone surrogates.
"""

from __future__ import annotations

import datetime
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from llmspell.errors import ConversionError
from llmspell.values import FunctionRef, HostRef, MethodRef, from_milliseconds, milliseconds
from llmspell_quickjs.names import camel

MARK = "\x01"
_SAFE = 2**53 - 1
_encode_plain = msgspec.json.Encoder().encode
_decode_plain = msgspec.json.Decoder().decode
_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False, check_circular=False).encode


def encode(value: Any) -> str:
    """Encode a value for JavaScript."""
    if _is_plain(value):
        try:
            data = _encode_plain(value)
        except UnicodeEncodeError:
            return "P" + _dumps(value)
        return "P" + (data.decode() if data.isascii() else _dumps(value))
    return "T" + _dumps(_mark(value))


def _is_plain(item: Any) -> bool:
    """Tell whether JSON, as JavaScript reads it, says the same."""
    kind = type(item)
    if kind is str or kind is bool or item is None:
        return True
    if kind is int:
        return -_SAFE <= item <= _SAFE  # type: ignore[no-any-return]
    if kind is float:
        return item - item == 0  # type: ignore[no-any-return]
    if kind is dict:
        if MARK in item:
            return False
        item = item.values()
    elif kind is not list:
        return False
    for part in item:
        kind = type(part)
        if kind is str:
            continue
        if kind is int:
            if -_SAFE <= part <= _SAFE:
                continue
            return False
        if not _is_plain(part):
            return False
    return True


def _mark(item: Any) -> Any:
    kind = type(item)
    if kind is str or kind is bool or item is None:
        return item
    if kind is int:
        return item if -_SAFE <= item <= _SAFE else {MARK: ["i", format(item, "x")]}
    if kind is float:
        if item - item == 0:
            return item
        return {MARK: ["n", "Infinity" if item > 0 else "-Infinity" if item < 0 else "NaN"]}
    if kind is list or kind is tuple:
        return [_mark(part) for part in item]
    if kind is dict:
        if MARK in item:
            return {MARK: ["d", [[key, _mark(part)] for key, part in item.items()]]}
        return {key: _mark(part) for key, part in item.items()}
    if kind is bytes:
        return {MARK: ["b", b2a_base64(item, newline=False).decode()]}
    if kind is datetime.datetime:
        return {MARK: ["t", milliseconds(item)]}
    if kind is HostRef:
        return {MARK: ["h", [item.id, item.type, item.kind, _methods(item.methods)]]}
    if kind is FunctionRef:
        return {MARK: ["f", item.id]}
    raise ConversionError(f"a {kind.__name__} cannot cross")


@lru_cache(maxsize=256)
def _methods(methods: tuple[MethodRef, ...]) -> list[list[Any]]:
    return [[camel(name), name, is_async] for name, is_async in methods]


def decode(frame: str, handle: Callable[[int], Any]) -> Any:
    """Decode a frame from JavaScript.

    Args:
        frame: What the glue made; scripts cannot make one.
        handle: Gives the ``HostRef`` of a number.
    """
    text = frame[1:]
    if frame[0] == "P":
        try:
            return _decode_plain(text)
        except msgspec.DecodeError:
            return json.loads(text)

    def unmark(item: dict[str, Any]) -> Any:
        pair = item.get(MARK)
        return item if pair is None or len(item) != 1 else _unmark(pair[0], pair[1], handle)

    return json.loads(text, object_hook=unmark)


def _unmark(tag: str, payload: Any, handle: Callable[[int], Any]) -> Any:
    if tag == "n":
        return float(payload)
    if tag == "i":
        return int(payload, 16)
    if tag == "b":
        return a2b_base64(payload)
    if tag == "t":
        return from_milliseconds(payload)
    if tag == "d":
        return dict(payload)
    if tag == "f":
        return FunctionRef(*payload)
    if tag == "h":
        return handle(payload)
    raise ValueError(f"unknown tag {tag!r}")


def to_json(item: Any) -> str:
    """Write plain data of our own as JSON."""
    try:
        return _encode_plain(item).decode()
    except UnicodeEncodeError:
        return _dumps(item)
