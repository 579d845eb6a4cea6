"""From what the glue tells of an error to the ``Failure`` the host is told."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from llmspell.engine import GuestLimits
from llmspell.engine.endings import limit_failure
from llmspell.engine.messages import Failure, Fault, FrameInfo
from llmspell_quickjs import hints
from llmspell_quickjs.stack import LANGUAGE, Files, Place

_OUT_OF_MEMORY = "out of memory"
_NULL = "null was thrown"
_UNDEFINED = re.compile(r"(\w+) is not defined")
_QUIET = frozenset({"", "Error", "BridgeError", "ConversionError"})
_UNHANDLED = "nobody handled the rejection of this promise: await it, or add .catch()"
_KINDS = frozenset({"syntax", "module", "conversion", "cancelled"})


def failure_of(told: dict[str, Any], files: Files, limits: GuestLimits, is_full: bool = False) -> Failure:
    """Make the failure of a description by the glue's ``describe``.

    Args:
        told: The description.
        files: Where its places are.
        limits: What the guest is held to.
        is_full: The heap has been near its limit. An engine without memory for an error object throws null.
    """
    name, message = told["name"], told["message"]
    frames = files.frames(told["stack"], name, message)
    kind = told.get("kind", "")
    is_told = name or message != _NULL
    if (name == "InternalError" and message == _OUT_OF_MEMORY) or (is_full and (kind == "lost" or not is_told)):
        return stopped("memory", limits, frames)
    text = message if name in _QUIET or kind == "syntax" else f"{name}: {message}" if message else name
    where = Place(*told["place"]) if "place" in told else frames[0] if frames else None
    return Failure(
        kind=kind if kind in _KINDS else "runtime",
        message=text,
        code=told["module"] if kind == "module" and "module" in told else told.get("code", ""),
        language=LANGUAGE,
        file=where.file if where is not None else "",
        line=where.line if where is not None else 0,
        column=where.column if where is not None else 0,
        frames=frames,
        value=told.get("value"),
        fault=told.get("fault", 0),
        path=told.get("path", "$"),
        hint=(hint := _hint(told)),
        unknown="" if hint else _unknown(name, message),
    )


def _unknown(name: str, message: str) -> str:
    match = _UNDEFINED.fullmatch(message) if name == "ReferenceError" else None
    return match[1] if match is not None else ""


def _hint(told: dict[str, Any]) -> str:
    kind = told.get("kind", "")
    if kind == "module" and told["name"] != "SyntaxError":  # which tells of a module that is there
        return hints.for_module(str(told.get("module", "")))
    known = hints.for_error(told["name"], told["message"]) or told.get("behind", "")
    return known or (_UNHANDLED if kind == "unhandled" else "")


def broken(message: str, limits: GuestLimits, frames: tuple[FrameInfo, ...]) -> Failure:
    """Tell of an error that only the engine itself could put into words: the glue had no memory or stack left."""
    if _OUT_OF_MEMORY in message:
        return stopped("memory", limits, frames)
    if "call stack size" in message:
        return Failure(kind="runtime", message=message, language=LANGUAGE, frames=frames)
    return Failure(kind="internal", message=f"the engine failed: {message[:500]}", state_spent=True)


def stopped(reason: str, limits: GuestLimits, frames: Any = (), *, spent: bool = True) -> Failure:
    """Tell of a run that a limit or a cancellation ended; ``spent``: in the middle of something."""
    failure = limit_failure(reason, limits, **_placed(frames))
    return msgspec.structs.replace(failure, state_spent=spent or failure.state_spent)


def fatal(fault: Fault, call: int, frames: Any = ()) -> Failure:
    """Tell of a fault that ends the run: a limit the host keeps, or a cancellation."""
    details = fault.details if isinstance(fault.details, dict) else {}
    value = details.get("value")
    return Failure(
        kind="cancelled" if fault.code == "cancelled" else "limit",
        limit="" if fault.code == "cancelled" else str(details.get("limit") or fault.code),
        limit_value=float(value) if isinstance(value, int | float) else 0,
        message=fault.message,
        fault=call,
        state_spent=True,
        **_placed(frames),
    )


def _placed(frames: Any) -> dict[str, Any]:
    """Return what a failure says of where it happened."""
    where = {"file": frames[0].file, "line": frames[0].line} if frames else {}
    return {"language": LANGUAGE, "frames": tuple(frames), **where}


def deadlock(waits: list[list[Any]], files: Files, source: str) -> Failure:
    """Tell of a run in which nothing can ever go on: what is awaited, where that is known.

    Args:
        waits: File and number of each ``await``; or ``""`` and what a task waits for.
        files: Where they are.
        source: The spell.
    """
    told = [(None, str(what)) if not name else _awaited(files, name, what) for name, what in waits]
    known = [each for each in told if each is not None]
    if known:
        said = "; ".join(text if at is None else f"{text} ({at.file}:{at.line}:{at.column})" for at, text in known)
        message = f"the spell waits for ever: nothing is left to run that could settle what it awaits: {said}"
    else:
        message = "the spell's result is a promise, and nothing is left to run that could settle it"
    where = next((place for place, _ in known if place is not None), Place(source))
    return Failure(
        kind="runtime",
        message=message,
        code="deadlock",
        language=LANGUAGE,
        file=where.file,
        line=where.line,
        column=where.column,
        hint="a promise that is awaited must be resolved or rejected by somebody",
    )


def _awaited(files: Files, name: str, number: Any) -> tuple[Place | None, str] | None:
    prepared = files.named(name)
    if prepared is None or not isinstance(number, int) or not 0 <= number < len(prepared.waits):
        return None
    line, column, text = prepared.waits[number]
    return Place(name, line, column), text
