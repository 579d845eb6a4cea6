"""The reins of a run: pause, resume, stop."""

from __future__ import annotations

import asyncio
from typing import Any

from llmspell.errors import BridgeError


class WorkflowError(BridgeError):
    """A workflow did not come to its end.

    Its code is ``step_failed``, ``stopped``, ``timeout``, ``no_match``, ``not_a_list`` or ``too_many_rounds``.
    ``details`` of a step that failed tell the step, what it said, and what was done before it.

    Attributes:
        undo: What was done before is to be undone.
    """

    code = "workflow"

    def __init__(self, message: str, *, undo: bool = False, **more: Any) -> None:
        super().__init__(message, **more)
        self.undo = undo


class Control:
    """Pauses and stops a run, between steps and within them; what holds a run holds the workflows it runs as steps."""

    def __init__(self, above: Control | None = None) -> None:
        self._go = asyncio.Event()
        self._go.set()
        self._above = above
        self.stopped = False
        self.task: asyncio.Task[Any] | None = None

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    def pause(self) -> None:
        """Let the steps under way end, and begin no other."""
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def stop(self) -> None:
        """End the run, steps under way included."""
        self.stopped = True
        self._go.set()
        if self.task is not None:
            self.task.cancel()

    async def checkpoint(self) -> None:
        """Wait while the run is paused.

        Raises:
            WorkflowError: It was stopped.
        """
        if self._above is not None:
            await self._above.checkpoint()
        await self._go.wait()
        if self.stopped:
            raise WorkflowError("the workflow was stopped", code="stopped")
