"""Errors as scripts hold them: plain tables ``{code, message, context, cause, ...}``."""

from __future__ import annotations

from typing import Any

from llmspell.errors import BridgeCallError, ScriptError, ScriptExitError
from llmspell.plugin import BridgeError, instants_as_text

Failing = (ScriptError, BridgeError)
"""What a script may catch. Limits and cancellations are not among them, nor is asking to end."""

MAX_CHAIN = 32


def failure_of(error: ScriptError | BridgeError) -> dict[str, Any]:
    """Return what a script may know of a failure: its own table where it raised one.

    Raises:
        ScriptExitError: The error is the script asking to end, which is no failure.
    """
    if isinstance(error, ScriptExitError):
        raise error
    if isinstance(error, BridgeError):
        found: dict[str, Any] = {"code": error.code, "message": error.message}
        own = error.details.get("error") if isinstance(error.details, dict) else None
        if isinstance(own, dict):
            return as_error(own)
        return found | ({"details": error.details} if error.details is not None else {})
    if isinstance(error.value, dict):
        return as_error({"message": error.message, **error.value})
    code = error.fault_code if isinstance(error, BridgeCallError) else "error"
    return {"code": code, "message": error.value if isinstance(error.value, str) else error.message}


def as_error(item: Any) -> dict[str, Any]:
    """Take whatever a script raised or passed as an error."""
    if isinstance(item, dict):
        message = item.get("message")
        code = item.get("code")
        return {
            **item,
            "code": code if isinstance(code, str) else "error",
            "message": message if isinstance(message, str) else "unknown error",
        }
    if item is None:
        return {"code": "error", "message": "unknown error"}
    return {"code": "error", "message": item if isinstance(item, str) else str(instants_as_text(item))[:1000]}


def raised(failure: dict[str, Any], message: str | None = None) -> BridgeError:
    """Return an exception that brings a failure back to the script, with its own code."""
    return BridgeError(message or failure["message"], code=failure["code"], details={"error": failure})


def text_of(error: dict[str, Any]) -> str:
    """Say an error and what caused it in one line."""
    parts: list[str] = []
    here: Any = error
    while isinstance(here, dict) and len(parts) < MAX_CHAIN:
        known = as_error(here)
        parts.append(f"{known['code']}: {known['message']}")
        here = here.get("cause")
    return "; caused by ".join(parts)
