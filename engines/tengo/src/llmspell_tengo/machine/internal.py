"""Work of the runtime that Python does for it: what needs Unicode's tables, calendars or an RE2 engine."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from llmspell_tengo import values
from llmspell_tengo.compiler import CompiledProgram
from llmspell_tengo.machine.faults import RuntimeFault, runtime_fault
from llmspell_tengo.stdlib.strings import RawText, raw


class InternalFault(Exception):
    """Stops the script with this message."""


_WORK = {
    "strings": "quote quote_char printable can_backquote fields equal_fold to_lower to_upper to_title title unquote",
    "numbers": "format_float format_float32 float32 parse_int entropy math",
    "clock": "now clock date add_date zone_offset zone_name is_zone",
    "durations": "duration_string parse_duration",
    "layouts": "time_format time_string time_rfc3339",
    "parsing": "time_parse",
    "system": "platform architecture",
    "regexps": "regex_check regex_match regex_find regex_replace regex_split",
}
_PLACES = {name: module for module, names in _WORK.items() for name in names.split()}


@cache
def _worker(name: str) -> Any:
    if name == "unknown_member":
        return unknown_member
    return getattr(importlib.import_module(f"llmspell_tengo.stdlib.{_PLACES[name]}"), name)


def load_all() -> None:
    """Import everything that work may need now, where modules can still be imported."""
    importlib.import_module("difflib")
    importlib.import_module("re2")
    for name in _PLACES:
        _worker(name)


def perform(name: str, args: list[Any]) -> Any:
    """Do the work called ``name``.

    Raises:
        InternalFault: It cannot be done; the script ends with that message.
    """
    try:
        return _worker(name)(*args)
    except (ValueError, OverflowError) as error:
        raise InternalFault(str(error)) from error


def work_answer(
    name: bytes, packed: bytes, programs: Mapping[str, CompiledProgram]
) -> tuple[bytes | None, bytes | None]:
    """Do the work that a script's task asks for: the message of the fault that ends it, or the packed result."""
    if name == b"describe":
        message, frames = map(raw, values.decode(packed))
        return None, values.encode(_described(runtime_fault(programs, message, frames)))
    try:
        return None, values.encode(perform(name.decode(), values.decode(packed)))
    except InternalFault as fault:
        return str(fault).encode("utf-8", "replace"), None


def _described(fault: RuntimeFault) -> list[str]:
    """Return code and message of a failure that the script may look at."""
    return [fault.code or ("conversion" if fault.kind == "value" else "runtime"), fault.detail]


def as_text(text: RawText) -> str:
    """Return a Tengo string as text for people; what is not UTF-8 shows as U+FFFD."""
    return text if isinstance(text, str) else raw(text).decode("utf-8", "replace")


def plain(value: Any) -> Any:
    """Return a scalar of the script as a value: text where it is UTF-8 (but for lone surrogates), else bytes."""
    if type(value) is not bytes:
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return value


def unknown_member(what: str, name: str, members: list[str]) -> str:
    """Tell that a thing of the host has no such member, and which one may be meant."""
    import difflib

    near = difflib.get_close_matches(name, members, 1)
    if near:
        return f"{what} has no {name!r}; did you mean {near[0]!r}?"
    return f"{what} has no {name!r}; it has {', '.join(sorted(members)[:20]) or 'nothing'}"
