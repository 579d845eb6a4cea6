"""The engine: compiles, and opens guests."""

from __future__ import annotations

from llmspell.engine.cache import ProgramCache, ProgramKey
from llmspell.plugin import GuestLimits, Port, Source
from llmspell_rpn.guest import RpnGuest
from llmspell_rpn.program import RpnProgram, parse


class RpnEngine:
    """Reverse Polish notation."""

    def __init__(self) -> None:
        self._programs: ProgramCache[RpnProgram] = ProgramCache(max_entries=128)

    def compile(self, source: Source) -> RpnProgram:
        """Compile a source, or find it compiled."""
        key = ProgramKey.of("rpn", "1", source, variant=source.name)
        return self._programs.get_or_make(key, lambda: (parse(source), len(source.text)))

    def open(self, limits: GuestLimits, port: Port) -> RpnGuest:
        """Open a guest."""
        return RpnGuest(limits, port)

    def close(self) -> None:
        """Forget the programs."""
        self._programs.clear()
