"""Strings by Unicode's tables: quoting, case, white space."""

from __future__ import annotations

import re
import unicodedata

from llmspell_tengo.values import RawString

RawText = str | bytes | RawString


def raw(text: RawText) -> bytes:
    """Return the bytes of a Tengo string."""
    if isinstance(text, str):
        return text.encode("utf-8", "surrogatepass")
    return text.data if isinstance(text, RawString) else text


def tengo(data: bytes) -> str | RawString:
    """Return bytes as a Tengo string, which need not be UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return RawString(data)


def _loose(text: RawText) -> str:
    """Return a string whose bytes that are not UTF-8 are lone surrogates."""
    return raw(text).decode("utf-8", "surrogateescape")


def _tight(text: str) -> str | RawString:
    return tengo(text.encode("utf-8", "surrogateescape"))


# Quoting

_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\"}


def printable(code: int) -> bool:
    """Tell whether Go's ``IsPrint`` holds: letters, marks, numbers, punctuation, symbols and the ASCII space."""
    return code == 32 or (code < 0x110000 and unicodedata.category(chr(code))[0] in "LMNPS")


def _escaped(char: str, quotation: str, ascii_only: bool) -> str:
    code = ord(char)
    if char == quotation:
        return "\\" + char
    if code in _ESCAPES:
        return _ESCAPES[code]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if printable(code) and (code < 0x80 or not ascii_only):
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote(text: RawText, ascii_only: bool = False) -> str:
    """Write a string as a Go literal in double quotes."""
    return '"' + "".join(_escaped(char, '"', ascii_only) for char in _loose(text)) + '"'


def quote_char(code: int, ascii_only: bool = False) -> str:
    """Write a code point as a Go literal in single quotes."""
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        code = 0xFFFD
    return "'" + _escaped(chr(code), "'", ascii_only) + "'"


def can_backquote(text: RawText) -> bool:
    """Tell whether a raw literal can hold the string."""
    loose = _loose(text)
    return not any(
        0xDC80 <= ord(char) <= 0xDCFF or (char < " " and char != "\t") or char in "`\x7f\ufeff" for char in loose
    )


_LITERAL_ESCAPE = re.compile(
    rb"\\(?:([abfnrtv\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(['\"]))|\\()"
)
_SIMPLE = dict(zip(b"abfnrtv\\", b"\a\b\f\n\r\t\v\\", strict=True))


def unquote(text: RawText) -> str | RawString | None:
    """Read a Go literal: in single, double or back quotes. None if it is not one."""
    data = raw(text)
    if len(data) < 2 or data[0] != data[-1] or data[:1] not in (b'"', b"'", b"`"):
        return None
    quotation, body = data[:1], data[1:-1]
    if quotation == b"`":
        return None if b"`" in body else tengo(body.replace(b"\r", b""))
    if b"\n" in body:
        return None
    out = bytearray()
    at = count = 0
    for match in _LITERAL_ESCAPE.finditer(body):
        plain = body[at : match.start()]
        if quotation in plain:
            return None
        out += plain
        count += len(plain.decode("utf-8", "replace")) + 1
        at = match.end()
        unit = _unescaped(match, quotation)
        if unit is None:
            return None
        out += unit
    plain = body[at:]
    if quotation in plain:
        return None
    out += plain
    count += len(plain.decode("utf-8", "replace"))
    if quotation == b"'" and count != 1:
        return None
    return tengo(bytes(out))


def _unescaped(match: re.Match[bytes], quotation: bytes) -> bytes | None:
    simple, byte, short, long, octal, mark, bad = match.groups()
    if bad is not None or (mark is not None and mark != quotation):
        return None
    if simple is not None:
        return bytes([_SIMPLE[simple[0]]])
    if mark is not None:
        return bytes(mark)
    if byte is not None or octal is not None:
        code = int(byte, 16) if byte is not None else int(octal, 8)
        if code > 255:
            return None
        return chr(code).encode() if quotation == b"'" else bytes([code])
    code = int(short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return None
    return chr(code).encode()


# Case. Go maps rune by rune, so a character never becomes several.


def _one(char: str, mapped: str) -> str:
    return mapped if len(mapped) == 1 else char


def to_lower(text: RawText) -> str | RawString:
    return _tight("".join(_one(char, char.lower()) for char in _loose(text)))


def to_upper(text: RawText) -> str | RawString:
    return _tight("".join(_one(char, char.upper()) for char in _loose(text)))


def to_title(text: RawText) -> str | RawString:
    return _tight("".join(_one(char, char.title()) for char in _loose(text)))


def title(text: RawText) -> str | RawString:
    """Map the first letter of every word to title case; words end at what is neither letter, digit nor ``_``."""
    out = []
    before = " "
    for char in _loose(text):
        out.append(_one(char, char.title()) if _separates(before) else char)
        before = char
    return _tight("".join(out))


def _separates(char: str) -> bool:
    if char < "\x80":
        return not (char.isalnum() or char == "_")
    return not (char.isalpha() or char.isdecimal()) and is_space(char)


def equal_fold(left: RawText, right: RawText) -> bool:
    """Compare under simple case folding."""
    return [_fold(char) for char in _loose(left)] == [_fold(char) for char in _loose(right)]


def _fold(char: str) -> str:
    return _one(char, _one(char, char.upper()).lower())


# White space

_SPACES = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
)


def is_space(char: str) -> bool:
    """Tell whether Go's ``IsSpace`` holds."""
    return char in _SPACES


def fields(text: RawText) -> list[str | RawString]:
    """Split around white space."""
    out: list[str | RawString] = []
    word: list[str] = []
    for char in _loose(text):
        if char in _SPACES:
            if word:
                out.append(_tight("".join(word)))
                word = []
        else:
            word.append(char)
    if word:
        out.append(_tight("".join(word)))
    return out
