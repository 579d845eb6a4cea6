"""Making agents."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import BridgeError, Call, export
from llmspell_llm.agent import Agent, AgentError, AgentSpec
from llmspell_llm.bridges.agent.base import AgentBase
from llmspell_llm.bridges.agent.handle import AgentHandle
from llmspell_llm.bridges.aliases import also
from llmspell_llm.names import snake_keys


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
                ``max_tool_calls``, and the options of ``llm.complete``: ``temperature``, ``max_tokens``, ...
        """
        given = dict(name) if isinstance(name, dict) else {**(config or {}), "name": name}
        id_ = given.get("name", given.get("id"))
        if not isinstance(id_, str) or not id_.strip():
            raise ArgumentError("an agent needs a name", parameter="name", position=1)
        if id_ in self.agents:
            raise AgentError(f"there is an agent {id_!r} already; remove it, or configure it", code="name_taken")
        agent = Agent(await self.spec_from(call, given, AgentSpec(id_)))
        self.agents[id_] = agent
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
        found = self.agent(agent)
        if settings.get("name", found.name) != found.name:
            raise ArgumentError("an agent keeps its name; clone it to have another", parameter="settings")
        found.spec = await self.spec_from(call, settings, found.spec)
        return found.info()

    @export
    def clone(self, agent: Any, name: str, overrides: dict[str, Any] | None = None) -> AgentHandle:
        """Make another agent like one that is there: what it is, not what it remembers.

        Args:
            agent: The agent.
            name: The new one's id.
            overrides: ``system``, ``model``, ``description``, ``max_iterations`` that differ.
        """
        found = self.agent(agent)
        if name in self.agents:
            raise AgentError(f"there is an agent {name!r} already", code="name_taken")
        known = {"system", "model", "description", "max_iterations", "max_tool_calls", "schema"}
        changes = snake_keys(overrides or {})
        if unknown := sorted(set(changes) - known):
            raise ArgumentError(f"clone: {unknown[0]!r} cannot be overridden; {', '.join(sorted(known))} can")
        self.agents[name] = Agent(replace(found.spec, name=name, **changes))
        return self.handle(self.agents[name])

    @export
    def get(self, agent: Any) -> AgentHandle:
        """Return an agent's handle."""
        return self.handle(self.agent(agent))

    @export(name="list")
    def list_(self) -> list[dict[str, Any]]:
        """List the session's agents."""
        return [agent.info() for agent in self.agents.values()]

    @export
    def list_active(self) -> list[str]:
        """Return the ids of the agents that are at work."""
        return [agent.name for agent in self.agents.values() if agent.running]

    @export
    def get_status(self, agent: Any) -> dict[str, Any]:
        """Tell all about an agent: ``{id, status, model, tools, ...}``."""
        return self.agent(agent).info()

    @export
    async def remove(self, agent: Any) -> None:
        """Remove an agent; what it is doing is stopped."""
        found = self.agent(agent)
        await self.cancel(found.name)
        del self.agents[found.name]

    destroy = also(remove, "destroy")

    @export
    async def cancel(self, agent: Any) -> int:
        """Stop what an agent is doing; return how many runs were stopped."""
        running = list(self.agent(agent).running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return len(running)

    @export
    async def add_tools(self, call: Call, agent: Any, tools: list[Any]) -> dict[str, Any]:
        """Give an agent more tools: ``{total_tools, successful_registrations, failures, success}``."""
        found = self.agent(agent)
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
        found = self.agent(agent)
        name = await self.tool_name(call, found.name, tool)
        found.spec = replace(found.spec, tools=tuple(dict.fromkeys([*found.spec.tools, name])))

    @export
    def remove_tool(self, agent: Any, name: str) -> bool:
        """Take a tool away from an agent; tell whether it had it."""
        found = self.agent(agent)
        kept = tuple(tool for tool in found.spec.tools if tool != name)
        had = len(kept) != len(found.spec.tools)
        found.spec = replace(found.spec, tools=kept)
        return had

    unregister_tool = also(remove_tool, "unregister_tool")

    @export
    async def get_tools(self, call: Call, agent: Any) -> list[dict[str, Any]]:
        """List an agent's tools. Tools of a run that has ended are gone, and not among them."""
        registry = await self.tools.registry(call)
        return [registry.get(name).summary() for name in self.agent(agent).spec.tools if name in registry]

    list_tools = also(get_tools, "list_tools")

    @export
    def create_tool(self, call: Call, name: str, function: Any, schema: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a tool for agents: as ``tools.define``, with the description in the schema."""
        details = dict(schema or {})
        description = str(details.pop("description", name.replace("_", " ")))
        return self.tools.define(call, name, description, details, function)
