"""``Workers``: the workers of one host. Warm ones per engine, hardening and principal; spares that nobody used yet."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from llmspell.engine import EngineSpec, GuestLimits
from llmspell.errors import EngineCrashed, LlmspellError, PolicyUnsupportedError
from llmspell.policy import Policy
from llmspell.runtime.hardening.plan import Applied, Hardening
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.frames import FrameError, FrameReader
from llmspell.runtime.worker.launch import no_workers
from llmspell.runtime.worker.levels import limits_memory, plan_for
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import EngineOrder, Ready
from llmspell.runtime.worker.source import MakeSource, WorkerSource, best_source
from llmspell.runtime.worker.waiting import never, readable
from llmspell.values.wire import decoder, encode

if TYPE_CHECKING:
    from llmspell.runtime.worker.line import Line
    from llmspell.runtime.worker.seat import WorkerSeat

_STARTUP = 30.0  # seconds a forked worker has to say that it is hardened
_READY_MAX = 64 * 1024
_DEMAND = 2
_ATTEMPTS = 3  # a spare and a zygote may each turn out to be dead


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes workers interchangeable, as long as nobody has used them.

    Attributes:
        engine: The engine and its options, encoded.
        level: For messages.
        limits_memory: The engine limits a script's memory by itself.
    """

    engine: bytes
    plan: Hardening
    level: str
    hardened: bool
    limits_memory: bool


