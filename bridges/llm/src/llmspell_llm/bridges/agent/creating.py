"""Making agents."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import BridgeError, Call, export
from llmspell_llm.agent import Agent, AgentSpec
from llmspell_llm.bridges.agent.base import LIMITS, AgentBase, limits_from
from llmspell_llm.bridges.agent.handle import AgentHandle
from llmspell_llm.bridges.aliases import also
from llmspell_llm.llm.options import SETTINGS, as_options, checked, settings_from
from llmspell_llm.names import snake_keys

_OVERRIDES = {"system", "model", "description", "schema", *SETTINGS, *LIMITS}


class CreatingExports(AgentBase):
    """The exports that make, change and remove agents."""

    @export
    async def create(self, call: Call, name: str | dict[str, Any], config: dict[str, Any] | None = None) -> AgentHandle:
        """Make an agent and return its handle.

        ``agent.create("critic", {system = "..."})`` or ``agent.create{name = "critic", system = "..."}``.

        Args:
            name: Its id.
            config: ``model``, ``system``, ``description``, ``tools`` (names, definitions with a function, or agents),
                ``sub_agents``, ``schema`` (what its answers must look like), ``max_iterations`` (10),
                ``max_tool_calls``, ``max_time`` (seconds of a run), ``budget`` (``{tokens, cost}`` of a run, agents it
                asks included), and the options of ``llm.complete``: ``temperature``, ``max_tokens``, ...
        """
        given = dict(name) if isinstance(name, dict) else {**(config or {}), "name": name}
        id_ = given.get("name", given.get("id"))
        if not isinstance(id_, str) or not id_.strip():
            raise ArgumentError("an agent needs a name", parameter="name", position=1)
        self.must_be_free(call, id_)
        agent = Agent(await self.spec_from(call, given, AgentSpec(id_)))
        self.must_be_free(call, id_)  # making it may have waited
        self.agents.add(call, id_, agent)
        await self.note(call, agent, "created", {})
        return self.handle(agent)

    create_agent = also(create, "create_agent")

    @export
    async def create_llm_agent(
        self, call: Call, name: str, model: str, options: dict[str, Any] | None = None
    ) -> AgentHandle:
        """Make an agent of a model: ``create`` with the model named."""
        return await self.create(call, name, {**(options or {}), "model": model})

    @export
    async def validate_config(self, call: Call, config: dict[str, Any]) -> dict[str, Any]:
        """Check a configuration without making anything: ``{valid, errors}``."""
        try:
            await self.spec_from(call, config, AgentSpec(str(config.get("name", "unnamed"))))
        except BridgeError as error:
            return {"valid": False, "errors": [error.message]}
        return {"valid": True, "errors": []}

    @export
    async def configure(self, call: Call, agent: Any, settings: dict[str, Any]) -> dict[str, Any]:
        """Change an agent; what is not named stays. Return all of it."""
        found = self.agent(call, agent)
        if settings.get("name", found.name) != found.name:
            raise ArgumentError("an agent keeps its name; clone it to have another", parameter="settings")
        found.spec = await self.spec_from(call, settings, found.spec)
        return found.info()

    @export
    def clone(self, call: Call, agent: Any, name: str, overrides: dict[str, Any] | None = None) -> AgentHandle:
        """Make another agent like one that is there: what it is, not what it remembers.

        Args:
            agent: The agent.
            name: The new one's id.
            overrides: What differs: ``system``, ``model``, ``description``, ``schema``, ``temperature``,
                ``max_iterations`` and the like.
        """
        found = self.agent(call, agent)
        self.must_be_free(call, name)
        changes = snake_keys(overrides or {})
        if unknown := sorted(set(changes) - _OVERRIDES):
            raise ArgumentError(f"clone: {unknown[0]!r} cannot be overridden; {', '.join(sorted(_OVERRIDES))} can")
        settings = settings_from(checked(changes), as_options(found.spec.settings))
        plain = {key: value for key, value in changes.items() if key not in (*LIMITS, *SETTINGS)}
        made = Agent(replace(found.spec, name=name, settings=settings, **plain, **limits_from(changes)))
        self.agents.add(call, name, made)
        return self.handle(made)

    @export
    def get(self, call: Call, agent: Any) -> AgentHandle:
        """Return an agent's handle."""
        return self.handle(self.agent(call, agent))

    @export(name="list")
    def list_(self, call: Call) -> list[dict[str, Any]]:
        """List the session's agents."""
        return [agent.info() for agent in self.agents.all(call).values()]

    @export
    def list_active(self, call: Call) -> list[str]:
        """Return the ids of the agents that are at work."""
        return [agent.name for agent in self.agents.all(call).values() if agent.running]

    @export
    def get_status(self, call: Call, agent: Any) -> dict[str, Any]:
        """Tell all about an agent: ``{id, status, model, tools, ...}``."""
        return self.agent(call, agent).info()

    @export
    async def remove(self, call: Call, agent: Any) -> None:
        """Remove an agent; what it is doing is stopped."""
        found = self.agent(call, agent)
        found.removed = True
        self.agents.remove(call, found.name)
        await _stop(found)

    destroy = also(remove, "destroy")

    @export
    async def cancel(self, call: Call, agent: Any) -> int:
        """Stop what an agent is doing; return how many runs were stopped."""
        return await _stop(self.agent(call, agent))

    @export
    async def add_tools(self, call: Call, agent: Any, tools: list[Any]) -> dict[str, Any]:
        """Give an agent more tools: ``{total_tools, successful_registrations, failures, success}``."""
        found = self.agent(call, agent)
        failures = []
        for tool in tools:
            try:
                name = await self.tool_name(call, found.name, tool)
            except BridgeError as error:
                failures.append(error.message)
                continue
            found.spec = replace(found.spec, tools=tuple(dict.fromkeys([*found.spec.tools, name])))
        return {
            "total_tools": len(found.spec.tools),
            "successful_registrations": len(tools) - len(failures),
            "failures": failures,
            "success": not failures,
        }

    @export
    async def register_tool(self, call: Call, agent: Any, tool: Any) -> None:
        """Give an agent one more tool."""
        found = self.agent(call, agent)
        name = await self.tool_name(call, found.name, tool)
        found.spec = replace(found.spec, tools=tuple(dict.fromkeys([*found.spec.tools, name])))

    @export
    def remove_tool(self, call: Call, agent: Any, name: str) -> bool:
        """Take a tool away from an agent; tell whether it had it."""
        found = self.agent(call, agent)
        kept = tuple(tool for tool in found.spec.tools if tool != name)
        had = len(kept) != len(found.spec.tools)
        found.spec = replace(found.spec, tools=kept)
        return had

    unregister_tool = also(remove_tool, "unregister_tool")

    @export
    async def get_tools(self, call: Call, agent: Any) -> list[dict[str, Any]]:
        """List an agent's tools. Tools of a run that has ended are gone, and not among them."""
        registry = await self.tools.registry(call)
        return [registry.get(name).summary() for name in self.agent(call, agent).spec.tools if name in registry]

    list_tools = also(get_tools, "list_tools")

    @export
    def create_tool(self, call: Call, name: str, function: Any, schema: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a tool for agents: as ``tools.define``, with the description in the schema."""
        details = dict(schema or {})
        description = str(details.pop("description", name.replace("_", " ")))
        return self.tools.define(call, name, description, details, function)


async def _stop(agent: Agent) -> int:
    running = list(agent.running)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return len(running)
