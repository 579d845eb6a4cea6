"""The record of a conversation: every host call, as it went through the gate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

SECRET = "<secret>"  # noqa: S105 - what stands where a secret stood


class CallRecord(msgspec.Struct, frozen=True):
    """One host call.

    Attributes:
        run: Id of the run.
        index: Position among the run's calls, from 1.
        time: When it began, seconds since the epoch.
        duration: Seconds it took.
        target: The bridge's name, or the type of a handle's object.
        method: The export.
        args: Arguments as they arrived; secret parameters redacted; handles by name.
        result: What the script received, if it went well.
        error: ``{"code", "message"}`` if not.
        line: Line of the script that asked; 0 if unknown.
        language: Of the guest that asked.
    """

    run: str
    index: int
    time: float
    duration: float
    target: str
    method: str
    args: list[Any]
    result: Any = None
    error: dict[str, Any] | None = None
    line: int = 0
    language: str = ""


class Recorder(Protocol):
    """Receives records; called from the conversation's own thread, so it must be quick and never raise."""

    def record(self, record: CallRecord) -> None: ...

    def close(self) -> None: ...


class MemoryRecorder:
    """Keep records in a list.

    Example:
        >>> recorder = MemoryRecorder()
        >>> recorder.records
        []
    """

    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    def record(self, record: CallRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        """Nothing to let go of."""


class JsonlRecorder:
    """Append records to a file, one JSON object a line, each written at once.

    Bytes become base64, handles their description, integers beyond 64 bits decimal text.
    """

    def __init__(self, path: str | Path) -> None:
        self._file: IO[bytes] = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder(enc_hook=repr)

    def record(self, record: CallRecord) -> None:
        try:
            line = self._encoder.encode(record)
        except (OverflowError, UnicodeEncodeError, TypeError, ValueError):
            line = self._encoder.encode(_jsonable(msgspec.structs.asdict(record)))
        with self._lock:
            self._file.write(line + b"\n")

    def close(self) -> None:
        self._file.close()


def _jsonable(item: Any) -> Any:
    if isinstance(item, int) and not isinstance(item, bool) and not -(2**63) <= item < 2**64:
        return str(item)
    if isinstance(item, str):
        return item.encode("utf-8", "backslashreplace").decode()
    if isinstance(item, list | tuple):
        return [_jsonable(part) for part in item]
    if isinstance(item, dict):
        return {str(_jsonable(key)): _jsonable(part) for key, part in item.items()}
    return item


def redact(args: list[Any], names: list[str], secrets: frozenset[str]) -> list[Any]:
    """Replace the arguments of secret parameters, by position and inside the table of options."""
    out = [SECRET if index < len(names) and names[index] in secrets else arg for index, arg in enumerate(args)]
    if out and isinstance(out[-1], dict):
        out[-1] = {key: SECRET if key in secrets else part for key, part in out[-1].items()}
    return out


def scrubber(values: frozenset[str]) -> Callable[[str], str] | None:
    """Return a function that replaces secret values wherever they stand in a text; None if there are none."""
    long_enough = sorted((value for value in values if len(value) >= 4), key=len, reverse=True)
    if not long_enough:
        return None

    def scrub(text: str) -> str:
        for value in long_enough:
            if value in text:
                text = text.replace(value, SECRET)
        return text

    return scrub


def scrub_value(item: Any, scrub: Callable[[str], str]) -> Any:
    """Apply a scrubber to every text in a value."""
    if type(item) is str:
        return scrub(item)
    if type(item) is list:
        return [scrub_value(part, scrub) for part in item]
    if type(item) is dict:
        return {scrub(key): scrub_value(part, scrub) for key, part in item.items()}
    return item
