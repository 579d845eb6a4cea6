"""Plain data: told to scripts, and written to files, which others may have written, and read back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from llmspell.errors import LlmspellError
from llmspell.values import decoder, encode

_decoder: msgspec.msgpack.Decoder[Any] = decoder(Any)


def dump(value: Any) -> bytes:
    """Return plain data as bytes that :func:`load` takes.

    Raises:
        ValueError: It holds a function or handle, or a table with keys that are no texts.

    Example:
        >>> load(dump({"n": 2**70, "b": b"x"}))
        {'n': 1180591620717411303424, 'b': b'x'}
    """
    if not is_plain(value):
        raise ValueError("it holds a function or handle")
    return encode(value)


def load(written: Any) -> Any:
    """Return what :func:`dump` was given. Whoever wrote the bytes cannot hand out functions or handles with them.

    Raises:
        ValueError: It is something else.
    """
    try:
        value = _decoder.decode(written)
    except (msgspec.MsgspecError, LlmspellError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("it is no plain data of ours") from error
    if not is_plain(value):
        raise ValueError("it is no plain data of ours")
    return value


def known(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table less what is not known: Lua takes a null for true, and what is left out for false.

    Example:
        >>> known({"error": None, "runs": 0})
        {'runs': 0}
    """
    return {key: value for key, value in table.items() if value is not None}


def is_plain(value: Any) -> bool:
    """Tell whether a value is data through and through."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            if not all(isinstance(key, str) for key in part):
                return False
            waiting.extend(part.values())
        elif not (part is None or isinstance(part, bool | int | float | str | bytes | datetime)):
            return False
    return True
