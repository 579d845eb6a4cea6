"""From what a run said of its end to the host's ``Failure``."""

from __future__ import annotations

import re
from typing import Any

from llmspell.engine import GuestLimits
from llmspell.engine.endings import limit_failure
from llmspell.engine.messages import Failure, FrameInfo
from llmspell.errors import Location, ScriptSyntaxError
from llmspell_tengo.machine.faults import STACK_OVERFLOW, RuntimeFault
from llmspell_tengo.programs import LANGUAGE

EXIT = "exit:"
"""How the runtime says that the script asked to end; its status follows."""

_UNRESOLVED = re.compile(r"unresolved reference '(\w+)'")
_MOST_FRAMES = 24
_LONGEST = 64 * 1024


def syntax_failure(error: ScriptSyntaxError) -> Failure:
    """Tell of a source that does not compile."""
    location = error.location or Location("")
    kind: Any = "module" if error.message.startswith("cyclic module import") else "syntax"
    unresolved = _UNRESOLVED.fullmatch(error.message)
    return Failure(
        kind=kind,
        message=error.message,
        language=LANGUAGE,
        file=location.file,
        line=location.line,
        column=location.column,
        incomplete=error.incomplete,
        unknown=unresolved[1] if unresolved is not None else "",
    )


def run_failure(fault: RuntimeFault, limits: GuestLimits, reason: str) -> Failure:
    """Tell of a fault; ``reason`` is why the run was asked to stop, if it was."""
    common = placed(fault.trace, fault.functions)
    message = fault.detail if len(fault.detail) <= _LONGEST else fault.detail[:_LONGEST] + "..."
    if fault.kind == "stop" and message.startswith(EXIT):
        status = int(message.removeprefix(EXIT))
        return Failure(kind="exit", message=f"the script ended itself with status {status}", status=status, **common)
    if fault.kind == "stop":
        return limit_failure(reason or "cancelled" if message == "interrupt" else message, limits, **common)
    if message == STACK_OVERFLOW:
        return limit_failure("recursion", limits, f"{message}: the script's calls are nested too deep", **common)
    if fault.kind == "value":
        return Failure(kind="conversion", message=message, path=fault.path, **common)
    if fault.kind == "internal":
        return Failure(kind="internal", message=f"the Tengo engine failed: {message}", state_spent=True, **common)
    return Failure(kind="runtime", message=message, code=fault.code, fault=fault.call, **common)


LOADER = "(loader)"
"""The file that stands for the host, where it loads a module for another language."""


def placed(trace: tuple[Location, ...], functions: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a ``Failure`` that say where it happened."""
    if not trace:
        return {"language": LANGUAGE}
    frames = tuple(
        FrameInfo(LANGUAGE, place.file, place.line, place.column, name)
        for place, name in zip(trace[:_MOST_FRAMES], functions, strict=False)
        if place.file != LOADER
    )
    first = trace[0]
    return {
        "language": LANGUAGE, "file": first.file, "line": first.line, "column": first.column, "frames": frames
    }  # fmt: skip
