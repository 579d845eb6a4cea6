"""Which place a run gets, and whether that place can hold what its policy asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell.engine import EngineSpec, GuestLimits, ScriptEngine
from llmspell.engine.messages import Emit
from llmspell.errors import PolicyUnsupportedError
from llmspell.policy import Policy
from llmspell.runtime.watchdog import Watchdog
from llmspell.values import ValueLimits

if TYPE_CHECKING:
    from llmspell.runtime.run import Run
    from llmspell.runtime.seat import Seat
    from llmspell.runtime.steps import StepThreads
    from llmspell.runtime.worker.launch import Launch
    from llmspell.runtime.worker.pool import Workers


class RunPort:
    """What a guest in this process says while it is still running."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def emit(self, message: Emit) -> None:
        from llmspell.runtime.results import emit

        emit(self._run, message, None)

    def ask(self, calls: Any) -> Any:
        raise RuntimeError("a guest that can suspend does not ask")


class Placements:
    """All places of one host.

    Args:
        engine: Makes or finds the engine of a spec in this process.
        options: Gives what an engine's factory is called with, here or in a worker.
        watchdog: Ends workers that do not end themselves.
    """

    def __init__(
        self,
        engine: Callable[[EngineSpec], ScriptEngine],
        options: Callable[[EngineSpec], dict[str, Any]],
        watchdog: Watchdog,
    ) -> None:
        self._engine = engine
        self._options = options
        self._watchdog = watchdog
        self._making = threading.Lock()
        self._workers: Workers | None = None
        self._threads: StepThreads | None = None
        self._limits: dict[int, tuple[Any, GuestLimits]] = {}

    def check(self, spec: EngineSpec, policy: Policy) -> None:
        """Check that the policy can be enforced where it asks to be.

        Raises:
            PolicyUnsupportedError: Naming what is missing.
        """
        if policy.placement != "inline":
            self._pool().check(spec, policy)
            return
        can = spec.capabilities.inline
        limits = policy.limits
        missing = [
            name
            for name, asked in (
                ("deadline", limits.time is not None),
                ("steps", limits.steps is not None),
                ("recursion", limits.recursion is not None),
            )
            if asked and name not in can
        ]
        if missing:
            raise PolicyUnsupportedError(
                f"the {spec.name} engine cannot enforce {' and '.join(missing)} inside this process",
                missing=tuple(missing),
                hint="use level standard, or drop the limit",
            )

    def seat(self, spec: EngineSpec, policy: Policy, run: Run) -> Seat:
        """Seat a guest."""
        if policy.placement != "inline":
            return self._pool().seat(
                spec, self._options(spec), policy, self.guest_limits(policy), RunPort(run), run.principal
            )
        from llmspell.runtime.inline import inline_seat

        return inline_seat(
            self._found(spec, policy), spec.capabilities, self.guest_limits(policy), RunPort(run), self._step_threads
        )

    def _found(self, spec: EngineSpec, policy: Policy) -> ScriptEngine:
        """Return the engine, loaded; it may have found that this machine does not let it keep what its spec says.

        Raises:
            PolicyUnsupportedError: It has, and the policy asks for it.
        """
        engine = self._engine(spec)
        lacking: str = getattr(engine, "lacks_deadline", "")
        if lacking and policy.limits.time is not None:
            raise PolicyUnsupportedError(
                f"the {spec.name} engine cannot enforce deadline inside this process: {lacking}",
                missing=("deadline",),
                hint="use level standard: a worker is killed at the deadline",
            )
        return engine

    def adopt(self, launch: Launch) -> None:
        """Use a zygote that was launched ahead, and own it."""
        from llmspell.runtime.worker.parent import ZygoteProcess

        self._pool().adopt(ZygoteProcess(launch))

    def prepare(self, spec: EngineSpec, policy: Policy) -> None:
        """Have a worker forked ahead for runs like these; does nothing for those that need none.

        Raises:
            PolicyUnsupportedError: As :meth:`check`.
        """
        if policy.placement != "inline":
            self._pool().prepare(spec, self._options(spec), policy)

    def guest_limits(self, policy: Policy) -> GuestLimits:
        """Return the part of a policy's limits that the engine itself enforces."""
        limits = policy.limits
        known = self._limits.get(id(limits))
        if known is None or known[0] is not limits:
            if len(self._limits) > 256:
                self._limits.clear()
            made = GuestLimits(
                memory=limits.memory,
                steps=limits.steps,
                recursion=limits.recursion,
                value=ValueLimits(limits.value_depth, limits.value_nodes, limits.value_bytes),
                tasks=limits.tasks if limits.tasks is not None else 1_000_000,
                channels=limits.channels if limits.channels is not None else 1_000_000,
                watched=limits.time is not None,
            )
            known = self._limits[id(limits)] = (limits, made)
        return known[1]

    def _pool(self) -> Workers:
        workers = self._workers
        if workers is None:
            from llmspell.runtime.worker.pool import Workers

            # The first runs of a host may come from several threads at once.
            with self._making:
                workers = self._workers = self._workers or Workers(self._watchdog)
        return workers

    def _step_threads(self) -> StepThreads:
        threads = self._threads
        if threads is None:
            from llmspell.runtime.steps import StepThreads

            with self._making:
                threads = self._threads = self._threads or StepThreads()
        return threads

    def close(self) -> None:
        """End the workers and the threads."""
        if self._workers is not None:
            self._workers.close()
        if self._threads is not None:
            self._threads.close()
