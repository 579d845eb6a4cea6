"""Connections to models: one HTTP client per event loop, one model object per provider and model name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from llmspell_llm.providers import Endpoint, Provider, Resolved

MEMBER = "llmspell_member"
"""Key under which a pool's model says in an answer which member gave it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A model that can be asked.

    Attributes:
        provider: Who serves it.
        model: Its name there.
        endpoint: How it is reached.
        handle: The pydantic-ai model.
    """

    provider: Provider
    model: str
    endpoint: Endpoint
    handle: Any

    @property
    def name(self) -> str:
        return f"{self.provider.name}:{self.model}"

    @property
    def is_pool(self) -> bool:
        return "members" in self.endpoint.options

    @property
    def asks_one(self) -> bool:
        """One model answers, so that its answer can also come as a stream. Not so where several answer or vote."""
        return bool(getattr(self.handle, "asks_one", True))

    def that_answered(self, details: Mapping[str, Any] | None) -> Connection:
        """Return the connection behind an answer: a pool's member, or this one."""
        members: Mapping[str, Connection] = self.endpoint.options.get("members", {})
        return members.get((details or {}).get(MEMBER) or "", self)


class Connections:
    """Makes and keeps connections. Belongs to whoever made it, who must close it."""

    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _OfLoop] = WeakKeyDictionary()

    async def connect(self, resolved: Resolved, *, embeddings: bool = False) -> Connection:
        """Return a connection to a model; starts the provider and loads the model library if need be.

        Args:
            resolved: Which model.
            embeddings: It is to give vectors, not text.

        Raises:
            ModelUnknownError: The provider's library is not installed, or it serves no model at all.
            ModelError: The provider cannot be reached to be asked for its models.
        """
        mine = self._of_loop()
        provider = resolved.provider
        key = (provider, resolved.model, embeddings)
        known = mine.connections.get(key)
        if known is not None:
            return known
        # Loading the library takes a second of CPU and starting a local model half a second: do both at once,
        # and neither on the event loop.
        endpoint, _ = await asyncio.gather(
            provider.endpoint(resolved.model, embeddings=embeddings), asyncio.to_thread(_load_library)
        )
        from llmspell_llm.adapter.build import build_model
        from llmspell_llm.adapter.listing import first_model

        client = mine.client(endpoint)
        name = resolved.model or provider.default_model or await first_model(provider, endpoint, client)
        handle = build_model(provider, endpoint, name, client)
        connection = Connection(provider, name, endpoint, handle)
        mine.connections[key] = connection
        return connection

    async def list_models(self, provider: Provider) -> list[str]:
        """Return the names of the models a provider serves, as it says itself.

        Raises:
            ModelError: It cannot be reached, or does not say.
        """
        from llmspell_llm.adapter.listing import list_models

        endpoint = await provider.endpoint()
        return await list_models(provider, endpoint, self._of_loop().client(endpoint))

    def client(self, endpoint: Endpoint) -> Any:
        """Return this event loop's HTTP client for an endpoint."""
        return self._of_loop().client(endpoint)

    def forget(self, provider: Provider) -> None:
        """Drop the connections to a provider that is about to be closed or changed."""
        for mine in self._loops.values():
            for key in [key for key in mine.connections if key[0] is provider]:
                del mine.connections[key]

    async def close(self) -> None:
        """Close every HTTP client of this event loop."""
        mine = self._loops.pop(asyncio.get_running_loop(), None)
        if mine is not None:
            await mine.close()

    def _of_loop(self) -> _OfLoop:
        loop = asyncio.get_running_loop()
        mine = self._loops.get(loop)
        if mine is None:
            mine = self._loops[loop] = _OfLoop()
        return mine


class _OfLoop:
    """What belongs to one event loop, since HTTP connections cannot be used from another."""

    def __init__(self) -> None:
        self.connections: dict[tuple[Provider, str | None, bool], Connection] = {}
        self._clients: dict[bool, Any] = {}

    def client(self, endpoint: Endpoint) -> Any:
        if endpoint.client is not None:
            return endpoint.client
        client = self._clients.get(endpoint.direct)
        if client is None:
            from llmspell_llm.adapter.http import make_client

            client = self._clients[endpoint.direct] = make_client(direct=endpoint.direct)
        return client

    async def close(self) -> None:
        self.connections.clear()
        while self._clients:
            _, client = self._clients.popitem()
            await client.aclose()


def _load_library() -> None:
    import_module("pydantic_ai.direct")
    import_module("pydantic_ai.models.openai")
