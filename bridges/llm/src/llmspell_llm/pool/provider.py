"""A pool as a provider: whatever takes a model's name takes a pool's."""

from __future__ import annotations

import asyncio

from llmspell_llm.adapter import Connections
from llmspell_llm.pool.pool import Pool
from llmspell_llm.providers import Directory, Endpoint, RemoteProvider


class PoolProvider(RemoteProvider):
    """Serves the models of a pool as one.

    Args:
        pool: Who is asked.
        directory: Where the members' names are looked up.
        connections: How they are reached.
    """

    def __init__(self, pool: Pool, directory: Directory, connections: Connections) -> None:
        super().__init__(pool.name, "pool", Endpoint("made"), "pool")
        self.pool = pool
        self._directory = directory
        self._connections = connections

    async def endpoint(self, model: str | None = None, *, embeddings: bool = False) -> Endpoint:
        """Connect every member.

        Raises:
            ModelError: A member cannot be reached at all.
        """
        resolved = [self._directory.resolve(member.name) for member in self.pool.members]
        connected = await asyncio.gather(*(self._connections.connect(each) for each in resolved))
        names = [member.name for member in self.pool.members]
        members = dict(zip(names, connected, strict=True))

        def make(name: str) -> object:
            from llmspell_llm.adapter.pooled import PooledModel

            return PooledModel(self.pool, members)

        return Endpoint("made", make=make, options={"members": members})

    async def models(self) -> list[str]:
        return ["pool"]
