"""VM states kept for the next run: for engines whose states are dear to make and can be emptied."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar


class State(Protocol):
    """A VM state, as a pool sees it."""

    @property
    def is_running(self) -> bool:
        """A thread is inside."""

    @property
    def spent(self) -> object:
        """Truthy if a limit was reached after which it cannot be trusted."""

    @property
    def runs(self) -> int:
        """How many runs it has seen."""

    def reset(self) -> None:
        """Leave no trace of the run that was."""


S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many states are kept, and for how long.

    Attributes:
        min_idle: Kept even when nobody asks for them.
        max_idle: Kept at most; a state given back beyond that is discarded. States in use are not limited here:
            how many runs there may be is the host's affair.
        idle_timeout: Seconds after which an idle state above the recent demand goes.
        max_runs: Runs after which a state is replaced.
        collect_above: Garbage is collected when a state is given back with this many times its first memory.
    """

    min_idle: int = 1
    max_idle: int = 16
    idle_timeout: float = 60.0
    max_runs: int = 1000
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


class StatePool(ABC, Generic[S]):
    """Keep states between runs. Safe to use from any thread.

    It adapts: it keeps as many idle states as were in use at once lately, within ``min_idle`` and ``max_idle``,
    and lets go of the others after ``idle_timeout``. There is no thread behind it: it tidies up as it is used.

    Args:
        make: Makes a state.
        settings: How many are kept.
        clock: Seconds that never go back.
    """

    def __init__(
        self, make: Callable[[], S], settings: PoolSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: deque[tuple[float, S]] = deque()
        self._in_use = self._peak = 0
        self._created = self._reused = self._returned = 0
        self._demand = 0
        self._demand_until = 0.0
        self._discarded: Counter[str] = Counter()
        self._closed = False

    @abstractmethod
    def outgrown(self, state: S) -> bool:
        """Tell whether a state that was reset has kept too much memory to be used again."""

    def take(self) -> S:
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

    def give(self, state: S) -> None:
        """Take a state back. One that a thread is still inside of is dropped untouched: that thread frees it."""
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

    def _unfit(self, state: S) -> str:
        """Make a state ready for the next run, or return why it should not be used again."""
        if state.is_running:
            return "busy"
        if self._closed:
            return "closed"
        if state.spent:
            return "spent"
        state.reset()
        if state.runs >= self.settings.max_runs:
            return "runs"
        return "memory" if self.outgrown(state) else ""

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
