"""Agents at work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

from llmspell.errors import ArgumentError, BudgetExceeded
from llmspell.plugin import Call, ScriptFunction, export, instants_as_text
from llmspell_llm.agent import Agent, AgentError, AgentRun, Outcome
from llmspell_llm.agent.running import Receiver
from llmspell_llm.bridges.agent.base import LIMITS, AgentBase, Watch, code_of, limits_from
from llmspell_llm.bridges.agent.live import AgentConversation, AgentTask
from llmspell_llm.conversation import Message
from llmspell_llm.llm.options import SETTINGS, as_options, checked, message_from, settings_from
from llmspell_llm.llm.paying import purse
from llmspell_llm.llm.streaming import PIECES_AHEAD
from llmspell_llm.names import snake_keys
from llmspell_llm.neighbours import VetoedError
from llmspell_llm.neighbours import fire as fire_hooks

_OPTIONS = {*SETTINGS, *LIMITS, "schema", "choices", "details", "model", "system", "context"}


class RunningExports(AgentBase):
    """The exports that make agents work."""

    @export
    async def run(self, call: Call, agent: Any, input: Any, options: dict[str, Any] | None = None) -> Any:
        """Give an agent a task and return its answer. What was said before plays no part.

        Args:
            agent: Its id or handle.
            input: A text, ``{prompt = ...}`` with options beside it, ``{messages = ...}``, or any data.
            options: ``context`` (data it should know), ``schema`` or ``choices`` for the answer, ``max_iterations``,
                ``max_tool_calls``, ``max_time``, ``budget``, ``details`` (return ``{content, value, usage, steps,
                tool_calls, ...}``), and those of ``llm.complete``.
        """
        outcome = await self.work(call, self.agent(call, agent), input, options or {})
        return self.told(outcome, {**_beside(input), **(options or {})})

    @export
    async def run_async(self, call: Call, agent: Any, input: Any, options: dict[str, Any] | None = None) -> AgentTask:
        """Give an agent a task and go on; return a handle with ``await``, ``cancel`` and ``done``."""
        found = self.agent(call, agent)
        return AgentTask(asyncio.ensure_future(self.run(call, found, input, options)))

    @export
    async def stream(
        self, call: Call, agent: Any, input: Any, receive: ScriptFunction, options: dict[str, Any] | None = None
    ) -> Any:
        """Give an agent a task and receive what it says piece by piece; return its answer as ``run`` does.

        Args:
            receive: Called with every piece; if it returns ``false``, the agent ends there, uses no further tool, and
                what it said in that step is its answer.
        """

        async def received(pieces: AsyncGenerator[str, None]) -> int | None:
            return await receive.each(pieces, ahead=PIECES_AHEAD)

        outcome = await self.work(call, self.agent(call, agent), input, options or {}, receive=received)
        return self.told(outcome, {**_beside(input), **(options or {})})

    @export
    async def chunks(
        self, call: Call, agent: Any, input: Any, options: dict[str, Any] | None = None
    ) -> AsyncGenerator[str, None]:
        """Give an agent a task and return what it says as a stream of pieces, to be drawn one by one in a loop.

        Leaving the loop stops the agent.
        """
        pieces: asyncio.Queue[str] = asyncio.Queue(maxsize=1)

        async def received(said: AsyncGenerator[str, None]) -> None:
            async with aclosing(said):
                async for piece in said:
                    await pieces.put(piece)

        work = self.work(call, self.agent(call, agent), input, options or {}, receive=received)
        task = asyncio.ensure_future(work)
        try:
            while not (task.done() and pieces.empty()):
                piece = asyncio.ensure_future(pieces.get())
                await asyncio.wait({piece, task}, return_when=asyncio.FIRST_COMPLETED)
                if piece.done():
                    yield piece.result()
                else:
                    piece.cancel()
            task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @export
    async def chat(self, call: Call, agent: Any, text: str, options: dict[str, Any] | None = None) -> Any:
        """Say something to an agent, which remembers what was said before, and return its answer."""
        found = self.agent(call, agent)
        outcome = await self.work(call, found, text, options or {}, memory=found.memory)
        found.memory = outcome.history.dump()
        return self.told(outcome, options or {})

    @export
    def reset(self, call: Call, agent: Any) -> None:
        """Make an agent forget what was said."""
        self.agent(call, agent).memory = []

    @export
    async def conversation(self, call: Call, agent: Any, system_prompt: str | None = None) -> AgentConversation:
        """Begin a conversation apart from an agent's memory: ``send``, ``get_history``, ``clear``, ``export``."""
        return AgentConversation(self, self.agent(call, agent), system_prompt)

    async def work(
        self,
        call: Call,
        agent: Agent,
        input: Any,
        options: Mapping[str, Any],
        *,
        memory: list[Any] | None = None,
        receive: Receiver | None = None,
    ) -> Outcome:
        """Have an agent do something, with its hooks, events and counts.

        Raises:
            AgentError: It was stopped, or did not come to an end.
        """
        began = time.perf_counter()
        metrics = agent.metrics
        metrics.runs += 1
        await self.note(call, agent, "started", {"input": input} if isinstance(input, str) else {})
        try:
            outcome = await self._cancellable(agent, self._limited(call, agent, input, options, memory, receive))
        except BaseException as error:
            metrics.failures += 1
            metrics.last_error = str(error)
            metrics.durations.append(time.perf_counter() - began)
            agent.note("failed", {"error": str(error), "code": code_of(error)})
            if isinstance(error, Exception):
                await self.note(call, agent, "error", {"error": str(error), "code": code_of(error)})
            raise
        metrics.durations.append(time.perf_counter() - began)
        metrics.steps += outcome.steps
        metrics.usage = metrics.usage + outcome.answer.usage
        await self.note(call, agent, "completed", {"output": outcome.answer.text, "steps": outcome.steps})
        return outcome

    async def _cancellable(self, agent: Agent, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Run work that ``cancel`` can stop without stopping who waits for it."""
        task = asyncio.ensure_future(work)
        agent.running.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if task.cancelled() and not (waiting is not None and waiting.cancelling()):
                raise AgentError(f"agent {agent.name!r} was stopped", code="agent_cancelled") from None
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            agent.running.discard(task)

    async def _limited(
        self,
        call: Call,
        agent: Agent,
        input: Any,
        options: Mapping[str, Any],
        memory: list[Any] | None,
        receive: Receiver | None,
    ) -> Outcome:
        """Run an agent within its own time and budget, which are a script's and can be caught by it."""
        options = {**_beside(input), **snake_keys(options)}
        if unknown := sorted(set(options) - _OPTIONS):
            raise ArgumentError(f"run has no option {unknown[0]!r}; options: {', '.join(sorted(_OPTIONS))}")
        limits = limits_from(options)
        budget = limits.get("budget", agent.spec.budget)
        time_limit = asyncio.timeout(limits.get("max_time", agent.spec.max_time))
        with purse(call, f"agent {agent.name!r}", budget.get("tokens"), budget.get("cost")) as own:
            try:
                async with time_limit:
                    return await self._work(call, agent, input, options, memory, receive)
            except BudgetExceeded as error:
                if own is None or error.budget is not own:
                    raise
                told = {"limit": error.limit, "spent": own.usage.as_dict()}
                raise AgentError(error.message, code="agent_budget", details=told) from error
            except TimeoutError as error:
                if not time_limit.expired():
                    raise
                raise AgentError(f"agent {agent.name!r} was not done in time", code="time_limit") from error

    async def _work(
        self,
        call: Call,
        agent: Agent,
        input: Any,
        options: Mapping[str, Any],
        memory: list[Any] | None,
        receive: Receiver | None,
    ) -> Outcome:
        from llmspell_llm.adapter.steps import History

        input = await self._before(call, agent, input)
        history = History.load(memory) if memory else History()
        history.extend(_messages(input, options.get("context")))
        run = await self._prepared(call, agent, options, receive)
        try:
            outcome = await run.run(history)
        except Exception as error:
            replaced = await self._failed(call, agent, error)
            if replaced is None:
                raise
            outcome = _instead(run, history, replaced)
        return await self._after(call, agent, outcome)

    async def _prepared(
        self, call: Call, agent: Agent, options: Mapping[str, Any], receive: Receiver | None
    ) -> AgentRun:
        spec = agent.spec
        schema = options.get("schema", None if options.get("choices") else spec.schema)
        settings = settings_from(checked(options), as_options(spec.settings))
        registry = await self.tools.registry(call)
        return AgentRun(
            connection=await self.llm.asking.connect(self.llm.model(options.get("model") or spec.model)),
            system=options.get("system") or spec.system,
            settings=settings,
            tools=[registry.get(name) for name in spec.tools],
            account=self.llm.account(call),
            watcher=Watch(self, call, agent),
            constraint=self.llm.constraint(options.get("choices"), schema),
            max_iterations=options.get("max_iterations") or spec.max_iterations,
            max_tool_calls=options.get("max_tool_calls", spec.max_tool_calls),
            max_depth=call.policy.limits.depth or 16,
            receive=receive,
        )

    async def _before(self, call: Call, agent: Agent, input: Any) -> Any:
        context = await fire_hooks(call, "before_run", {"agent": agent.name, "input": input})
        input = context["input"]
        hook = self.hook(call, agent, "pre_run")
        if hook is None:
            return input
        said = await hook(input)
        if said is False:
            raise VetoedError(f"a hook does not allow agent {agent.name!r} to run")
        return input if said is None or said is True else said

    async def _after(self, call: Call, agent: Agent, outcome: Outcome) -> Outcome:
        answer = outcome.answer
        result = answer.text if answer.value is None else answer.value
        context = await fire_hooks(call, "after_run", {"agent": agent.name, "result": result})
        changed = context["result"]
        hook = self.hook(call, agent, "post_run")
        if hook is not None:
            said = await hook(changed)
            if said is False:
                raise VetoedError(f"a hook does not let the result of agent {agent.name!r} pass")
            changed = changed if said is None or said is True else said
        return outcome if changed is result else _with_result(outcome, changed)

    async def _failed(self, call: Call, agent: Agent, error: Exception) -> Any:
        """Ask the hooks what to return in place of a failure; None to let it pass."""
        told = {"agent": agent.name, "error": str(error), "code": code_of(error)}
        await fire_hooks(call, "on_error", told)
        hook = self.hook(call, agent, "error")
        said = await hook(told) if hook is not None else None
        return said if isinstance(said, str | Mapping) else None

    def told(self, outcome: Outcome, options: Mapping[str, Any]) -> Any:
        """Return what a script asked for: the answer, or all about it."""
        if options.get("details"):
            return outcome.as_value()
        return outcome.answer.text if outcome.answer.value is None else outcome.answer.value


def _beside(input: Any) -> dict[str, Any]:
    """Return the options that stand beside a prompt: ``{prompt = "...", max_tokens = 5}``."""
    if isinstance(input, Mapping) and ("prompt" in input or "messages" in input):
        return snake_keys({key: value for key, value in input.items() if key not in ("prompt", "messages")})
    return {}


def _messages(input: Any, context: Any) -> list[Message]:
    import json

    if isinstance(input, Mapping) and isinstance(input.get("messages"), list):
        messages = [message_from(message, index) for index, message in enumerate(input["messages"], 1)]
    elif isinstance(input, Mapping) and isinstance(input.get("prompt"), str):
        messages = [Message("user", input["prompt"])]
    elif isinstance(input, str):
        messages = [Message("user", input)]
    else:
        messages = [Message("user", json.dumps(instants_as_text(input), ensure_ascii=False, default=str))]
    if not messages or messages[-1].role != "user" or not messages[-1].content.strip():
        raise ArgumentError("the agent was asked nothing", parameter="input", position=2)
    if context is not None:
        context = instants_as_text(context)
        said = context if isinstance(context, str) else json.dumps(context, ensure_ascii=False, default=str)
        last = messages[-1]
        messages[-1] = Message("user", f"{last.content}\n\nContext:\n{said}", last.images)
    return messages


def _with_result(outcome: Outcome, result: Any) -> Outcome:
    from dataclasses import replace

    text = result if isinstance(result, str) else outcome.answer.text
    answer = replace(outcome.answer, text=text, value=None if isinstance(result, str) else result)
    return replace(outcome, answer=answer)


def _instead(run: AgentRun, history: Any, result: Any) -> Outcome:
    from llmspell_llm.conversation import Answer, Usage

    text = result if isinstance(result, str) else ""
    value = None if isinstance(result, str) else result
    answer = Answer(text, run.connection.model, run.connection.provider.name, Usage(), "error_hook", value)
    return Outcome(answer, history, 0, tuple(run.used))
