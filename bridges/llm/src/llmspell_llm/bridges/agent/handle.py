"""What a script holds of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell.plugin import Call, HostObject, ScriptFunction, export
from llmspell_llm.bridges.aliases import also

if TYPE_CHECKING:
    from llmspell_llm.bridges.agent import AgentBridge


class AgentHandle(HostObject):
    """An agent, with methods. Each does what the function of its name in the ``agent`` bridge does.

    Args:
        bridge: Where the agent lives.
        name: Its id.
    """

    handle_name = "Agent"

    def __init__(self, bridge: AgentBridge, name: str) -> None:
        self._bridge = bridge
        self.agent_name = name

    @export
    def id(self) -> str:
        """Return the agent's id."""
        return self.agent_name

    name = also(id, "name")

    @export
    async def run(self, call: Call, input: Any, options: dict[str, Any] | None = None) -> Any:
        """Give the agent a task and return its answer. What was said before plays no part."""
        return await self._bridge.run(call, self.agent_name, input, options)

    @export
    async def run_async(self, call: Call, input: Any, options: dict[str, Any] | None = None) -> Any:
        """Give the agent a task and go on; return a handle with ``await``, ``cancel`` and ``done``."""
        return await self._bridge.run_async(call, self.agent_name, input, options)

    @export
    async def stream(
        self, call: Call, input: Any, receive: ScriptFunction, options: dict[str, Any] | None = None
    ) -> Any:
        """Give the agent a task and receive what it says piece by piece."""
        return await self._bridge.stream(call, self.agent_name, input, receive, options)

    @export
    async def chat(self, call: Call, text: str, options: dict[str, Any] | None = None) -> Any:
        """Say something; the agent remembers what was said before."""
        return await self._bridge.chat(call, self.agent_name, text, options)

    @export
    def reset(self) -> None:
        """Make the agent forget what was said."""
        self._bridge.reset(self.agent_name)

    @export
    async def conversation(self, call: Call, system_prompt: str | None = None) -> Any:
        """Begin a conversation apart from the agent's own memory."""
        return await self._bridge.conversation(call, self.agent_name, system_prompt)

    @export
    async def configure(self, call: Call, settings: dict[str, Any]) -> dict[str, Any]:
        """Change the agent."""
        return await self._bridge.configure(call, self.agent_name, settings)

    @export
    async def add_tools(self, call: Call, tools: list[Any]) -> dict[str, Any]:
        """Give the agent more tools."""
        return await self._bridge.add_tools(call, self.agent_name, tools)

    @export
    async def add_tool(self, call: Call, tool: Any) -> dict[str, Any]:
        """Give the agent one more tool."""
        return await self._bridge.add_tools(call, self.agent_name, [tool])

    @export
    def remove_tool(self, name: str) -> bool:
        """Take a tool away."""
        return self._bridge.remove_tool(self.agent_name, name)

    @export
    async def get_tools(self, call: Call) -> list[dict[str, Any]]:
        """List the agent's tools."""
        return await self._bridge.get_tools(call, self.agent_name)

    @export
    def get_status(self) -> dict[str, Any]:
        """Tell how the agent is."""
        return self._bridge.get_status(self.agent_name)

    @export
    def clone(self, name: str, overrides: dict[str, Any] | None = None) -> Any:
        """Make another agent like this one."""
        return self._bridge.clone(self.agent_name, name, overrides)

    @export
    async def remove(self) -> None:
        """Remove the agent."""
        await self._bridge.remove(self.agent_name)

    @export
    async def cancel(self) -> int:
        """Stop what the agent is doing; return how many runs were stopped."""
        return await self._bridge.cancel(self.agent_name)

    @export
    async def delegate(self, call: Call, to: Any, task: Any, options: dict[str, Any] | None = None) -> Any:
        """Have another agent do a task for this one."""
        return await self._bridge.delegate(call, self.agent_name, to, task, options)

    @export
    async def handoff(self, call: Call, to: Any, text: str | None = None) -> Any:
        """Hand what was said over to another agent, who goes on."""
        return await self._bridge.handoff(call, self.agent_name, to, text)

    @export
    def as_tool(self, call: Call, description: str | None = None) -> dict[str, Any]:
        """Make a tool of the agent; return its definition."""
        return self._bridge.as_tool(call, self.agent_name, description)

    @export
    def set_hook(self, call: Call, kind: str, function: ScriptFunction) -> None:
        """Have a function called at ``pre_run``, ``post_run``, ``pre_tool``, ``post_tool`` or ``error``."""
        self._bridge.set_hook(call, self.agent_name, kind, function)

    @export
    def get_state(self) -> dict[str, Any]:
        """Return the agent's state."""
        return self._bridge.get_state(self.agent_name)

    @export
    def set_state(self, state: dict[str, Any]) -> None:
        """Replace the agent's state."""
        self._bridge.set_state(self.agent_name, state)

    @export
    def save_snapshot(self, name: str) -> dict[str, Any]:
        """Keep memory and state under a name."""
        return self._bridge.save_snapshot(self.agent_name, name)

    @export
    def load_snapshot(self, name: str) -> None:
        """Bring memory and state back."""
        self._bridge.load_snapshot(self.agent_name, name)

    @export
    def list_snapshots(self) -> list[dict[str, Any]]:
        """List the snapshots."""
        return self._bridge.list_snapshots(self.agent_name)

    @export
    def get_history(self) -> list[dict[str, Any]]:
        """Return what the agent remembers."""
        return self._bridge.get_history(self.agent_name)

    @export
    def get_metrics(self) -> dict[str, Any]:
        """Tell how the agent did."""
        return self._bridge.get_metrics(self.agent_name)
