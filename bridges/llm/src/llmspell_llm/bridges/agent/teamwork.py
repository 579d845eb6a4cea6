"""Agents that work together."""

from __future__ import annotations

import asyncio
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.agent import Agent
from llmspell_llm.bridges.agent.base import tool_name_of
from llmspell_llm.bridges.agent.running import RunningExports
from llmspell_llm.names import snake_keys
from llmspell_llm.plain import known

METHODS = ("sequential", "parallel", "leader")


class TeamworkExports(RunningExports):
    """The exports that bring agents together."""

    @export
    def add_sub_agent(self, call: Call, parent: Any, child: Any) -> dict[str, Any]:
        """Let one agent ask another: the other becomes a tool of it. Return the tool's definition."""
        from dataclasses import replace

        above, below = self.agent(call, parent), self.agent(call, child)
        if below is above or self._asks(call, below, above):
            raise ArgumentError(f"agent {below.name!r} asks agent {above.name!r} already: they would ask in a circle")
        tool = self.tool_of(call, below)
        above.spec = replace(above.spec, tools=tuple(dict.fromkeys([*above.spec.tools, tool.name])))
        return tool.details()

    def _asks(self, call: Call, agent: Agent, other: Agent) -> bool:
        """Tell whether an agent asks another, itself or through those it asks."""
        names = {tool_name_of(name): found for name, found in self.agents.all(call).items()}
        seen: set[str] = set()
        waiting = [agent]
        while waiting:
            for tool in waiting.pop().spec.tools:
                found = names.get(tool)
                if found is other:
                    return True
                if found is not None and tool not in seen:
                    seen.add(tool)
                    waiting.append(found)
        return False

    @export
    def as_tool(self, call: Call, agent: Any, description: str | None = None) -> dict[str, Any]:
        """Make a tool of an agent, ``ask_NAME``, that gets a task and returns the answer; return its definition."""
        return self.tool_of(call, self.agent(call, agent), description).details()

    @export
    async def delegate(
        self, call: Call, source: Any, target: Any, task: Any, options: dict[str, Any] | None = None
    ) -> Any:
        """Have one agent do a task for another.

        Args:
            source: Who has the task.
            target: Who does it.
            task: A text or data.
            options: ``callback_to_source``: let the first agent say something about the result, and return that; and
                those of ``run``.
        """
        giver, doer = self.agent(call, source), self.agent(call, target)
        more = snake_keys(options or {})
        back = more.pop("callback_to_source", False)
        await self.note(call, giver, "delegated", {"to": doer.name})
        result = await self.run(call, doer, task, more)
        if not back:
            return result
        told = result if isinstance(result, str) else str(result)
        return await self.run(call, giver, f"{doer.name} did the task you delegated. The result:\n{told}", None)

    @export
    async def handoff(self, call: Call, source: Any, target: Any, text: str | None = None) -> Any:
        """Hand over what one agent remembers to another, who goes on from there.

        Args:
            source: Who hands over.
            target: Who takes over.
            text: What to say to it at once; without it nothing is said, and nothing returned.
        """
        giver, taker = self.agent(call, source), self.agent(call, target)
        taker.memory = list(giver.memory)
        await self.note(call, giver, "handed_off", {"to": taker.name})
        return None if text is None else await self.chat(call, taker, text, None)

    @export
    async def collaborate(
        self, call: Call, agents: list[Any], task: str, options: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Have several agents work on one task.

        Args:
            agents: At least two for sense, one at least.
            task: What is to be done.
            options: ``coordination_method``: ``sequential`` (each sees what those before it said; the default),
                ``parallel`` (each on its own), or ``leader`` (the first may ask the others, and answers);
                ``share_context`` (true).

        Returns:
            ``{results = {id = result}, shared_context, coordination_method, final}``.
        """
        more = snake_keys(options or {})
        method = more.pop("coordination_method", "sequential")
        share = more.pop("share_context", True)
        found = [self.agent(call, agent) for agent in agents]
        if not found:
            raise ArgumentError("there are no agents to work together", parameter="agents", position=1)
        if method not in METHODS:
            raise ArgumentError(f"there is no way {method!r} to coordinate; ways: {', '.join(METHODS)}")
        results: dict[str, Any] = {}
        if method == "parallel":
            answers = await asyncio.gather(*(self.run(call, agent, task, more) for agent in found))
            results = {agent.name: answer for agent, answer in zip(found, answers, strict=True)}
        elif method == "leader":
            results = {found[0].name: await self._led(call, found[0], found[1:], task, more)}
        else:
            for agent in found:
                said = {"context": _so_far(results)} if share and results else {}
                results[agent.name] = await self.run(call, agent, task, {**more, **said})
        return known(
            {
                "results": results,
                "shared_context": _so_far(results) if share else None,
                "coordination_method": method,
                "final": list(results.values())[-1],
            }
        )

    async def _led(self, call: Call, leader: Agent, others: list[Agent], task: str, options: dict[str, Any]) -> Any:
        """Have a leader work with the others as its tools, for this one task."""
        from dataclasses import replace

        before = leader.spec
        tools = [self.tool_of(call, other).name for other in others]
        leader.spec = replace(before, tools=tuple(dict.fromkeys([*before.tools, *tools])))
        try:
            return await self.run(call, leader, task, options)
        finally:
            leader.spec = before


def _so_far(results: dict[str, Any]) -> str:
    return "\n".join(f"{name} said: {result}" for name, result in results.items())
