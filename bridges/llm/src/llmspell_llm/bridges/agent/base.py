"""What the parts of the ``agent`` bridge share."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from llmspell.errors import ArgumentError
from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call, ScriptFunction, instants_as_text
from llmspell_llm.agent import Agent, AgentError, AgentEvent, AgentSpec
from llmspell_llm.bridges.agent.handle import AgentHandle
from llmspell_llm.bridges.llm import LlmBridge
from llmspell_llm.bridges.tools import ToolsBridge
from llmspell_llm.llm.options import SETTINGS, checked, settings_from
from llmspell_llm.names import snake_keys
from llmspell_llm.neighbours import VetoedError, publish
from llmspell_llm.scoped import RunScoped, SessionNames
from llmspell_llm.tools import Tool
from llmspell_llm.tools.running import check_parameters

if TYPE_CHECKING:
    from llmspell_llm.bridges.agent import AgentBridge

HOOKS = ("pre_run", "post_run", "pre_tool", "post_tool", "error")
_ALSO = {"system_prompt": "system", "instructions": "system", "output_schema": "schema", "id": "name"}
_TEXTS = ("model", "system", "description")
LIMITS = ("max_iterations", "max_tool_calls", "max_time", "budget")
_KNOWN = {*_TEXTS, *SETTINGS, *LIMITS, "name", "tools", "schema", "provider", "sub_agents"}

_log = logging.getLogger(__name__)

Approver = Callable[[dict[str, Any]], bool | Awaitable[bool]]
"""Asked before a tool that needs a person's agreement is used; gets ``{agent, tool, arguments, description}``."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to be told of which events."""

    function: ScriptFunction
    agent: str | None
    type: str | None


