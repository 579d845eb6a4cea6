"""The wire form of values and messages: MessagePack, with extensions for what it lacks.

=====  =======================================================
code   payload
=====  =======================================================
1      an integer beyond 64 bits: big-endian two's complement
2      :class:`FunctionRef`: ``[id, name]``
3      :class:`HostRef`: ``[id, type, [[name, is_async], ...], kind]``
4      a text with lone surrogates: UTF-8 with ``surrogatepass``
=====  =======================================================

An instant goes as MessagePack's own timestamp, to the microsecond.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import msgspec
from msgspec.msgpack import Decoder, Encoder, Ext

from llmspell.errors import ConversionError
from llmspell.values.handles import FunctionRef, HandleKind, HostRef, MethodRef

_BIG_INT, _FUNCTION, _HOST, _SURROGATES = 1, 2, 3, 4
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1

MAX_INT_BITS = 4096
"""Bits of the largest integer that crosses: far below what Python refuses to write as a decimal text."""

T = TypeVar("T")


class _Text:
    """Marks a text that plain UTF-8 cannot carry."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Int:
    """Marks an integer that MessagePack cannot carry."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


_plain = Encoder()
_function_fields = Decoder(tuple[int, str])
_host_fields = Decoder(tuple[int, str, tuple[MethodRef, ...], HandleKind])


def _enc_hook(item: Any) -> Ext:
    kind = type(item)
    if kind is FunctionRef:
        return Ext(_FUNCTION, _plain.encode((item.id, item.name)))
    if kind is HostRef:
        return Ext(_HOST, _plain.encode((item.id, item.type, item.methods, item.kind)))
    if kind is _Int:
        size = (item.number.bit_length() + 8) // 8
        if item.number.bit_length() > MAX_INT_BITS:
            raise too_long_an_integer()
        return Ext(_BIG_INT, item.number.to_bytes(size, "big", signed=True))
    if kind is _Text:
        return Ext(_SURROGATES, item.text.encode("utf-8", "surrogatepass"))
    raise TypeError(f"a {kind.__name__} has no wire form")


def _ext_hook(code: int, payload: memoryview) -> Any:
    if code == _FUNCTION:
        return FunctionRef(*_function_fields.decode(payload))
    if code == _HOST:
        return HostRef(*_host_fields.decode(payload))
    if code == _BIG_INT:
        if len(payload) > MAX_INT_BITS // 8 + 1:
            raise too_long_an_integer()
        return int.from_bytes(payload, "big", signed=True)
    if code == _SURROGATES:
        return bytes(payload).decode("utf-8", "surrogatepass")
    raise msgspec.ValidationError(f"unknown extension {code}")


_encoder = Encoder(enc_hook=_enc_hook)


def _mark(item: Any) -> Any:
    """Rebuild plain data with marks around what MessagePack cannot say."""
    kind = type(item)
    if kind is int:
        return item if _INT_MIN <= item <= _INT_MAX else _Int(item)
    if kind is str:
        return item if item.isascii() or not _has_surrogates(item) else _Text(item)
    if kind is list or kind is tuple:
        return [_mark(part) for part in item]
    if kind is dict:
        return {_mark(key): _mark(part) for key, part in item.items()}
    if isinstance(item, msgspec.Struct):
        free = _free_fields(type(item))
        parts = {name: getattr(item, name) for name in item.__struct_fields__}
        return kind(**{name: (_mark if name in free else _mend)(part) for name, part in parts.items()})
    return item


@functools.cache
def _free_fields(kind: Any) -> frozenset[str]:
    """Name the fields that hold values; the others are declared texts and numbers, where no mark can stand."""
    return frozenset(field.name for field in msgspec.structs.fields(kind) if "Any" in str(field.type))


def _mend(item: Any) -> Any:
    """Replace lone surrogates in what is text for people: messages, names, sources."""
    kind = type(item)
    if kind is str:
        return item.encode("utf-8", "replace").decode() if _has_surrogates(item) else item
    if kind is list or kind is tuple:
        return kind(_mend(part) for part in item)
    if kind is dict:
        return {_mend(key): _mend(part) for key, part in item.items()}
    return _mark(item)


def too_long_an_integer() -> ConversionError:
    return ConversionError(f"an integer of more than {MAX_INT_BITS:,} bits cannot cross (limit: integer bits)")


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def encode(message: Any) -> bytes:
    """Encode a message (or a plain value) for the wire.

    Example:
        >>> decoder(object).decode(encode({"n": 2**70}))
        {'n': 1180591620717411303424}

    Raises:
        ConversionError: It holds an integer of more than :data:`MAX_INT_BITS` bits.
    """
    try:
        return _encoder.encode(message)
    except (OverflowError, UnicodeEncodeError):
        return _encoder.encode(_mark(message))


def decoder(kind: type[T] | Any) -> Decoder[T]:
    """Make a decoder for messages of one type (or a union of them)."""
    return Decoder(kind, ext_hook=_ext_hook)
