"""What a failed program says, put into the reference's words and places."""

from __future__ import annotations

from dataclasses import dataclass

from llmspell.errors import Location
from llmspell_tengo.compiler import CompiledProgram

_SWAPPED = frozenset({">", ">="})


@dataclass(frozen=True, slots=True)
class RuntimeFault(Exception):
    """A program failed while it ran.

    Attributes:
        detail: The bare message.
        trace: Where it failed and where from that was called, innermost first.
        kind: ``"error"``: the script's own fault; ``"stop"``: ``detail`` names a limit or an interrupt;
            ``"value"``: a value could not cross, at ``path``; ``"internal"``: the engine's own fault.
        spent: The Lua state must not be used again.
    """

    detail: str
    trace: tuple[Location, ...] = ()
    kind: str = "error"
    path: str = "$"
    spent: bool = False

    def __str__(self) -> str:
        places = "".join(f"\n\tat {place}" for place in self.trace)
        return f"Runtime Error: {self.detail}{places}"


def runtime_fault(program: CompiledProgram, message: bytes, lines: bytes) -> RuntimeFault:
    """Read what the driver tells of a failed task."""
    numbers = [int(line) for line in lines.split(b",") if line]
    if message.startswith(b"\x01s"):
        del numbers[:1]
    places = [place for number in numbers if (place := program.place(number)) is not None]
    tag = places[0][1] if places else ""
    trace = tuple(location for location, _ in places)
    fields = message.decode("utf-8", "replace").split("\x01")
    if len(fields) < 3 or fields[0]:
        return _lua_fault(fields[0] if len(fields) == 1 else "\x01".join(fields), trace)
    kind = fields[1]
    if kind == "s":
        return RuntimeFault(fields[2], trace)
    if kind == "c":
        left, op, right = fields[2:5]
        if tag in _SWAPPED:
            left, right = right, left
        return RuntimeFault(f"invalid operation: {left} {tag or op} {right}", trace)
    if kind == "i":
        return RuntimeFault(f"not indexable: {fields[2] if tag == 'set' else fields[3]}", trace)
    if kind == "k":
        return RuntimeFault(fields[2], trace, "stop")
    if kind == "v":
        return RuntimeFault(fields[2], trace, "value", fields[3])
    if kind == "x":
        return RuntimeFault(fields[2], trace, "internal")
    return RuntimeFault("\x01".join(fields[2:]), trace)


def _lua_fault(text: str, trace: tuple[Location, ...]) -> RuntimeFault:
    """Name what Lua itself raised: a few limits of its own, or a fault of ours."""
    if text.endswith("(zero)"):
        return RuntimeFault("runtime error: integer divide by zero", trace)
    if "stack overflow" in text or "error in error handling" in text:
        return RuntimeFault("stack overflow", trace, spent=True)
    if "not enough memory" in text or "string too large" in text or "string length overflow" in text:
        return RuntimeFault("memory", trace, "stop", spent=True)
    return RuntimeFault(text, trace, "internal", spent=True)
