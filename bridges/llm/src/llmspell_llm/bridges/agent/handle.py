"""What a script holds of an agent."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from llmspell.plugin import Call, HostObject, ScriptFunction, export
from llmspell_llm.agent import Agent
from llmspell_llm.bridges.aliases import also

if TYPE_CHECKING:
    from llmspell_llm.bridges.agent import AgentBridge


class AgentHandle(HostObject):
    """An agent, with methods. Each does what the function of its name in the ``agent`` bridge does.

    Args:
        bridge: Where the agent lives.
        agent: The agent.
    """

    handle_name = "Agent"

    def __init__(self, bridge: AgentBridge, agent: Agent) -> None:
        self._bridge = bridge
        self.agent = agent

    @property
    def agent_name(self) -> str:
        return self.agent.name

    @export
    def id(self) -> str:
        """Return the agent's id."""
        return self.agent.name

    name = also(id, "name")

    @export
    async def run(self, call: Call, input: Any, options: dict[str, Any] | None = None) -> Any:
        """Give the agent a task and return its answer. What was said before plays no part."""
        return await self._bridge.run(call, self.agent, input, options)

    @export
    async def run_async(self, call: Call, input: Any, options: dict[str, Any] | None = None) -> Any:
        """Give the agent a task and go on; return a handle with ``await``, ``cancel`` and ``done``."""
        return await self._bridge.run_async(call, self.agent, input, options)

    @export
    async def stream(
        self, call: Call, input: Any, receive: ScriptFunction, options: dict[str, Any] | None = None
    ) -> Any:
        """Give the agent a task and receive what it says piece by piece; ``false`` from ``receive`` ends it."""
        return await self._bridge.stream(call, self.agent, input, receive, options)

    @export
    async def chunks(self, call: Call, input: Any, options: dict[str, Any] | None = None) -> AsyncGenerator[str, None]:
        """Give the agent a task and return what it says as a stream of pieces, to be drawn one by one in a loop."""
        async with aclosing(self._bridge.chunks(call, self.agent, input, options)) as pieces:
            async for piece in pieces:
                yield piece

    @export
    async def chat(self, call: Call, text: str, options: dict[str, Any] | None = None) -> Any:
        """Say something; the agent remembers what was said before."""
        return await self._bridge.chat(call, self.agent, text, options)

    @export
    def reset(self, call: Call) -> None:
        """Make the agent forget what was said."""
        self._bridge.reset(call, self.agent)

    @export
    async def conversation(self, call: Call, system_prompt: str | None = None) -> Any:
        """Begin a conversation apart from the agent's own memory."""
        return await self._bridge.conversation(call, self.agent, system_prompt)

    @export
    async def configure(self, call: Call, settings: dict[str, Any]) -> dict[str, Any]:
        """Change the agent."""
        return await self._bridge.configure(call, self.agent, settings)

    @export
    async def add_tools(self, call: Call, tools: list[Any]) -> dict[str, Any]:
        """Give the agent more tools."""
        return await self._bridge.add_tools(call, self.agent, tools)

    @export
    async def add_tool(self, call: Call, tool: Any) -> dict[str, Any]:
        """Give the agent one more tool."""
        return await self._bridge.add_tools(call, self.agent, [tool])

    @export
    def remove_tool(self, call: Call, name: str) -> bool:
        """Take a tool away."""
        return self._bridge.remove_tool(call, self.agent, name)

    @export
    async def get_tools(self, call: Call) -> list[dict[str, Any]]:
        """List the agent's tools."""
        return await self._bridge.get_tools(call, self.agent)

    @export
    def get_status(self, call: Call) -> dict[str, Any]:
        """Tell how the agent is."""
        return self._bridge.get_status(call, self.agent)

    @export
    def clone(self, call: Call, name: str, overrides: dict[str, Any] | None = None) -> Any:
        """Make another agent like this one."""
        return self._bridge.clone(call, self.agent, name, overrides)

    @export
    async def remove(self, call: Call) -> None:
        """Remove the agent."""
        await self._bridge.remove(call, self.agent)

    @export
    async def cancel(self, call: Call) -> int:
        """Stop what the agent is doing; return how many runs were stopped."""
        return await self._bridge.cancel(call, self.agent)

    @export
    async def delegate(self, call: Call, to: Any, task: Any, options: dict[str, Any] | None = None) -> Any:
        """Have another agent do a task for this one."""
        return await self._bridge.delegate(call, self.agent, to, task, options)

    @export
    async def handoff(self, call: Call, to: Any, text: str | None = None) -> Any:
        """Hand what was said over to another agent, who goes on."""
        return await self._bridge.handoff(call, self.agent, to, text)

    @export
    def as_tool(self, call: Call, description: str | None = None) -> dict[str, Any]:
        """Make a tool of the agent; return its definition."""
        return self._bridge.as_tool(call, self.agent, description)

    @export
    def set_hook(self, call: Call, kind: str, function: ScriptFunction) -> None:
        """Have a function called at ``pre_run``, ``post_run``, ``pre_tool``, ``post_tool`` or ``error``."""
        self._bridge.set_hook(call, self.agent, kind, function)

    @export
    def get_state(self, call: Call) -> dict[str, Any]:
        """Return the agent's state."""
        return self._bridge.get_state(call, self.agent)

    @export
    def set_state(self, call: Call, state: dict[str, Any]) -> None:
        """Replace the agent's state."""
        self._bridge.set_state(call, self.agent, state)

    @export
    def save_snapshot(self, call: Call, name: str, *, directory: str | None = None) -> dict[str, Any]:
        """Keep memory and state under a name, in a granted directory if one is given."""
        return self._bridge.save_snapshot(call, self.agent, name, directory=directory)

    @export
    def load_snapshot(self, call: Call, name: str, *, directory: str | None = None) -> None:
        """Bring memory and state back."""
        self._bridge.load_snapshot(call, self.agent, name, directory=directory)

    @export
    def list_snapshots(self, call: Call, *, directory: str | None = None) -> list[dict[str, Any]]:
        """List the snapshots."""
        return self._bridge.list_snapshots(call, self.agent, directory=directory)

    @export
    def get_history(self, call: Call) -> list[dict[str, Any]]:
        """Return what the agent remembers."""
        return self._bridge.get_history(call, self.agent)

    @export
    def get_metrics(self, call: Call) -> dict[str, Any]:
        """Tell how the agent did."""
        return self._bridge.get_metrics(call, self.agent)
