"""An agent at work: it asks its model, uses the tools the model asks for, and asks again until there is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from llmspell.errors import BridgeError
from llmspell_llm.adapter import Connection
from llmspell_llm.conversation import Answer, Message, Settings, Usage, estimate
from llmspell_llm.errors import InvalidAnswerError, ModelError
from llmspell_llm.llm.account import Account
from llmspell_llm.llm.metering import Meter
from llmspell_llm.llm.retrying import retrying
from llmspell_llm.structured import Constraint, Mismatch
from llmspell_llm.tools import Tool
from llmspell_llm.tools.running import is_fatal

if TYPE_CHECKING:
    from llmspell_llm.adapter.steps import History, Step, ToolRequest, ToolResult

Receiver = Callable[[AsyncGenerator[str, None]], Awaitable[int | None]]
"""Draws what a model says at one step and closes it; returns how many pieces it wanted, None if all."""

_spenders: ContextVar[tuple[list[Usage], ...]] = ContextVar("llmspell_agent_spenders", default=())
"""The ledgers of the agents that are at work here, the innermost last: what a sub-agent spends, all of them spend."""


class AgentError(BridgeError):
    """An agent did not come to an end as it should.

    Its code is ``iteration_limit``, ``tool_limit``, ``time_limit``, ``agent_budget``, ``agent_cancelled``,
    ``approval_required`` or ``too_deep``.
    """

    code = "agent"


class Watcher(Protocol):
    """Sees what an agent does, and may change or forbid the use of tools."""

    async def use(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        """Run a tool, with whatever hooks and approvals stand before it."""

    async def happened(self, kind: str, data: dict[str, Any]) -> None:
        """Told of ``step``, ``tool_called`` and ``tool_finished``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an agent's run came to.

    Attributes:
        answer: The last answer; its usage is that of the whole run, sub-agents included.
        history: The conversation, with everything that was said.
        steps: How often the model was asked.
        tool_calls: The tools it used, in order.
    """

    answer: Answer
    history: History
    steps: int
    tool_calls: tuple[dict[str, Any], ...]

    def as_value(self) -> dict[str, Any]:
        """Return what scripts see."""
        return {**self.answer.as_value(), "steps": self.steps, "tool_calls": list(self.tool_calls)}


@dataclass
class AgentRun:
    """One run of an agent.

    Attributes:
        connection: Its model.
        system: How it should behave.
        settings: How it should answer.
        tools: What it may use.
        account: Who pays.
        watcher: Who looks on.
        constraint: What the answer must look like.
        max_iterations: How often the model may be asked.
        max_tool_calls: How often tools may be used.
        max_depth: How many agents may ask each other in a row.
        receive: Draws the text of each step as it comes. If it wants no more, what it was given is the answer.
    """

    connection: Connection
    system: str | None
    settings: Settings
    tools: Sequence[Tool]
    account: Account
    watcher: Watcher
    constraint: Constraint | None = None
    max_iterations: int = 10
    max_tool_calls: int | None = None
    max_depth: int = 16
    receive: Receiver | None = None
    used: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, history: History) -> Outcome:
        """Work until there is an answer.

        Raises:
            AgentError: It was not done when it had asked, or used tools, as often as it may.
            InvalidAnswerError: Its answer does not fit, even after it was told so once.
            ModelError: Its model cannot be asked.
        """
        if len(_spenders.get()) >= self.max_depth:
            raise AgentError(f"agents ask agents more than {self.max_depth} deep", code="too_deep")
        repaired = False
        with _spending() as ledger:
            for number in range(1, self.max_iterations + 1):
                step = await self._step(history)
                await self.watcher.happened("step", {"number": number, "tools": [r.name for r in step.requests]})
                if step.requests:
                    history.answered(await self._use_all(step.requests))
                    continue
                answer = replace(step.answer, usage=sum(ledger, Usage()), repaired=repaired)
                if self.constraint is None or step.is_cut:
                    return self._outcome(answer, history, number)
                try:
                    value = self.constraint.read(answer.text, mend=answer.finish_reason != "length")
                except Mismatch as mismatch:
                    if repaired or answer.finish_reason == "length":
                        raise self._invalid(mismatch, answer) from None
                    repaired = True
                    complaint = f"That answer does not fit: {mismatch}. {self.constraint.instruction}"
                    history.say(Message("user", complaint))
                    continue
                return self._outcome(replace(answer, value=value), history, number)
        raise AgentError(
            f"the agent had no answer after asking its model {self.max_iterations} times",
            code="iteration_limit",
            details={"max_iterations": self.max_iterations, "tool_calls": len(self.used)},
            hint="raise max_iterations, or give it fewer tools",
        )

    def _outcome(self, answer: Answer, history: History, steps: int) -> Outcome:
        return Outcome(answer, history, steps, tuple(self.used))

    async def _step(self, history: History) -> Step:
        from llmspell_llm.adapter.steps import History, ToolOffer, prompt_of, take_step

        offers = [ToolOffer(tool.name, tool.description, tool.schema) for tool in self.tools]
        begun = False

        async def received(pieces: AsyncGenerator[str, None]) -> int | None:
            async def noted() -> AsyncGenerator[str, None]:
                nonlocal begun
                async with aclosing(pieces):
                    async for piece in pieces:
                        begun = True
                        yield piece

            assert self.receive is not None
            return await self.receive(noted())

        async def attempt() -> Step:
            prompt = history.tokens + estimate(prompt_of(History(), self.system, offers))
            meter = Meter(self.account, self.connection, prompt, self.settings)
            try:
                step = await take_step(
                    self.connection,
                    history,
                    self.settings,
                    system=self.system,
                    tools=offers,
                    constraint=self.constraint,
                    receive=received if self.receive is not None else None,
                    gauge=meter if meter.grows or self.receive is not None else None,
                )
            except BaseException as error:
                meter.fail(error)
                if begun and isinstance(error, ModelError):
                    raise _AfterText(error) from error
                raise
            _spend(step.answer.usage)
            meter.settle(step.answer.usage)
            return step

        try:
            return await retrying(attempt, 0 if self.connection.is_pool else self.settings.retries)
        except _AfterText as error:
            raise error.error from error.error.__cause__

    async def _use_all(self, requests: Sequence[ToolRequest]) -> list[ToolResult]:
        """Use the tools that were asked for, at once; what fails is told to the model, unless it ends the run."""
        if self.max_tool_calls is not None and len(self.used) + len(requests) > self.max_tool_calls:
            raise AgentError(
                f"the agent wanted to use tools more than {self.max_tool_calls} times",
                code="tool_limit",
                details={"max_tool_calls": self.max_tool_calls},
            )
        if len(requests) == 1:
            return [await self._use(requests[0])]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._use(request)) for request in requests]
        except BaseExceptionGroup as failed:
            first = failed.exceptions[0]
            raise next((error for error in failed.exceptions if is_fatal(error)), first) from None
        return [task.result() for task in tasks]

    async def _use(self, request: ToolRequest) -> ToolResult:
        from llmspell_llm.adapter.steps import ToolResult

        entry: dict[str, Any] = {"name": request.name, "arguments": request.arguments}
        self.used.append(entry)
        await self.watcher.happened("tool_called", {"tool": request.name, "arguments": request.arguments})
        try:
            result = await self.watcher.use(self._tool(request), request.arguments or {})
        except Exception as error:
            if is_fatal(error):
                raise
            entry["error"] = error.message if isinstance(error, BridgeError) else str(error)
            await self.watcher.happened("tool_finished", {"tool": request.name, "error": entry["error"]})
            return ToolResult(request, {"error": entry["error"]}, failed=True)
        entry["result"] = result
        await self.watcher.happened("tool_finished", {"tool": request.name, "result": result})
        return ToolResult(request, result)

    def _tool(self, request: ToolRequest) -> Tool:
        tool = next((tool for tool in self.tools if tool.name == request.name), None)
        if tool is None:
            known = ", ".join(tool.name for tool in self.tools) or "none"
            raise AgentError(f"there is no tool {request.name!r}; tools: {known}", code="tool_not_found")
        if request.arguments is None:
            raise AgentError(f"the arguments for {request.name!r} are not a JSON object", code="invalid_parameters")
        return tool

    def _invalid(self, mismatch: Mismatch, answer: Answer) -> InvalidAnswerError:
        return InvalidAnswerError(
            f"the agent's answer does not fit: {mismatch}",
            path=mismatch.path,
            answer=answer.text,
            provider=answer.provider,
            model=answer.model,
        )


class _AfterText(Exception):
    """A stream broke after some of its text was handed over, so that it must not begin again."""

    def __init__(self, error: ModelError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _spending() -> Iterator[list[Usage]]:
    ledger: list[Usage] = []
    token = _spenders.set((*_spenders.get(), ledger))
    try:
        yield ledger
    finally:
        _spenders.reset(token)


def _spend(usage: Usage) -> None:
    for ledger in _spenders.get():
        ledger.append(usage)
