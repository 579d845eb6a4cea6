"""Lua states kept for the next run of Tengo, and when one is worn out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from llmspell.engine import states
from llmspell_tengo.machine.vm import LuaVM


@dataclass(frozen=True, slots=True)
class PoolSettings(states.PoolSettings):
    """How many states are kept, and for how long; see :class:`llmspell.engine.states.PoolSettings`.

    Attributes:
        discard_above: A state that has so many times its first memory after its garbage was collected is discarded.
    """

    discard_above: float = 16.0


class StatePool(states.StatePool[LuaVM]):
    """Keep Lua states between runs."""

    settings: PoolSettings

    def __init__(self, settings: PoolSettings | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(LuaVM, settings or PoolSettings(), clock)

    def outgrown(self, state: LuaVM) -> bool:
        birth, settings = state.birth_memory, self.settings
        return state.memory > settings.collect_above * birth and state.collect() > settings.discard_above * birth
