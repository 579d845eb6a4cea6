"""What number, string and character literals mean: Go's rules, which Tengo inherits."""

from __future__ import annotations

import re

_INTEGER = re.compile(
    r"0[bB](?P<b>(?:_?[01])+)|0[oO](?P<o>(?:_?[0-7])+)|0[xX](?P<x>(?:_?[0-9a-fA-F])+)"
    r"|(?P<z>0(?:_?[0-7])*)|(?P<d>[1-9](?:_?[0-9])*)"
)
_DECIMAL = re.compile(
    r"(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
)
_HEXADECIMAL = re.compile(
    r"0[xX](?:(?:_?[0-9a-fA-F])+(?:\.(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?|\.[0-9a-fA-F](?:_?[0-9a-fA-F])*)"
    r"[pP][+-]?[0-9](?:_?[0-9])*"
)
_BASES = {"b": 2, "o": 8, "x": 16, "z": 8, "d": 10}

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}


def integer(text: str) -> int | None:
    """Read an integer literal; None if it is malformed or beyond 64 bits."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    kind = match.lastgroup
    assert kind is not None
    value = int(match[kind].replace("_", ""), _BASES[kind])
    return value if value < 1 << 63 else None


def floating(text: str) -> float | None:
    """Read a float literal; None if it is malformed or beyond the range of a double."""
    if _DECIMAL.fullmatch(text):
        value = float(text.replace("_", ""))
    elif _HEXADECIMAL.fullmatch(text):
        try:
            value = float.fromhex(text.replace("_", ""))
        except OverflowError:
            return None
    else:
        return None
    return value if value not in (float("inf"), float("-inf")) else None


def string(text: str) -> bytes:
    """Return the bytes of a string literal whose form the lexer has checked; quotes included in ``text``."""
    body = text[1:-1]
    if text[0] == "`":
        return body.replace("\r", "").encode("utf-8", "surrogatepass")
    if "\\" not in body:
        return body.encode("utf-8", "surrogatepass")
    out = bytearray()
    at = 0
    for match in _ESCAPE.finditer(body):
        out += body[at : match.start()].encode("utf-8", "surrogatepass")
        at = match.end()
        byte, short, long, octal, simple = match.groups()
        if byte or octal:
            out.append(int(byte, 16) if byte else int(octal, 8))
        elif simple:
            out += _SIMPLE[simple].encode()
        else:
            out += chr(int(short or long, 16)).encode("utf-8", "surrogatepass")
    out += body[at:].encode("utf-8", "surrogatepass")
    return bytes(out)


def character(text: str) -> int | None:
    """Return the code point of a character literal, quotes included in ``text``; None if it is not one."""
    body = text[1:-1]
    if len(body) == 1:
        return ord(body)
    match = _ESCAPE.fullmatch(body)
    if match is None:
        return None
    byte, short, long, octal, simple = match.groups()
    if simple:
        return ord(_SIMPLE[simple]) if simple in _SIMPLE and simple != '"' else None
    return int(octal, 8) if octal else int(byte or short or long, 16)
