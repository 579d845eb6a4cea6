"""Running workflows."""

from __future__ import annotations

import asyncio
from typing import Any

from llmspell.plugin import Call, HostObject, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.workflow.base import Kept, Run, WorkflowBase
from llmspell_llm.bridges.workflow.doing import Doing
from llmspell_llm.neighbours import publish
from llmspell_llm.workflow import (
    CheckpointError,
    Control,
    Journal,
    MemoryJournal,
    SqliteJournal,
    WorkflowError,
    WorkflowRun,
)
from llmspell_llm.workflow.checkpoints import file_name
from llmspell_llm.workflow.filling import said


class WorkflowTask(HostObject):
    """A run of a workflow that goes on while the script does something else."""

    def __init__(self, task: asyncio.Task[Any], run: Run) -> None:
        self._task = task
        self._run = run

    @export(name="await")
    async def await_(self, timeout: float | None = None) -> Any:
        """Wait for the output, for so many seconds at most, and return it."""
        done, _ = await asyncio.wait([self._task], timeout=timeout)
        if not done:
            raise WorkflowError("the workflow is still at work", code="timeout")
        if self._task.cancelled():
            raise WorkflowError("the workflow was stopped", code="stopped")
        return self._task.result()

    @export
    def status(self) -> str:
        """Tell how the run is: ``running``, ``paused``, ``completed``, ``failed`` or ``stopped``."""
        return str(self._run.as_value()["status"])

    @export
    def id(self) -> str:
        """Return the run's id."""
        return self._run.id

    @export
    def pause(self) -> None:
        """Begin no further step for now."""
        self._run.control.pause()

    @export
    def resume(self) -> None:
        """Go on."""
        self._run.control.resume()

    @export
    def stop(self) -> None:
        """End the run."""
        self._run.control.stop()

    async def aclose(self) -> None:
        """Called when the script's run ends."""
        self._run.control.stop()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class RunningExports(WorkflowBase):
    """The exports that run, pause, resume and stop."""

    @export
    async def execute(
        self,
        call: Call,
        id: str,
        input: Any = None,
        *,
        run_id: str | None = None,
        checkpoint: str | None = None,
        variables: dict[str, Any] | None = None,
    ) -> Any:
        """Run a workflow and return its output.

        Args:
            id: The workflow.
            input: What its first step gets.
            run_id: A name for this run; one with ``checkpoint`` goes on where a run of that name stopped.
            checkpoint: A directory that the policy grants for reading and writing, where each step's output is kept
                until the run has come to its end. A step that was under way when the process ended is done again.
            variables: Over the workflow's own, for this run.
        """
        return await self._checkpointed(call, id, input, run_id, checkpoint, variables)

    run = also(execute, "run")

    @export
    async def execute_async(
        self,
        call: Call,
        id: str,
        input: Any = None,
        *,
        run_id: str | None = None,
        checkpoint: str | None = None,
        variables: dict[str, Any] | None = None,
    ) -> WorkflowTask:
        """Run a workflow and go on; return a handle with ``await``, ``status``, ``pause``, ``resume`` and ``stop``."""
        kept = self.find(call, id)
        run = kept.begin(run_id, None)
        task = asyncio.ensure_future(self._checkpointed(call, id, input, run_id, checkpoint, variables, run))
        task.add_done_callback(lambda _: kept.end(run, "stopped") if run in kept.active else None)
        return WorkflowTask(task, run)

    @export
    def pause(self, call: Call, id: str) -> bool:
        """Let a workflow begin no further step for now; tell whether it was at work."""
        return self._each(call, id, Control.pause)

    @export
    def resume(self, call: Call, id: str) -> bool:
        """Let a paused workflow go on; tell whether it was at work."""
        return self._each(call, id, Control.resume)

    @export
    def stop(self, call: Call, id: str) -> bool:
        """End what a workflow is doing; tell whether it was at work."""
        return self._each(call, id, Control.stop)

    def _each(self, call: Call, id: str, do: Any) -> bool:
        active = list(self.find(call, id).active)
        for run in active:
            do(run.control)
        return bool(active)

    async def _checkpointed(
        self,
        call: Call,
        id: str,
        input: Any,
        run_id: str | None,
        checkpoint: str | None,
        variables: dict[str, Any] | None,
        run: Run | None = None,
    ) -> Any:
        """Run a workflow with a journal on disk, if the script wants one."""
        if checkpoint is None:
            return await self.work(call, id, input, run_id=run_id, variables=variables, run=run)
        self.find(call, id)
        try:
            journal = await self.journal(call, id, run_id, checkpoint)
        except BaseException as error:
            if run is not None:
                self.find(call, id).end(run, "failed", said(error))
            raise
        try:
            output = await self.work(call, id, input, run_id=run_id, variables=variables, run=run, journal=journal)
        finally:
            await journal.close()
        call.files.remove(f"{checkpoint}/{file_name(id, str(run_id))}")
        return output

    async def journal(self, call: Call, id: str, run_id: str | None, checkpoint: str) -> SqliteJournal:
        """Open the journal of a run, through the files guard.

        Raises:
            CheckpointError: It has no name, is going on elsewhere, or its file is something else.
            PolicyDeniedError: The directory is not granted for reading and writing.
        """
        if run_id is None:
            raise CheckpointError("a run with checkpoints needs a run_id, by which it is found again", code="usage")
        path = f"{checkpoint}/{file_name(id, run_id)}"
        call.files.mkdir(checkpoint, parents=True, exist_ok=True)
        call.files.unguarded_path(path)
        journal = SqliteJournal(call.files.unguarded_path(path, write=True), run_id)
        await journal.open()
        return journal

    async def work(
        self,
        call: Call,
        id: str,
        input: Any,
        *,
        run_id: str | None = None,
        variables: dict[str, Any] | None = None,
        run: Run | None = None,
        journal: Journal | None = None,
        above: Control | None = None,
        depth: int = 0,
    ) -> Any:
        """Run a workflow, with its counts and events.

        Raises:
            WorkflowError: It failed, or was stopped.
        """
        kept = self.find(call, id)
        run = run or kept.begin(run_id, above)

        async def told(kind: str, data: dict[str, Any]) -> None:
            await publish(call, f"workflow.{kind}", {"workflow": id, "run": run.id, **data})

        work = WorkflowRun(
            kept.workflow,
            Doing(self, call, depth),
            input,
            {**kept.variables, **(variables or {})},
            journal=journal or MemoryJournal(),
            control=run.control,
            told=told,
        )
        run.log = work.steps.log
        try:
            await told("started", {})
            output = await self._stoppable(run, work)
        except BaseException as error:
            stopped = run.control.stopped or isinstance(error, asyncio.CancelledError)
            self._ended(kept, run, work, "stopped" if stopped else "failed", said(error))
            if isinstance(error, Exception):
                await told(run.status, {"error": run.error})
            raise
        self._ended(kept, run, work, "completed")
        await told("completed", {})
        return output

    def _ended(self, kept: Kept, run: Run, work: WorkflowRun, status: str, error: str | None = None) -> None:
        kept.end(run, status, error)
        run.log = list(work.steps.log)
        kept.errors.extend({**failed, "run": run.id} for failed in work.steps.errors)
        kept.variables.update({name: value for name, value in work.variables.items() if name in kept.variables})

    async def _stoppable(self, run: Run, work: WorkflowRun) -> Any:
        """Run work that ``stop`` can end without ending who waits for it."""
        task = run.control.task = asyncio.ensure_future(work.run())
        try:
            return await task
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if run.control.stopped and not (waiting is not None and waiting.cancelling()):
                raise WorkflowError(f"workflow {work.workflow.id!r} was stopped", code="stopped") from None
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
