"""What a script may know of an error of the host."""

from __future__ import annotations

from llmspell.engine import messages as m
from llmspell.errors import (
    BridgeCallError,
    BridgeError,
    Cancelled,
    ConversionError,
    LlmspellError,
    NotFoundError,
    PolicyError,
    ResourceExhausted,
    ScriptError,
    ScriptSyntaxError,
)


def fault_of(error: BaseException, where: str) -> m.Fault:
    """Tell a script of a host error: code and message from a safe list, never a repr, path or traceback."""
    hint = getattr(error, "hint", None)
    if isinstance(error, ResourceExhausted):
        return m.Fault(error.code, error.message, {"limit": error.limit, "value": error.value}, True)
    if isinstance(error, Cancelled):
        return m.Fault("cancelled", error.message, None, True)
    if isinstance(error, BridgeError):
        message = error.message if not hint else f"{error.message}; {hint}"
        return m.Fault(error.code, message, error.details)
    if isinstance(error, PolicyError | NotFoundError | ConversionError):
        return m.Fault(error.code, error.message if not hint else f"{error.message}; {hint}")
    if isinstance(error, ScriptError):
        return _script_fault(error)
    if isinstance(error, LlmspellError):
        return m.Fault(error.code, error.message)
    if isinstance(error, TimeoutError):
        return m.Fault("timeout", f"{where} timed out")
    return m.Fault("internal", f"{where} failed inside the host; the host's log says why")


def _script_fault(error: ScriptError) -> m.Fault:
    """Give a script back what a function of its own raised inside an export: its code, and its table as details."""
    if isinstance(error, ScriptSyntaxError) and error.location is not None:
        return m.Fault("syntax", f"{error.location}: {error.message}")
    value = error.value
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        return m.Fault(value["code"], error.message, value)
    return m.Fault(error.fault_code if isinstance(error, BridgeCallError) else "script", error.message)
