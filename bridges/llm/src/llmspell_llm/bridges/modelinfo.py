"""The ``modelinfo`` bridge."""

from __future__ import annotations

from llmspell.plugin import Bridge, BridgeContext
from llmspell_llm.adapter import Connections
from llmspell_llm.providers import Directory


class ModelInfoBridge(Bridge):
    """Which models there are, what they can do and what they cost."""

    name = "modelinfo"

    def __init__(self) -> None:
        self.directory = Directory({})
        self.connections = Connections()

    async def open(self, context: BridgeContext) -> None:
        """Learn which providers are configured. Nothing is contacted or started."""
        models = getattr(context.services.get("config"), "models", None)
        self.directory = Directory(
            context.environ,
            default=models.default if models is not None else None,
            aliases=models.aliases if models is not None else None,
            settings=models.providers if models is not None else None,
        )

    async def close(self) -> None:
        """Close the connections, and stop what providers started."""
        await self.connections.close()
        await self.directory.close()
