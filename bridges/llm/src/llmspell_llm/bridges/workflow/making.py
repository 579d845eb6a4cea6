"""Making workflows."""

from __future__ import annotations

from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import BridgeError, Call, export
from llmspell_llm.agent import AgentError
from llmspell_llm.bridges.agent.handle import AgentHandle
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.workflow.base import WorkflowBase
from llmspell_llm.tools import ToolError
from llmspell_llm.workflow import Step, Workflow, WorkflowError
from llmspell_llm.workflow.reading import workflow_from


class MakingExports(WorkflowBase):
    """The exports that make, check, list and remove workflows."""

    @export
    def create(self, call: Call, id: str, config: dict[str, Any] | None = None) -> str:
        """Make a workflow and return its id.

        Args:
            id: Its name.
            config: ``type`` (``sequential``, ``parallel``, ``conditional``, ``loop``, ``map``, ``reduce``), ``steps``,
                ``variables``, ``on_error`` (``stop``, ``continue``, ``retry``, ``compensate``), ``condition`` and
                ``times`` (for ``loop``), ``otherwise`` (for ``conditional``), ``initial`` (for ``reduce``),
                ``concurrency``, ``timeout`` (seconds), ``parameters``, ``name``, ``description``. A step is a function,
                or a table with one of ``function``, ``agent``, ``tool``, ``workflow``, ``spell``, ``prompt``, and
                ``id``, ``input``, ``options``, ``condition``, ``retry`` (``{attempts, delay, backoff, max_delay}``),
                ``on_error``, ``compensation``, ``timeout``, ``save``.
        """
        if not id.strip():
            raise ArgumentError("a workflow needs an id", parameter="id", position=1)
        self.make(call, id, config or {})
        return id

    create_workflow = also(create, "create_workflow")

    @export
    def create_sequential_workflow(self, call: Call, name: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a workflow whose steps follow each other, and return it."""
        return self.make(call, name, {**(config or {}), "type": "sequential"}).workflow.as_value()

    @export
    async def validate(self, call: Call, config: dict[str, Any]) -> dict[str, Any]:
        """Check a workflow without making it: ``{valid, errors}``; also whether what its steps name is there."""
        try:
            workflow = workflow_from(str(config.get("id", "unnamed")), {k: v for k, v in config.items() if k != "id"})
        except BridgeError as error:
            return {"valid": False, "errors": [error.message]}
        errors = await self._problems(call, workflow)
        return {"valid": not errors, "errors": errors}

    @export
    def get(self, call: Call, id: str) -> dict[str, Any]:
        """Return a workflow, with its status."""
        kept = self.find(call, id)
        return {**kept.workflow.as_value(), "status": kept.status}

    @export(name="list")
    def list_(self, call: Call) -> list[dict[str, Any]]:
        """List the session's workflows: ``{id, name, type, status, steps}`` each."""
        return [
            {
                "id": id,
                "name": kept.workflow.name,
                "type": kept.workflow.kind,
                "status": kept.status,
                "steps": len(kept.workflow.steps),
            }
            for id, kept in self.kept.all(call).items()
        ]

    @export
    def remove(self, call: Call, id: str) -> bool:
        """Forget a workflow; what it is doing is stopped. Tell whether there was one."""
        kept = self.kept.remove(call, id)
        if kept is not None:
            kept.stop()
        return kept is not None

    delete_workflow = also(remove, "delete_workflow")

    async def _problems(self, call: Call, workflow: Workflow) -> list[str]:
        errors = [] if workflow.steps else ["a workflow without steps does nothing"]
        if workflow.kind == "loop" and workflow.condition is None and workflow.times is None:
            errors.append("a loop needs a condition or times")
        if workflow.kind == "conditional" and all(s.condition for s in workflow.steps) and not workflow.otherwise:
            errors.append("if no condition holds, this workflow fails: give it otherwise")
        for step in workflow.every_step:
            try:
                await self._must_be_there(call, step)
            except (AgentError, ToolError, WorkflowError) as error:
                errors.append(f"step {step.id!r}: {error.message}")
                continue
            if step.kind == "workflow" and self._reaches(call, str(step.target), workflow.id, set()):
                errors.append(f"step {step.id!r}: workflow {step.target!r} runs this one again")
        return errors

    async def _must_be_there(self, call: Call, step: Step) -> None:
        if step.kind == "agent" and not isinstance(step.target, AgentHandle):
            self.agents.agent(call, step.target)
        elif step.kind == "tool":
            await self.tools.tool(call, step.target)
        elif step.kind == "workflow":
            self.find(call, str(step.target))

    def _reaches(self, call: Call, id: str, goal: str, seen: set[str]) -> bool:
        if id == goal:
            return True
        kept = self.kept.find(call, id)
        if id in seen or kept is None:
            return False
        seen.add(id)
        return any(
            step.kind == "workflow" and self._reaches(call, str(step.target), goal, seen)
            for step in kept.workflow.every_step
        )
