"""``WorkerSource``: where new workers come from. Forked off a zygote, or spawned one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from llmspell.runtime.hardening.plan import Hardening
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker.launch import no_zygote
from llmspell.runtime.worker.process import WorkerProcess
from llmspell.runtime.worker.protocol import EngineOrder


class WorkerSource(Protocol):
    """Makes workers.

    Attributes:
        lost: Why it makes none any more; ``""`` while it does.
    """

    lost: str

    def order(self, engine: EngineOrder, plan: Hardening, *, engine_files: bool) -> WorkerProcess:
        """Ask for a worker without waiting for it; :meth:`collect` does that.

        Raises:
            EngineCrashed: None can be had.
        """

    def collect(self, worker: WorkerProcess, engine: str, given_up: Callable[[], bool]) -> None:
        """Wait until an ordered worker is born, or the caller has given up.

        Raises:
            PluginLoadError: The engine could not be loaded.
            EngineCrashed: There is no worker.
        """

    def how_it_ended(self, worker: WorkerProcess, patience: float = 0.2) -> int | None:
        """Return a worker's exit status, negative for a signal; None if it cannot be told."""

    def close(self) -> None:
        """End every worker that it made. Idempotent."""

    def abandon(self) -> None:
        """Let go in a forked child of the host, to which the workers do not belong."""


MakeSource = Callable[[Watchdog], WorkerSource]


def best_source(watchdog: Watchdog) -> WorkerSource:
    """Make the source that suits this system.

    Raises:
        PolicyUnsupportedError: There are no workers here.
        EngineCrashed: No process could be started.
    """
    if no_zygote() is None:
        from llmspell.runtime.worker.parent import ZygoteProcess

        return ZygoteProcess()
    from llmspell.runtime.worker.spawner import Spawner

    return Spawner(watchdog)
