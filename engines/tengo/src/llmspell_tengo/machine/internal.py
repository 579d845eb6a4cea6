"""Work of the runtime that Python does for it: what needs Unicode's tables, calendars or an RE2 engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell_tengo.values import RawString


class InternalFault(Exception):
    """Stops the script with this message."""


def perform(name: str, args: list[Any]) -> Any:
    """Do the work called ``name``.

    Raises:
        InternalFault: It cannot be done.
    """
    return _WORK[name](*args)


def raw(text: str | bytes | RawString) -> bytes:
    """Return the bytes of a Tengo string."""
    if isinstance(text, str):
        return text.encode("utf-8", "surrogatepass")
    return text.data if isinstance(text, RawString) else text


_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def quote(text: str | bytes | RawString, ascii_only: bool = False) -> str:
    """Write a string as a Go literal in double quotes."""
    out = ['"']
    for char in raw(text).decode("utf-8", "surrogateescape"):
        code = ord(char)
        if code in _ESCAPES:
            out.append(_ESCAPES[code])
        elif 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        elif (char.isprintable() or char == " ") and (code < 0x80 or not ascii_only):
            out.append(char)
        elif code < 0x20 or code == 0x7F:
            out.append(f"\\x{code:02x}")
        else:
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    out.append('"')
    return "".join(out)


_WORK: dict[str, Callable[..., Any]] = {"quote": quote}
