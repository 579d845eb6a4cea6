"""The JSON that ``--json`` prints."""

from __future__ import annotations

import base64
import datetime
import json
import math
from typing import Any

from llmspell.errors import BridgeCallError, Frame, LlmspellError, Location
from llmspell.values import instant_text


def plain(value: Any) -> Any:
    """Return ``value`` as what JSON can hold: bytes as base64, instants as ISO 8601, NaN and the like as texts."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return instant_text(value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return repr(value)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Write JSON as UTF-8 text; values that JSON lacks go through :func:`plain`."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def error_payload(error: BaseException) -> dict[str, Any]:
    """Describe an error: ``{"type", "code", "message", "language", "location", "frames"}``."""
    location = getattr(error, "location", None)
    return {
        "type": type(error).__name__,
        "code": code_of(error),
        "message": message_of(error),
        "language": getattr(error, "language", "") or None,
        "location": _location(location) if location is not None else None,
        "frames": [_frame(frame) for frame in getattr(error, "frames", ())],
    }


def code_of(error: BaseException) -> str:
    """Return the stable code of an error; of an unhandled host call, the code of what failed there."""
    if isinstance(error, BridgeCallError):
        return error.fault_code
    return error.code if isinstance(error, LlmspellError) else "internal"


def message_of(error: BaseException) -> str:
    if isinstance(error, LlmspellError):
        return error.message
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _location(location: Location) -> dict[str, Any]:
    return {"file": location.file, "line": location.line or None, "column": location.column or None}


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "language": frame.language,
        "function": frame.function or None,
        "location": _location(frame.location),
        "locals": dict(frame.locals),
    }


def run_payload(
    *, value: Any = None, output: str = "", usage: dict[str, Any], seconds: float, error: BaseException | None
) -> dict[str, Any]:
    """Describe a run: the one object of ``llmspell run --json``."""
    return {
        "value": value,
        "output": output,
        "usage": usage,
        "duration_s": round(seconds, 6),
        "error": None if error is None else error_payload(error),
    }
