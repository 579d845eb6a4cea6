"""What agents remember: state, memory, snapshots."""

from __future__ import annotations

from typing import Any

from llmspell.plugin import export
from llmspell_llm.bridges.agent.base import AgentBase
from llmspell_llm.bridges.agent.running import plain_history
from llmspell_llm.bridges.aliases import also


class KeepingExports(AgentBase):
    """The exports about state and memory."""

    @export
    def get_state(self, agent: Any) -> dict[str, Any]:
        """Return the data that the script keeps with an agent."""
        return dict(self.agent(agent).state)

    @export
    def set_state(self, agent: Any, state: dict[str, Any]) -> None:
        """Replace the data that the script keeps with an agent."""
        self.agent(agent).state = dict(state)

    @export
    def get_history(self, agent: Any) -> list[dict[str, Any]]:
        """Return what an agent remembers of ``chat``: ``{role, content}`` each, tools included."""
        return plain_history(self.agent(agent).memory)

    @export
    def save_snapshot(self, agent: Any, name: str) -> dict[str, Any]:
        """Keep an agent's memory and state under a name: ``{name, saved_at}``."""
        return self.agent(agent).save(name)

    create_snapshot = also(save_snapshot, "create_snapshot")

    @export
    def load_snapshot(self, agent: Any, name: str) -> None:
        """Bring an agent's memory and state back."""
        self.agent(agent).restore(name)

    restore_snapshot = also(load_snapshot, "restore_snapshot")

    @export
    def list_snapshots(self, agent: Any) -> list[dict[str, Any]]:
        """List an agent's snapshots: ``{name, saved_at}`` each."""
        found = self.agent(agent).snapshots
        return [{"name": name, "saved_at": snapshot["saved_at"]} for name, snapshot in found.items()]

    @export
    def delete_snapshot(self, agent: Any, name: str) -> bool:
        """Forget a snapshot; tell whether there was one."""
        return self.agent(agent).snapshots.pop(name, None) is not None

    @export
    def export_state(self, agent: Any) -> dict[str, Any]:
        """Return what an agent remembers and its state, as data that ``import_state`` takes."""
        return self.agent(agent).export()

    @export
    def import_state(self, agent: Any, data: dict[str, Any]) -> None:
        """Take over what ``export_state`` returned, of this agent or another."""
        self.agent(agent).load(data)
