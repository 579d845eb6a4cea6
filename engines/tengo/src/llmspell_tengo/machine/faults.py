"""What a failed task says, put into the reference's words and places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmspell.errors import Location
from llmspell_tengo.compiler import CompiledProgram

_SWAPPED = frozenset({">", ">="})

STACK_OVERFLOW = "stack overflow"
"""The reference's words for calls that nest too deep."""


@dataclass(frozen=True, slots=True)
class RuntimeFault(Exception):
    """A program failed while it ran.

    Attributes:
        detail: The bare message.
        trace: Where it failed and where from that was called, innermost first.
        functions: The names of the functions of ``trace``, as far as known.
        kind: ``"error"``: the script's own fault; ``"stop"``: ``detail`` names a limit or an interrupt;
            ``"value"``: a value could not cross, at ``path``; ``"host"``: a host call failed with ``code``;
            ``"internal"``: the engine's own fault.
        call: Id of the failed host call.
        spent: The Lua state must not be used again.
    """

    detail: str
    trace: tuple[Location, ...] = ()
    functions: tuple[str, ...] = ()
    kind: str = "error"
    path: str = "$"
    call: int = 0
    code: str = ""
    spent: bool = False

    def __str__(self) -> str:
        places = "".join(f"\n\tat {place}" for place in self.trace)
        return f"Runtime Error: {self.detail}{places}"


def frames_of(
    programs: Mapping[str, CompiledProgram], packed: bytes
) -> tuple[tuple[Location, ...], tuple[str, ...], str]:
    """Read ``chunk:line:name,...``: places, function names, and what the innermost line does."""
    places: list[Location] = []
    names: list[str] = []
    first = ""
    for frame in packed.decode("utf-8", "replace").split(","):
        chunk, _, rest = frame.partition(":")
        line, _, name = rest.partition(":")
        program = programs.get(chunk)
        found = program.place(int(line)) if program is not None else None
        if found is not None:
            first = first if places else found[1]
            places.append(found[0])
            names.append(_shown_name(name))
    return tuple(places), tuple(names), first


def _shown_name(name: str) -> str:
    """Take the number off a name of the emitted program; the runtime calls what has none by what it is found by."""
    if name == "integer index":
        return ""
    stem, _, number = name.rpartition("_")
    return stem if number.isdigit() else name.strip("?")


def runtime_fault(programs: Mapping[str, CompiledProgram], message: bytes, frames: bytes) -> RuntimeFault:
    """Read what the driver tells of a failed task."""
    if message.startswith(b"\x01s"):
        frames = frames.partition(b",")[2]
    trace, names, tag = frames_of(programs, frames)
    fields = message.decode("utf-8", "replace").split("\x01")
    if len(fields) < 3 or fields[0]:
        return _lua_fault(fields[0] if len(fields) == 1 else "\x01".join(fields), trace, names)
    kind = fields[1]
    if kind == "c":
        left, op, right = fields[2:5]
        if tag in _SWAPPED:
            left, right = right, left
        return RuntimeFault(f"invalid operation: {left} {tag or op} {right}", trace, names)
    if kind == "i":
        return RuntimeFault(f"not indexable: {fields[2] if tag == 'set' else fields[3]}", trace, names)
    if kind == "k":
        return RuntimeFault(fields[2], trace, names, "stop")
    if kind == "v":
        return RuntimeFault(fields[2], trace, names, "value", fields[3])
    if kind == "f":
        return RuntimeFault("\x01".join(fields[4:]), trace, names, "host", call=int(fields[2]), code=fields[3])
    if kind == "x":
        return RuntimeFault(fields[2], trace, names, "internal")
    return RuntimeFault("\x01".join(fields[2:]), trace, names)


def _lua_fault(text: str, trace: tuple[Location, ...], names: tuple[str, ...]) -> RuntimeFault:
    """Name what Lua itself raised: a few limits of its own, or a fault of ours."""
    if text.endswith("(zero)"):
        return RuntimeFault("runtime error: integer divide by zero", trace, names)
    if "stack overflow" in text or "error in error handling" in text:
        return RuntimeFault(STACK_OVERFLOW, trace, names, spent=True)
    if "not enough memory" in text or "string too large" in text or "string length overflow" in text:
        return RuntimeFault("memory", trace, names, "stop", spent=True)
    return RuntimeFault(text, trace, names, "internal", spent=True)
