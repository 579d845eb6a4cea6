"""Doing the steps of workflows: whom a step of each kind is given to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from llmspell.errors import BridgeNotFoundError, PolicyDeniedError
from llmspell.plugin import Bridge, Call
from llmspell_llm.conversation import Message
from llmspell_llm.llm.options import checked
from llmspell_llm.names import snake_keys
from llmspell_llm.tools.compose import as_parameters
from llmspell_llm.workflow import Task, WorkflowError
from llmspell_llm.workflow.filling import filled

if TYPE_CHECKING:
    from llmspell_llm.bridges.workflow.running import RunningExports


class Doing:
    """Does the steps of a workflow on behalf of a call.

    Args:
        bridge: Whose agents, models and tools are used.
        call: On whose behalf.
        depth: How many workflows this one is within.
    """

    def __init__(self, bridge: RunningExports, call: Call, depth: int) -> None:
        self._bridge = bridge
        self._call = call
        self._depth = depth
        self._ways: dict[str, Callable[[Task], Awaitable[Any]]] = {
            "function": self._function,
            "agent": self._agent,
            "tool": self._tool,
            "prompt": self._prompt,
            "workflow": self._workflow,
            "spell": self._spell,
        }

    async def do(self, task: Task) -> Any:
        """Return what comes of a step."""
        return await self._ways[task.step.kind](task)

    async def _function(self, task: Task) -> Any:
        return await task.step.target(task.given, dict(task.context))

    async def _agent(self, task: Task) -> Any:
        return await self._bridge.agents.run(self._call, task.step.target, task.given, dict(task.step.options))

    async def _tool(self, task: Task) -> Any:
        tools = self._bridge.tools
        tool = await tools.tool(self._call, task.step.target)
        return await tools.runner.run(self._call, tool, as_parameters(task.given, tool))

    async def _prompt(self, task: Task) -> Any:
        llm = self._bridge.llm
        options = checked(snake_keys(task.step.options))
        system = llm.system(options.get("system"))
        first = [Message("system", system)] if system else []
        text = str(filled(task.step.target, {**task.context, "input": task.given}))
        constraint = llm.constraint(options.get("choices"), options.get("schema"))
        answer = await llm.ask(self._call, [*first, Message("user", text)], options, constraint, options.get("model"))
        return answer.text if constraint is None else answer.value

    async def _workflow(self, task: Task) -> Any:
        limit = self._call.policy.limits.depth or 16
        if self._depth >= limit:
            raise WorkflowError(f"workflows run workflows more than {limit} deep", code="too_deep")
        return await self._bridge.work(
            self._call,
            str(task.step.target),
            task.given,
            journal=task.journal,
            above=task.control,
            depth=self._depth + 1,
        )

    async def _spell(self, task: Task) -> Any:
        if not self._call.policy.grants.allows_call("spell", "run"):
            raise PolicyDeniedError("a step that is a spell needs spell.run, which is not granted")
        try:
            opened = self._call.run.bridges.get("spell")
        except BridgeNotFoundError as error:
            raise WorkflowError("this host runs no spells from spells", code="step_failed") from error
        spell: Any = opened if isinstance(opened, Bridge) else await opened
        params = dict(task.given) if isinstance(task.given, Mapping) else {"input": task.given}
        return await spell.run(self._call, task.step.target, params)
