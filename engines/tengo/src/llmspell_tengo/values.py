"""Tengo values that Python has no type of its own for, and the form in which values cross.

Plain Python stands for the others: None, bool, int, float, str, bytes, list, dict. A string that is not UTF-8 is a
:class:`RawString`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.msgpack import Ext

_SCRIPT, _HOST, _SURROGATES = 2, 3, 4
_CHAR, _TIME, _ERROR, _IMMUTABLE, _RAW, _NAMED = 16, 17, 18, 19, 20, 21


class _Plain:
    """Compared by their fields. Not dataclasses: msgspec would write those as bare maps."""

    __slots__: tuple[str, ...] = ()

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._fields()))})"


class Char(_Plain):
    """A Tengo char; ``code`` is its code point, which need not be valid."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code

    def __str__(self) -> str:
        return chr(self.code) if 0 <= self.code < 0x110000 and not 0xD800 <= self.code < 0xE000 else "\ufffd"


class ErrorValue(_Plain):
    """A Tengo error value, e.g. what ``error("no such file")`` yields."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        return f"error: {self.value}"


class Immutable(_Plain):
    """An immutable array or map; ``value`` is a list or dict."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Time(_Plain):
    """A Tengo time.

    Attributes:
        seconds: Since 1970, UTC.
        nanoseconds: Within the second.
        zone: Name of its location, e.g. ``"UTC"``.
        offset: Of that location at that time, in seconds east.
    """

    __slots__ = ("nanoseconds", "offset", "seconds", "zone")

    def __init__(self, seconds: int, nanoseconds: int = 0, zone: str = "UTC", offset: int = 0) -> None:
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.zone = zone
        self.offset = offset


class RawString(_Plain):
    """A Tengo string that is not valid UTF-8."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class NamedFunction(_Plain):
    """A function, which stays in the script; ``name`` is its type name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Functions:
    """Python functions that a script may call, by the ids it knows them under."""

    def __init__(self) -> None:
        self._ids: dict[Callable[..., Any], int] = {}
        self._functions: list[Callable[..., Any]] = []
        self.encoder = msgspec.msgpack.Encoder(enc_hook=self._enc_hook)

    def by_id(self, number: int) -> Callable[..., Any]:
        """Return the function that a script knows under that number."""
        return self._functions[number - 1]

    def _enc_hook(self, item: Any) -> Any:
        if not callable(item) or isinstance(item, _Plain):
            return _enc_hook(item, self.encoder)
        number = self._ids.get(item)
        if number is None:
            self._functions.append(item)
            number = self._ids[item] = len(self._functions)
        name = getattr(item, "__name__", type(item).__name__)
        return Ext(_HOST, _encoder.encode([number, name, [], "function"]))


def _enc_hook(item: Any, encoder: msgspec.msgpack.Encoder | None = None) -> Any:
    packed = (encoder or _encoder).encode
    kind = type(item)
    if kind is Char:
        return Ext(_CHAR, item.code.to_bytes(8, "big", signed=True))
    if kind is ErrorValue:
        return Ext(_ERROR, packed(item.value))
    if kind is Immutable:
        return Ext(_IMMUTABLE, packed(item.value))
    if kind is RawString:
        return Ext(_RAW, item.data)
    if kind is Time:
        return Ext(_TIME, packed([item.seconds, item.nanoseconds, item.zone, item.offset]))
    raise TypeError(f"a {kind.__name__} has no Tengo form")


def _ext_hook(code: int, payload: memoryview) -> Any:
    data = bytes(payload)
    if code == _CHAR:
        return Char(int.from_bytes(data, "big", signed=True))
    if code == _ERROR:
        return ErrorValue(decode(data))
    if code == _IMMUTABLE:
        return Immutable(decode(data))
    if code == _RAW:
        return RawString(data)
    if code == _TIME:
        return Time(*decode(data))
    if code == _HOST:
        return NamedFunction(f"user-function:{decode(data)[1]}")
    if code == _SCRIPT:
        return NamedFunction("compiled-function")
    if code == _NAMED:
        return NamedFunction(data.decode("utf-8", "replace"))
    if code == _SURROGATES:
        return data.decode("utf-8", "surrogatepass")
    raise ValueError(f"unknown extension {code}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_enc_hook)
_decoder = msgspec.msgpack.Decoder(ext_hook=_ext_hook)


def encode(value: Any, functions: Functions | None = None) -> bytes:
    """Turn a value into what the runtime's codec reads; ``functions`` takes the Python functions in it."""
    return (_encoder if functions is None else functions.encoder).encode(value)


def decode(packed: bytes) -> Any:
    """Turn what the runtime's codec wrote into a value."""
    return _decoder.decode(packed)
