"""What became of workflows."""

from __future__ import annotations

from typing import Any

from llmspell.errors import BridgeError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.workflow.running import RunningExports
from llmspell_llm.workflow import CheckpointError
from llmspell_llm.workflow.checkpoints import file_name, names_of


class ObservingExports(RunningExports):
    """The exports about status, history, errors, counts, and what is unfinished."""

    @export
    def status(self, call: Call, id: str) -> str:
        """Tell how a workflow is: ``created``, ``running``, ``paused``, ``completed``, ``failed`` or ``stopped``."""
        return self.find(call, id).status

    get_workflow_status = also(status, "get_workflow_status")

    @export
    def list_active(self, call: Call) -> list[str]:
        """Return the ids of the workflows that are at work."""
        return [id for id, kept in self.kept.all(call).items() if kept.active]

    @export
    def history(self, call: Call, id: str) -> list[dict[str, Any]]:
        """Return the last hundred runs: ``{run, status, started, ended, duration, error, steps}`` each."""
        return [run.as_value() for run in self.find(call, id).runs]

    @export
    def clear_history(self, call: Call, id: str) -> int:
        """Forget the runs that have ended; return how many there were."""
        kept = self.find(call, id)
        ended = [run for run in kept.runs if run.status != "running"]
        for run in ended:
            kept.runs.remove(run)
        return len(ended)

    @export
    def errors(self, call: Call, id: str) -> list[dict[str, Any]]:
        """Return the steps that failed: ``{run, step, place, error, time}`` each."""
        return list(self.find(call, id).errors)

    @export
    def clear_errors(self, call: Call, id: str) -> int:
        """Forget the steps that failed; return how many there were."""
        kept = self.find(call, id)
        count = len(kept.errors)
        kept.errors.clear()
        return count

    @export
    def metrics(self, call: Call, id: str) -> dict[str, Any]:
        """Tell ``{execution_count, success_count, failure_count, average_duration, max_duration}`` (milliseconds)."""
        return self.find(call, id).metrics()

    @export
    def reset_metrics(self, call: Call, id: str) -> None:
        """Forget how a workflow did."""
        kept = self.find(call, id)
        kept.executions, kept.failures = len(kept.active), 0
        kept.durations.clear()

    @export
    async def list_checkpoints(self, call: Call, checkpoint: str) -> list[dict[str, Any]]:
        """List the unfinished runs of a directory: ``{workflow, run, status, steps, began, last}`` each.

        ``status`` is ``resumable``, ``running`` (in this process or another) or ``broken``; only of what is resumable
        the rest is known. Times are seconds since 1970.
        """
        found: list[dict[str, Any]] = []
        for entry in call.files.list(checkpoint):
            names = names_of(entry.name)
            if names is None or entry.kind != "file":
                continue
            told: dict[str, Any] = {"workflow": names[0], "run": names[1]}
            try:
                journal = await self.journal(call, *names, checkpoint)
            except CheckpointError as error:
                status = "running" if error.code == "checkpoint_busy" else "broken"
                found.append({**told, "status": status})
                continue
            try:
                how = await journal.progress()
            finally:
                await journal.close()
            found.append({**told, "status": "resumable", "steps": how.steps, "began": how.began, "last": how.last})
        return found

    @export
    async def discard_checkpoint(self, call: Call, checkpoint: str, id: str, run_id: str) -> bool:
        """Forget an unfinished run, so that it begins anew; tell whether there was one.

        A run that is going on is left alone: ``checkpoint_busy``.
        """
        path = f"{checkpoint}/{file_name(id, run_id)}"
        if not call.files.exists(path):
            return False
        try:
            journal = await self.journal(call, id, run_id, checkpoint)
        except CheckpointError as error:
            if error.code != "checkpoint_broken":
                raise
        else:
            await journal.close()
        for name in (path, f"{path}-journal"):
            try:
                call.files.remove(name)
            except BridgeError as error:
                if error.code != "not_found":
                    raise
        return True
