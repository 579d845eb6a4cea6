"""States kept for the next run, and the rules by which they are recycled or discarded."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from llmspell_lua.state import LuaState


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many states are kept, and for how long.

    Attributes:
        min_idle: Kept even when nobody asks for them.
        max_idle: Kept at most; a state given back beyond that is discarded. States in use are not limited here:
            how many runs there may be is the host's affair.
        idle_timeout: Seconds after which an idle state above the recent demand goes.
        max_runs: Runs after which a state is replaced.
        health_threshold: States whose health is below are replaced; see :func:`health`.
        collect_above: Garbage is collected when a state is given back with this many times its first memory.
    """

    min_idle: int = 1
    max_idle: int = 16
    idle_timeout: float = 60.0
    max_runs: int = 1000
    health_threshold: float = 0.5
    collect_above: float = 4.0


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """Counts since the pool was made; ``idle`` and ``in_use`` are of now.

    Attributes:
        discarded: By reason: ``"spent"`` (a limit it cannot be trusted after), ``"runs"``, ``"memory"``,
            ``"surplus"``, ``"idle"``, ``"busy"`` (given back while a thread was still inside), ``"closed"``.
    """

    created: int = 0
    reused: int = 0
    returned: int = 0
    idle: int = 0
    in_use: int = 0
    peak_in_use: int = 0
    discarded: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def health(state: LuaState, settings: PoolSettings) -> float:
    """Rate a state that was reset and collected: 1 is as new, 0 is of no use.

    It is the smaller of the runs it has left, and of what its memory has left until it is four times its first one.
    What it keeps for the next run, chunks and parts of the prelude, does not count.
    """
    runs = 1 - state.runs / (2 * settings.max_runs)
    grown = (state.memory - 4 * state.kept_bytes) / (2 * state.birth_memory)
    return max(0.0, min(runs, 1.0, 2 - grown))


class StatePool:
    """Keep states between runs. Safe to use from any thread.

    It adapts: it keeps as many idle states as were in use at once lately, within ``min_idle`` and ``max_idle``,
    and lets go of the others after ``idle_timeout``. There is no thread behind it: it tidies up as it is used.
    """

    def __init__(
        self,
        make: Callable[[], LuaState],
        settings: PoolSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self.settings = settings or PoolSettings()
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: deque[tuple[float, LuaState]] = deque()
        self._in_use = self._peak = 0
        self._created = self._reused = self._returned = 0
        self._demand = 0
        self._demand_until = 0.0
        self._discarded: Counter[str] = Counter()
        self._closed = False

    def take(self) -> LuaState:
        """Return a state without a trace of an earlier run: the one used last, or a new one."""
        with self._lock:
            self._in_use += 1
            self._peak = max(self._peak, self._in_use)
            self._demand = max(self._demand, self._in_use)
            if self._idle:
                self._reused += 1
                return self._idle.pop()[1]
            self._created += 1
        try:
            return self._make()
        except BaseException:
            with self._lock:
                self._in_use -= 1
            raise

    def give(self, state: LuaState) -> None:
        """Take a state back. One that a thread is still inside of is dropped untouched: that thread frees it."""
        reason = ""
        if state.is_running:
            reason = "busy"
        elif self._closed:
            reason = "closed"
        elif state.spent:
            reason = "spent"
        else:
            state.reset()
            reason = self._unfit(state)
        now = self._clock()
        with self._lock:
            self._in_use -= 1
            self._returned += 1
            if not reason and self._closed:
                reason = "closed"
            if not reason and len(self._idle) >= self.settings.max_idle:
                reason = "surplus"
            if reason:
                self._discarded[reason] += 1
            else:
                self._idle.append((now, state))
            self._tidy(now)

    def close(self) -> None:
        """Drop the idle states. Those in use are dropped when they are given back, never under a thread."""
        with self._lock:
            self._closed = True
            self._discarded["closed"] += len(self._idle)
            self._idle.clear()

    @property
    def metrics(self) -> PoolMetrics:
        with self._lock:
            return PoolMetrics(
                self._created,
                self._reused,
                self._returned,
                len(self._idle),
                self._in_use,
                self._peak,
                MappingProxyType(dict(self._discarded)),
            )

    def _unfit(self, state: LuaState) -> str:
        """Return why a state that was reset should not be used again, or ``""``."""
        settings = self.settings
        if state.runs >= settings.max_runs:
            return "runs"
        if state.memory > settings.collect_above * state.birth_memory:
            state.collect()
            if health(state, settings) < settings.health_threshold:
                return "memory"
        return ""

    def _tidy(self, now: float) -> None:
        """Let the states go that were idle too long, beyond the demand of the last period. Called with the lock."""
        settings = self.settings
        keep = max(settings.min_idle, min(settings.max_idle, self._demand - self._in_use))
        while len(self._idle) > keep and now - self._idle[0][0] > settings.idle_timeout:
            self._idle.popleft()
            self._discarded["idle"] += 1
        if now >= self._demand_until:
            self._demand = self._in_use
            self._demand_until = now + settings.idle_timeout
