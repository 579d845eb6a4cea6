"""What a script holds of an agent at work: a run in the background, a conversation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llmspell.plugin import Call, HostObject, export
from llmspell_llm.agent import Agent, AgentError

if TYPE_CHECKING:
    from llmspell_llm.bridges.agent.running import RunningExports


class AgentTask(HostObject):
    """A run of an agent that goes on while the script does something else."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task

    @export(name="await")
    async def await_(self, timeout: float | None = None) -> Any:
        """Wait for the answer, for so many seconds at most, and return it."""
        done, _ = await asyncio.wait([self._task], timeout=timeout)
        if not done:
            raise AgentError("the agent is still at work", code="timeout")
        if self._task.cancelled():
            raise AgentError("the agent was stopped", code="agent_cancelled")
        return self._task.result()

    @export
    def done(self) -> bool:
        """Tell whether the agent has come to an end."""
        return self._task.done()

    @export
    async def cancel(self) -> bool:
        """Stop the agent; tell whether it was still at work."""
        working = self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return working

    async def aclose(self) -> None:
        """Called when the run ends."""
        await self.cancel()


class AgentConversation(HostObject):
    """A conversation with an agent, apart from what it remembers itself."""

    def __init__(self, bridge: RunningExports, agent: Agent, system: str | None) -> None:
        self._bridge = bridge
        self._agent = agent
        self._system = system
        self._memory: list[Any] = []
        self._turn = asyncio.Lock()

    @export
    async def send(self, call: Call, text: str, options: dict[str, Any] | None = None) -> Any:
        """Say something and return the answer. What fails is not remembered."""
        async with self._turn:
            more = {**(options or {}), **({"system": self._system} if self._system else {})}
            outcome = await self._bridge.work(call, self._agent, text, more, memory=self._memory)
            self._memory = outcome.history.dump()
            return self._bridge.told(outcome, more)

    @export
    def get_history(self) -> list[dict[str, Any]]:
        """Return what was said: ``{role, content}`` each."""
        return plain_history(self._memory)

    @export
    def clear(self) -> None:
        """Forget what was said."""
        self._memory = []

    @export(name="export")
    def export_(self) -> dict[str, Any]:
        """Return ``{agent, system_prompt, messages}``."""
        return {"agent": self._agent.name, "system_prompt": self._system, "messages": self.get_history()}


def plain_history(memory: list[Any]) -> list[dict[str, Any]]:
    from llmspell_llm.adapter.steps import History

    return History.load(memory).plain()