class Workers:
    """Lend workers to runs.

    Args:
        watchdog: Ends what does not end itself.
        max_runs: Runs after which a worker is replaced.
        max_idle: Warm workers kept in all; the longest unused go first.
        source: Makes what new workers come from, when the first is needed.
    """

    def __init__(
        self,
        watchdog: Watchdog,
        *,
        max_runs: int = 1_000,
        max_idle: int | None = None,
        source: MakeSource = best_source,
    ) -> None:
        self._watchdog = watchdog
        self._make_source = source
        self._max_runs = max_runs
        self._max_idle = max_idle if max_idle is not None else 2 * (os.cpu_count() or 2) + 2
        self._kinds: dict[tuple[int, int], tuple[EngineSpec, Policy, dict[str, Any], Kind]] = {}
        self._orders: dict[bytes, EngineOrder] = {}
        self._decode_ready: Callable[[Any], Ready] = decoder(Ready).decode
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._source: WorkerSource | None = None
        self._idle: list[tuple[Kind, str, WorkerProcess]] = []
        self._spares: list[tuple[Kind, WorkerProcess]] = []
        self._lent: set[WorkerProcess] = set()
        self._asked: Counter[Kind] = Counter()
        self.awaiting: set[Line] = set()

    # Seats

    def check(self, spec: EngineSpec, policy: Policy) -> None:
        """Check, without starting anything, that a worker can hold what the policy asks for.

        Raises:
            PolicyUnsupportedError: Naming what is missing.
        """
        level = policy.level
        if reason := no_workers():
            raise PolicyUnsupportedError(
                f"level {level!r} needs workers: {reason}",
                missing=("worker",),
                hint="use level minimal for code you wrote yourself",
            )
        if not isinstance(spec.factory, str):
            raise PolicyUnsupportedError(
                f"level {level!r} needs workers, and the {spec.name} engine gives its factory as an object, which "
                "another process cannot import",
                missing=("factory",),
                hint='declare it as "module:attribute"',
            )
        can = spec.capabilities.worker
        asked = (("steps", policy.limits.steps), ("recursion", policy.limits.recursion))
        missing = tuple(name for name, value in asked if value is not None and name not in can)
        if missing:
            raise PolicyUnsupportedError(
                f"the {spec.name} engine cannot enforce {' and '.join(missing)}",
                missing=missing,
                hint="drop the limit, or use another engine",
            )

    def seat(
        self,
        spec: EngineSpec,
        options: dict[str, Any],
        policy: Policy,
        limits: GuestLimits,
        port: Any,
        principal: str = "",
    ) -> WorkerSeat:
        """Seat a guest; its worker is found or forked when the first message is delivered.

        Args:
            spec: The engine.
            options: For its factory.
            policy: Placement and limits decide how the worker is hardened.
            limits: What the engine itself must hold the guest to.
            port: Its ``emit`` is called with output as it comes.
            principal: Workers are never shared between principals.

        Raises:
            PolicyUnsupportedError: As :meth:`check`.
        """
        from llmspell.runtime.worker.seat import WorkerSeat

        return WorkerSeat(self, self._kind(spec, options, policy), principal, spec, limits, port, self._watchdog)

    def prepare(self, spec: EngineSpec, options: dict[str, Any], policy: Policy) -> None:
        """Have a worker forked ahead for runs like these, without waiting for it.

        The first one costs starting an interpreter and loading the engine, which the host can spend on its own
        start. Does nothing where it cannot be had: the run that needs the worker says why.
        """
        kind = self._kind(spec, options, policy)
        try:
            self._keep_spare(kind, self._living_source())
        except LlmspellError:
            return

    def _kind(self, spec: EngineSpec, options: dict[str, Any], policy: Policy) -> Kind:
        known = self._kinds.get((id(spec), id(policy)))
        if known is not None and known[0] is spec and known[1] is policy and known[2] == options:
            return known[3]
        self.check(spec, policy)
        order = EngineOrder(spec.name, str(spec.factory), options)
        kind = Kind(
            encode(order),
            plan_for(policy),
            policy.level,
            policy.placement == "hardened",
            "memory" in spec.capabilities.worker,
        )
        with self._lock:
            if len(self._kinds) >= 256:
                self._kinds.clear()
            self._kinds[id(spec), id(policy)] = (spec, policy, options, kind)
            self._orders[kind.engine] = order
        return kind

    # Lending

    def take_warm(self, kind: Kind, principal: str) -> WorkerProcess | None:
        """Take a warm worker of this principal; never blocks."""
        if os.getpid() != self._owner:
            self._start_over()
        while True:
            with self._lock:
                for index in range(len(self._idle) - 1, -1, -1):
                    found, owner, worker = self._idle[index]
                    if owner == principal and (found is kind or found == kind):
                        del self._idle[index]
                        self._lent.add(worker)
                        break
                else:
                    return None
            if worker.quiet:
                return worker
            self._drop(worker)

    def take(self, kind: Kind, principal: str, given_up: Callable[[], bool] = never) -> WorkerProcess:
        """Take a worker, forking one if there is none; may block.

        Args:
            kind: Which.
            principal: Whose.
            given_up: Asked now and then whether it is still wanted.

        Raises:
            PolicyUnsupportedError: A required piece of hardening cannot be had on this machine.
            PluginLoadError: The engine cannot be loaded in a worker.
            EngineCrashed: There is no way to get a worker.
        """
        warm = self.take_warm(kind, principal)
        if warm is not None:
            return warm
        for _ in range(_ATTEMPTS):
            try:
                return self._fork(kind, given_up)
            except EngineCrashed as error:
                if given_up():
                    raise
                # Spare and zygote may have died since anybody last looked; that is no fault of this run.
                failure = error
        raise failure

    def _fork(self, kind: Kind, given_up: Callable[[], bool]) -> WorkerProcess:
        source = self._living_source()
        worker = self._spare(kind) or self._order(kind, source)
        with self._lock:
            self._lent.add(worker)
        try:
            self._settle(worker, source, kind, given_up)
        except BaseException:
            self._drop(worker)
            raise
        self._order_spare(kind, source)
        return worker

    def _order(self, kind: Kind, source: WorkerSource) -> WorkerProcess:
        return source.order(self._orders[kind.engine], kind.plan, engine_files=kind.hardened)

    def give_back(self, worker: WorkerProcess, kind: Kind, principal: str, *, clean: bool) -> None:
        """Take a worker back; never blocks. One that is not clean, or has served enough, is ended."""
        cpu = kind.plan.limits.cpu
        served = worker.runs >= self._max_runs or (cpu is not None and worker.seconds > cpu / 2)
        with self._lock:
            self._lent.discard(worker)
            unwanted = [worker]
            if clean and not served and not self._closed:
                self._idle.append((kind, principal, worker))
                unwanted = [self._idle.pop(0)[2]] if len(self._idle) > self._max_idle else []
        for each in unwanted:
            each.discard()

    def how_it_ended(self, worker: WorkerProcess) -> int | None:
        """Return the exit status of a worker that is gone, negative for a signal; None if nobody knows."""
        source = self._source
        return None if source is None else source.how_it_ended(worker)

    def _drop(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._lent.discard(worker)
        worker.discard()

    # Forking

    def _living_source(self) -> WorkerSource:
        with self._starting:
            if self._closed:
                raise EngineCrashed("the host is closed")
            if self._source is not None and self._source.lost:
                self._source.close()
                self._source = None
                self._discard_spares()
            if self._source is None:
                self._source = self._make_source(self._watchdog)
            return self._source

    def _settle(self, worker: WorkerProcess, source: WorkerSource, kind: Kind, given_up: Callable[[], bool]) -> None:
        """Wait until a worker is there and hardened, and insist on what its plan requires."""
        source.collect(worker, self._orders[kind.engine].name, given_up)
        reader = FrameReader()
        try:
            while (payload := reader.next()) is None:
                if not readable(worker.data.fileno(), _STARTUP, given_up):
                    raise EngineCrashed(f"a new worker said nothing for {_STARTUP:g} s")
                data = worker.data.recv(_READY_MAX)
                if not data:
                    raise EngineCrashed(
                        f"a new worker ended ({_told(source.how_it_ended(worker))}) before it was ready"
                    )
                reader.feed(data)
            worker.applied = Applied(self._decode_ready(payload).states)
        except (OSError, FrameError, ValueError, msgspec.MsgspecError) as error:
            raise EngineCrashed(f"a new worker cannot be understood: {error}") from error
        if not reader.empty:
            raise EngineCrashed("a new worker spoke before it was spoken to")
        worker.applied.require(kind.plan, kind.level)
        if kind.plan.limits.memory is not None and not (kind.limits_memory or limits_memory(worker.applied)):
            raise PolicyUnsupportedError(
                f"level {kind.level!r} cannot limit memory here: neither the {self._orders[kind.engine].name} engine "
                "nor this system can",
                missing=("memory",),
                hint="drop the limit, or use another engine",
            )

    def _spare(self, kind: Kind) -> WorkerProcess | None:
        with self._lock:
            for index, (found, worker) in enumerate(self._spares):
                if found == kind:
                    del self._spares[index]
                    return worker
        return None

    def _order_spare(self, kind: Kind, source: WorkerSource) -> None:
        """Have the next worker of a kind forked while the host is busy; not before a second one was wanted."""
        with self._lock:
            self._asked[kind] += 1
            wanted = self._asked[kind] >= _DEMAND
        if wanted:
            self._keep_spare(kind, source)

    def _keep_spare(self, kind: Kind, source: WorkerSource) -> None:
        """Order a worker of a kind that nobody waits for, unless there is one."""
        with self._lock:
            if self._closed or any(found == kind for found, _ in self._spares):
                return
        try:
            worker = self._order(kind, source)
        except EngineCrashed:
            return  # whoever needs a worker next is told why there is none, or gets another source
        with self._lock:
            self._spares.append((kind, worker))
            unwanted = self._spares.pop(0)[1] if len(self._spares) > self._max_idle or self._closed else None
        if unwanted is not None:
            unwanted.discard()

    def _discard_spares(self) -> None:
        with self._lock:
            spares, self._spares = self._spares, []
        for _, worker in spares:
            worker.discard()

    # The end

    def close(self) -> None:
        """End every worker, and the zygote. Idempotent."""
        if os.getpid() != self._owner:
            self._start_over()
        with self._lock:
            self._closed = True
            unused = self._unused()
            lent = list(self._lent)
            self._idle.clear()
            self._spares.clear()
        for worker in unused:
            worker.discard()
        for worker in lent:
            worker.kill()  # whoever waits for it learns of it, and lets go of it
        with self._starting:
            if self._source is not None:
                self._source.close()
                self._source = None

    def _unused(self) -> list[WorkerProcess]:
        return [worker for _, _, worker in self._idle] + [worker for _, worker in self._spares]

    def adopt(self, zygote: WorkerSource) -> None:
        """Use a zygote that was started ahead, and own it; ends it if there is one already."""
        with self._starting:
            if self._source is None and not self._closed:
                self._source = zygote
                return
        zygote.close()

    def _start_over(self) -> None:
        """In a forked child of the host: leave the parent's workers alone and begin without any."""
        source, known = self._source, [*self._unused(), *self._lent]
        self._begin()
        for worker in known:
            worker.abandon()
        if source is not None:
            source.abandon()


def _told(status: int | None) -> str:
    return "nobody knows how" if status is None else f"status {status}"
