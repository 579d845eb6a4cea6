"""From what a run said of its end to the host's ``Failure``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmspell.engine import GuestLimits
from llmspell.engine.endings import limit_failure
from llmspell.engine.messages import Failure, Fault, FrameInfo
from llmspell_lua.programs import split_position

LANGUAGE = "lua"

_SPENT = frozenset({"memory", "recursion", "internal"})
"""Ends after which a state is not used again."""

_GLOBALS = (
    "array assert error getmetatable ipairs load next null pairs params pcall print rawequal rawget rawlen rawset"
    " require select setmetatable tonumber tostring type xpcall coroutine io math os string table utf8"
)
_MEMBERS = (
    "byte char find format gmatch gsub len lower match rep reverse sub upper pack unpack packsize concat insert"
    " move remove sort create resume yield wrap status running isyieldable close abs ceil floor max min random"
    " randomseed sqrt tointeger huge maxinteger mininteger codepoint codes offset charpattern clock date difftime"
    " exit time write"
)
"""What the libraries hold."""

_UNKNOWN = re.compile(r"attempt to \w+ a nil value \((global|field|method|local|upvalue) '([^']+)'\)")


class Names:
    """Chunk names as Lua shows them, and the sources they stand for.

    Attributes:
        main: The source the run began with.
    """

    __slots__ = ("_sources", "main")

    def __init__(self) -> None:
        self._sources: tuple[tuple[str, str], ...] = ()  # mostly one
        self.main = ""

    def add(self, display: str, name: str) -> None:
        """Remember what a display name stands for; the first is the main source."""
        self._sources = (*self._sources, (display, name))
        self.main = self.main or name

    def knows(self, display: str) -> bool:
        return any(known == display for known, _ in self._sources)

    def file(self, chunk: str) -> str:
        """Return the file of a chunk name: of ``@name``, of ``=name``, or of a text that was loaded."""
        if chunk[:1] in ("@", "="):
            return dict(self._sources).get(chunk[1:], chunk[1:])
        return '[string "' + chunk.split("\n", 1)[0][:40] + '"]'


def text(raw: object) -> str:
    """Return a text of the script for people to read."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a state says of a run that had to end, besides why.

    Attributes:
        status: For ``os.exit``.
        chunk, line: Where the script stood; the chunk's name may be empty.
        frames: Chunk, line, function and locals of each frame.
    """

    status: int = 0
    chunk: bytes = b""
    line: int = 0
    frames: tuple[tuple[bytes, int, bytes, dict[bytes, bytes]], ...] = ()


def ended(
    record: Sequence[Any],
    ending: Ending,
    reasons: Sequence[str],
    fatal: Fault | None,
    limits: GuestLimits,
    names: Names,
) -> Failure:
    """Tell of a task that had to end: ``(FAILED, id, False, reason, text)``."""
    reason = text(record[3])
    if reason == "interrupt":
        reason = reasons[0] if reasons else "cancelled"
    frames = tuple(_frame(each, names) for each in ending.frames)
    file, line = names.file(text(ending.chunk)) if ending.chunk else "", ending.line
    if not file and frames:
        file, line = frames[0].file, frames[0].line
    common: dict[str, Any] = {"language": LANGUAGE, "file": file or names.main, "line": line, "frames": frames}
    if reason == "exit":
        status = ending.status
        return Failure(kind="exit", message=f"the script ended itself with status {status}", status=status, **common)
    if reason == "internal":
        return Failure(kind="internal", message=f"the Lua engine failed: {text(record[4])}", state_spent=True, **common)
    if reason == "unknown_function":
        return Failure(kind="runtime", message="the script has no such function any more", code=reason, **common)
    message = fatal.message if fatal is not None and fatal.code == reason else ""
    return limit_failed(reason, message, limits, **common)


def limit_failed(reason: str, message: str, limits: GuestLimits, **common: Any) -> Failure:
    """Tell of a limit, or of a cancellation."""
    return limit_failure(reason, limits, message, spent=_SPENT, **common)


def failed(account: Mapping[str, Any], names: Names, globals_: Iterable[str], value: Any) -> Failure:
    """Tell of an error nobody handled, from the account that ``account.lua`` made of it."""
    frames = tuple(_frame(each, names) for each in account.get("frames") or ())
    message = text(account.get("message", ""))
    display, line, rest = split_position(message)
    file = ""
    if names.knows(display):
        file, message = names.file("@" + display), rest
    elif frames:
        file, line = frames[0].file, frames[0].line
    else:
        file, line = names.main, 0
    code = account.get("code", "")
    path = text(account.get("path", "$"))
    common: dict[str, Any] = {
        "language": LANGUAGE, "file": file, "line": line, "frames": frames, "message": message, "code": code,
        "path": path, "value": value, "hint": did_you_mean(message, globals_), "unknown": unknown_global(message),
    }  # fmt: skip
    if account.get("stage") and code == "conversion":
        what = {"result": "the result", "params": "the parameters", "arguments": "the arguments"}[account["stage"]]
        common |= {"message": f"{what} cannot cross: {message}", "value": None}
        return Failure(kind="conversion", **common)
    if code == "circular_module":
        return Failure(kind="module", **common)
    return Failure(kind="runtime", fault=account.get("call") or 0, **common)


def unknown_global(message: str) -> str:
    """Return the global that is not there, if that is what an error is of; else ``""``."""
    match = _UNKNOWN.search(message)
    return match[2] if match is not None and match[1] == "global" else ""


def did_you_mean(message: str, globals_: Iterable[str]) -> str:
    """Return a hint for an unknown name, or ``""``."""
    match = _UNKNOWN.search(message)
    if match is None:
        return ""
    known = _MEMBERS.split() if match[1] in ("field", "method") else [*globals_, *_GLOBALS.split()]
    near = difflib.get_close_matches(match[2], known, 1)
    return f"did you mean {near[0]}?" if near and near[0] != match[2] else ""


def _frame(fields: Sequence[Any], names: Names) -> FrameInfo:
    source, line, function, found = fields
    shown = {text(name): text(rendered) for name, rendered in sorted(found.items())} if isinstance(found, dict) else {}
    return FrameInfo(LANGUAGE, names.file(text(source)), line, 0, text(function), shown)