class AgentBase(Bridge):
    """Knows the session's agents."""

    def __init__(self) -> None:
        self.agents: SessionNames[Agent] = SessionNames()
        self.hooks: RunScoped[ScriptFunction] = RunScoped()
        self.subscriptions: RunScoped[Subscription] = RunScoped()
        self._approver: Approver | None = None

    async def open(self, context: BridgeContext) -> None:
        """Stand on the session's models and tools."""
        llm, tools = context.bridges["llm"], context.bridges["tools"]
        assert isinstance(llm, LlmBridge)
        assert isinstance(tools, ToolsBridge)
        self.llm = llm
        self.tools = tools
        self._approver = context.services.get("approve")

    async def close(self) -> None:
        """Stop every agent."""
        tasks = [task for agent in self.agents for task in agent.running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def agent(self, call: Call, given: Any) -> Agent:
        """Return the agent that a script means: by id, by handle, or by what tells of it.

        Raises:
            AgentError: There is none.
        """
        if isinstance(given, AgentHandle):
            given = given.agent
        if isinstance(given, Agent):
            if given.removed:
                raise AgentError(f"agent {given.name!r} was removed", code="agent_not_found")
            return given
        if isinstance(given, Mapping):
            given = given.get("id", given.get("name"))
        if not isinstance(given, str):
            raise ArgumentError("an agent is given by its id or its handle", parameter="agent", position=1)
        found = self.agents.find(call, given)
        if found is None:
            known = ", ".join(self.agents.all(call)) or "none"
            raise AgentError(f"there is no agent {given!r}; agents: {known}", code="agent_not_found")
        return found

    def must_be_free(self, call: Call, name: str) -> None:
        if self.agents.taken(call, name):
            raise AgentError(f"there is an agent {name!r} already; remove it, or configure it", code="name_taken")

    def handle(self, agent: Agent) -> AgentHandle:
        return AgentHandle(cast("AgentBridge", self), agent)

    async def spec_from(self, call: Call, given: Mapping[str, Any], base: AgentSpec | None = None) -> AgentSpec:
        """Return an agent as a script describes it, over what it was.

        Raises:
            ArgumentError: The description makes no sense.
            ToolError: It names a tool that is not there.
        """
        told = {_ALSO.get(key, key): value for key, value in snake_keys(given).items()}
        if unknown := sorted(set(told) - _KNOWN):
            known = ", ".join(sorted(_KNOWN))
            raise ArgumentError(f"an agent has no {unknown[0]!r}; it has {known}", parameter="config")
        for key in _TEXTS:
            if told.get(key) is not None and not isinstance(told[key], str):
                raise ArgumentError(f"{key} of an agent should be a text", parameter="config")
        told = checked(told)
        limits = limits_from(told)
        spec = base or AgentSpec(str(told.get("name", "")))
        before = {name: getattr(spec.settings, name) for name in SETTINGS}
        settings = settings_from(
            {name: told.get(name) for name in SETTINGS}, {**before, "stop": list(before["stop"]) or None}
        )
        model = told.get("model", spec.model)
        if isinstance(provider := told.get("provider"), str) and (model is None or ":" not in model):
            model = provider if model is None else f"{provider}:{model}"
        if model is not None:
            self.llm.asking.directory.resolve(model)
        if told.get("schema") is not None:
            self.llm.structured.schema_of(told["schema"])
        names = spec.tools
        if "tools" in told:
            names = tuple([await self.tool_name(call, spec.name, tool) for tool in told["tools"] or ()])
        for sub in told.get("sub_agents") or ():
            names = (*names, self.tool_of(call, self.agent(call, sub)).name)
        return replace(
            spec,
            model=model,
            system=told.get("system", spec.system),
            description=told.get("description", spec.description),
            settings=settings,
            schema=told.get("schema", spec.schema),
            tools=tuple(dict.fromkeys(names)),
            **limits,
        )

    async def tool_name(self, call: Call, agent: str, given: Any) -> str:
        """Return the name of a tool an agent is given: by name, by definition with a function, or another agent."""
        if isinstance(given, AgentHandle):
            return self.tool_of(call, self.agent(call, given)).name
        if isinstance(given, Mapping) and any(isinstance(value, ScriptFunction) for value in given.values()):
            defined: str = self.tools.register(call, dict(given))["name"]
            return defined
        return (await self.tools.tool(call, given)).name

    def tool_of(self, call: Call, agent: Agent, description: str | None = None) -> Tool:
        """Return an agent as a tool for others: it gets a task and returns its answer."""
        from llmspell_llm.structured import Schema

        bridge = cast("AgentBridge", self)

        async def ask(asking: Call, parameters: dict[str, Any]) -> Any:
            return await bridge.run(asking, agent, parameters["task"], None)

        task = {"type": "string", "description": "What the agent should do"}
        tool = Tool(
            name=tool_name_of(agent.name),
            description=description or agent.spec.description or f"Ask the agent {agent.name} to do a task.",
            parameters=Schema({"type": "object", "properties": {"task": task}, "required": ["task"]}),
            function=ask,
            category="agent",
            source="agent",
        )
        self.tools.own(call)[tool.name] = tool
        return tool

    async def note(self, call: Call, agent: Agent, kind: str, data: dict[str, Any]) -> None:
        """Remember an event of an agent, and tell who wants to know."""
        event = agent.note(kind, data)
        for subscription in list(self.subscriptions.of(call).values()):
            if subscription.agent in (None, agent.name) and subscription.type in (None, kind):
                await subscription.function(event.as_value())
        await self.publish(call, event)

    async def publish(self, call: Call, event: AgentEvent) -> None:
        await publish(call, f"agent.{event.type}", {"agent": event.agent, **event.data})

    def hook(self, call: Call, agent: Agent, kind: str) -> ScriptFunction | None:
        return self.hooks.of(call).get(f"{agent.name}\n{kind}")

    async def approve(self, agent: Agent, tool: Tool, arguments: dict[str, Any]) -> None:
        """Have a person agree to the use of a tool that needs it.

        Raises:
            AgentError: ``approval_required``: there is nobody to ask, or the answer was no.
        """
        if not tool.requires_approval:
            return
        if self._approver is None:
            raise AgentError(
                f"tool {tool.name!r} needs a person's approval, and there is nobody to ask", code="approval_required"
            )
        request = {"agent": agent.name, "tool": tool.name, "arguments": arguments, "description": tool.description}
        try:
            answer = self._approver(request)
            if inspect.isawaitable(answer):
                answer = await answer
        except Exception as error:
            _log.exception("the approval of tool %r could not be asked for", tool.name)
            raise AgentError(
                f"nobody could be asked to approve the use of tool {tool.name!r}", code="approval_required"
            ) from error
        if answer is not True:
            raise AgentError(f"the use of tool {tool.name!r} was not approved", code="approval_required")


def limits_from(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of an agent that were given, checked.

    Raises:
        ArgumentError: One of them makes no sense.
    """
    limits: dict[str, Any] = {}
    for key in ("max_iterations", "max_tool_calls"):
        if (limit := told.get(key)) is not None:
            if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
                raise ArgumentError(f"{key} of an agent should be 1 or more", parameter="config")
            limits[key] = limit
    if (seconds := told.get("max_time")) is not None:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
            raise ArgumentError("max_time of an agent should be a number of seconds", parameter="config")
        limits["max_time"] = float(seconds)
    if (budget := told.get("budget")) is not None:
        if not isinstance(budget, Mapping) or not budget or set(budget) - {"tokens", "cost"}:
            raise ArgumentError("budget of an agent is a table with tokens, cost (US dollars) or both")
        for key, value in budget.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise ArgumentError(f"{key} in the budget of an agent should be a number, 0 or more")
        limits["budget"] = {key: int(value) if key == "tokens" else float(value) for key, value in budget.items()}
    return limits


class Watch:
    """Looks on while an agent works: hooks, approvals and events around every use of a tool."""

    def __init__(self, bridge: AgentBase, call: Call, agent: Agent) -> None:
        self._bridge = bridge
        self._call = call
        self._agent = agent

    async def use(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        """Run a tool, as its hooks allow and change it."""
        before = self._bridge.hook(self._call, self._agent, "pre_tool")
        if before is not None:
            said = await before({"tool": tool.name, "params": arguments})
            if said is False:
                raise VetoedError(f"a hook does not allow tool {tool.name!r}")
            if isinstance(said, Mapping):
                if "result" in said:
                    return instants_as_text(said["result"])
                arguments = dict(said.get("params") or arguments)
        arguments = check_parameters(tool, arguments)
        await self._bridge.approve(self._agent, tool, arguments)
        result = await self._bridge.tools.runner.run(self._call, tool, arguments)
        after = self._bridge.hook(self._call, self._agent, "post_tool")
        if after is not None:
            said = await after({"tool": tool.name, "params": arguments, "result": result})
            if isinstance(said, Mapping) and "result" in said:
                result = instants_as_text(said["result"])
        return result

    async def happened(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "tool_called":
            self._agent.metrics.tool_calls += 1
        await self._bridge.note(self._call, self._agent, kind, data)


def tool_name_of(agent: str) -> str:
    """Return what an agent is called as a tool; models take letters, digits, ``_`` and ``-`` only."""
    return "ask_" + re.sub(r"[^A-Za-z0-9_-]", "_", agent)[:60]


def code_of(error: BaseException) -> str:
    return error.code if isinstance(error, BridgeError) else type(error).__name__
