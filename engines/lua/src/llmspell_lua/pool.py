"""Lua states kept for the next run, and when one is worn out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from llmspell.engine import states
from llmspell_lua.state import LuaState


@dataclass(frozen=True, slots=True)
class PoolSettings(states.PoolSettings):
    """How many states are kept, and for how long; see :class:`llmspell.engine.states.PoolSettings`.

    Attributes:
        health_threshold: States whose health is below are replaced; see :func:`health`.
    """

    health_threshold: float = 0.5


def health(state: LuaState, settings: PoolSettings) -> float:
    """Rate a state that was reset and collected: 1 is as new, 0 is of no use.

    It is the smaller of the runs it has left, and of what its memory has left until it is four times its first one.
    What it keeps for the next run, chunks and parts of the prelude, does not count.
    """
    runs = 1 - state.runs / (2 * settings.max_runs)
    grown = (state.memory - 4 * state.kept_bytes) / (2 * state.birth_memory)
    return max(0.0, min(runs, 1.0, 2 - grown))


class StatePool(states.StatePool[LuaState]):
    """Keep Lua states between runs."""

    settings: PoolSettings

    def __init__(
        self,
        make: Callable[[], LuaState],
        settings: PoolSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(make, settings or PoolSettings(), clock)

    def outgrown(self, state: LuaState) -> bool:
        if state.memory <= self.settings.collect_above * state.birth_memory:
            return False
        state.collect()
        return health(state, self.settings) < self.settings.health_threshold
