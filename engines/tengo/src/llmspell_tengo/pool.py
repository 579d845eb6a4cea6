"""Lua states kept for the next run, and the rules by which they are discarded."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from llmspell_tengo.machine.vm import LuaVM


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many states are kept, and for how long.

    Attributes:
        max_idle: Kept at most; one given back beyond that is discarded. States in use are not limited here.
        idle_timeout: Seconds after which an idle state goes, but for one.
        max_runs: Runs after which a state is replaced.
        collect_above: Garbage is collected in a state given back with this many times its first memory.
        discard_above: A state that has so many times its first memory after that is discarded.
    """

    max_idle: int = 16
    idle_timeout: float = 60.0
    max_runs: int = 1000
    collect_above: float = 4.0
    discard_above: float = 16.0


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """Counts since the pool was made; ``idle`` and ``in_use`` are of now.

    Attributes:
        discarded: By reason: ``"spent"`` (a limit it cannot be trusted after), ``"runs"``, ``"memory"``,
            ``"surplus"``, ``"idle"``, ``"busy"`` (given back while a thread was still inside), ``"closed"``.
    """

    created: int = 0
    reused: int = 0
    idle: int = 0
    in_use: int = 0
    peak_in_use: int = 0
    discarded: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


class StatePool:
    """Keep states between runs. Safe to use from any thread.

    There is no thread behind it: it tidies up as it is used.
    """

    def __init__(self, settings: PoolSettings | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings or PoolSettings()
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: deque[tuple[float, LuaVM]] = deque()
        self._in_use = self._peak = self._created = self._reused = 0
        self._discarded: Counter[str] = Counter()
        self._closed = False

    def take(self) -> LuaVM:
        """Return a state without a trace of an earlier run: the one used last, or a new one."""
        with self._lock:
            vm = self._idle.pop()[1] if self._idle else None
            if vm is not None:
                self._reused += 1
        if vm is None:
            vm = LuaVM()
        with self._lock:
            self._created = self._created + (vm.runs == 0)
            self._in_use += 1
            self._peak = max(self._peak, self._in_use)
        return vm

    def give(self, vm: LuaVM) -> None:
        """Take a state back. One that a thread is still inside of is dropped untouched: that thread frees it."""
        reason = self._unfit(vm)
        now = self._clock()
        with self._lock:
            self._in_use -= 1
            if not reason and self._closed:
                reason = "closed"
            if not reason and len(self._idle) >= self.settings.max_idle:
                reason = "surplus"
            if reason:
                self._discarded[reason] += 1
            else:
                self._idle.append((now, vm))
            while len(self._idle) > 1 and now - self._idle[0][0] > self.settings.idle_timeout:
                self._idle.popleft()
                self._discarded["idle"] += 1

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
                len(self._idle),
                self._in_use,
                self._peak,
                MappingProxyType(dict(self._discarded)),
            )

    def _unfit(self, vm: LuaVM) -> str:
        """Make a state ready for the next run, or return why it should not be used again."""
        if vm.is_running:
            return "busy"
        if vm.spent:
            return "spent"
        vm.reset()
        if vm.runs >= self.settings.max_runs:
            return "runs"
        birth = vm.birth_memory
        grown = vm.memory > self.settings.collect_above * birth
        return "memory" if grown and vm.collect() > self.settings.discard_above * birth else ""
