"""What agents remember: state, memory, snapshots."""

from __future__ import annotations

import time
from typing import Any

from llmspell.plugin import Call, export
from llmspell_llm.agent import Shelf
from llmspell_llm.bridges.agent.base import AgentBase
from llmspell_llm.bridges.agent.live import plain_history
from llmspell_llm.bridges.aliases import also


class KeepingExports(AgentBase):
    """The exports about state and memory."""

    @export
    def get_state(self, call: Call, agent: Any) -> dict[str, Any]:
        """Return the data that the script keeps with an agent."""
        return dict(self.agent(call, agent).state)

    @export
    def set_state(self, call: Call, agent: Any, state: dict[str, Any]) -> None:
        """Replace the data that the script keeps with an agent."""
        self.agent(call, agent).state = dict(state)

    @export
    def get_history(self, call: Call, agent: Any) -> list[dict[str, Any]]:
        """Return what an agent remembers of ``chat``: ``{role, content}`` each, tools included."""
        return plain_history(self.agent(call, agent).memory)

    @export
    def save_snapshot(self, call: Call, agent: Any, name: str, *, directory: str | None = None) -> dict[str, Any]:
        """Keep an agent's memory and state under a name: ``{name, saved_at}``.

        Args:
            agent: The agent.
            name: What it is found by; what had that name before is replaced.
            directory: Where it is kept as a file, for later sessions: granted for writing. Without one it is kept for
                as long as the agent lives.
        """
        found = self.agent(call, agent)
        if directory is None:
            return found.save(name)
        snapshot = {**found.export(), "saved_at": time.time()}
        Shelf(call.files, directory).save(found.name, name, snapshot)
        return {"name": name, "saved_at": snapshot["saved_at"]}

    create_snapshot = also(save_snapshot, "create_snapshot")

    @export
    def load_snapshot(self, call: Call, agent: Any, name: str, *, directory: str | None = None) -> None:
        """Bring an agent's memory and state back, from a granted directory if one is given."""
        found = self.agent(call, agent)
        if directory is None:
            found.restore(name)
        else:
            found.load(Shelf(call.files, directory).load(found.name, name))

    restore_snapshot = also(load_snapshot, "restore_snapshot")

    @export
    def list_snapshots(self, call: Call, agent: Any, *, directory: str | None = None) -> list[dict[str, Any]]:
        """List an agent's snapshots: ``{name, saved_at}`` each, the oldest first."""
        found = self.agent(call, agent)
        if directory is not None:
            return Shelf(call.files, directory).list(found.name)
        return [{"name": name, "saved_at": snapshot["saved_at"]} for name, snapshot in found.snapshots.items()]

    @export
    def delete_snapshot(self, call: Call, agent: Any, name: str, *, directory: str | None = None) -> bool:
        """Forget a snapshot; tell whether there was one."""
        found = self.agent(call, agent)
        if directory is not None:
            return Shelf(call.files, directory).delete(found.name, name)
        return found.snapshots.pop(name, None) is not None

    @export
    def export_state(self, call: Call, agent: Any) -> dict[str, Any]:
        """Return what an agent remembers and its state, as data that ``import_state`` takes."""
        return self.agent(call, agent).export()

    @export
    def import_state(self, call: Call, agent: Any, data: dict[str, Any]) -> None:
        """Take over what ``export_state`` returned, of this agent or another."""
        self.agent(call, agent).load(data)
