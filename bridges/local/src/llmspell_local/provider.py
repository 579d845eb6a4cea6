"""The embedded model as a provider of ``llmspell-llm``: the one that is there when no key is."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmspell_llm.providers import Endpoint, Provider, ProviderConfig, ProviderKind
from llmspell_local.errors import LocalModelError, WeightsError
from llmspell_local.server import LocalServer, ServerOptions
from llmspell_local.weights import DEFAULT_MODEL, MODELS, WeightsStore, fetch
from llmspell_local.weights.fetch import Progress

MODEL_VARIABLE = "LLMSPELL_LOCAL_MODEL"
OPTIONS = ("slots", "context", "threads")
_log = logging.getLogger(__name__)


class LocalProvider:
    """Serves GGUF models in this process. Nothing is loaded before a model is asked.

    Args:
        config: ``options`` may hold ``threads``, ``slots`` and ``context``; ``environ`` may name a file in
            ``LLMSPELL_LOCAL_MODEL``, which is then the default model.
    """

    kind: str = "local"
    free: bool = True
    prices: str | None = None

    def __init__(self, config: ProviderConfig) -> None:
        self.name = config.name
        self._own = Path(path).expanduser() if (path := config.environ.get(MODEL_VARIABLE)) else None
        self.default_model: str | None = config.model or (self._own.stem if self._own else DEFAULT_MODEL)
        self._store = WeightsStore(environ=config.environ or None)
        self._options = _options(config.options)
        self._servers: dict[tuple[str, bool], LocalServer] = {}
        self._lock = threading.Lock()
        self._closed = False

    async def endpoint(self, model: str | None = None, *, embeddings: bool = False) -> Endpoint:
        """Load the model if that has not happened yet, fetching its weights first if need be.

        Text and embeddings of one model are two servers, since llama.cpp attends differently for each.

        Raises:
            LocalModelError: There are no weights, or they do not load.
        """
        name = model or self.default_model or DEFAULT_MODEL
        server = await asyncio.to_thread(self._started, name, embeddings)
        return Endpoint("llama.cpp", server.base_url, server.api_key, direct=True)

    async def count_tokens(self, text: str, model: str) -> int | None:
        """Count with the model's own tokeniser."""
        server = await asyncio.to_thread(self._started, model)
        return await asyncio.to_thread(server.count, text)

    async def models(self) -> list[str]:
        """Return the models on this machine, and those that can be fetched."""
        return await asyncio.to_thread(self._names)

    async def close(self) -> None:
        """Stop every server."""
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """As :meth:`close`, for callers without an event loop."""
        with self._lock:
            self._closed = True
            servers = list(self._servers.values())
            self._servers.clear()
        for server in servers:
            server.close()

    def _names(self) -> list[str]:
        own = [self._own.stem] if self._own else []
        names = dict.fromkeys([*own, *(found.name for found in self._store), *MODELS])
        return list(names)

    def _started(self, model: str, embeddings: bool = False) -> LocalServer:
        with self._lock:
            server = self._servers.get((model, embeddings))
        if server is None:
            path = self._path(model)
            with self._lock:
                if self._closed:
                    raise LocalModelError("the embedded model was stopped together with its host")
                options = replace(self._options, embeddings=embeddings)
                server = self._servers.setdefault((model, embeddings), LocalServer(path, options))
        server.start()
        return server

    def _path(self, model: str) -> Path:
        if self._own is not None and model == self._own.stem:
            if not self._own.is_file():
                raise WeightsError(f"{MODEL_VARIABLE} names {self._own}, which is not there")
            return self._own
        found = self._store.find(model)
        if found is not None:
            return found.path
        known = MODELS.get(model)
        if known is None:
            raise WeightsError(
                f"there is no model {model!r} on this machine",
                hint=f"models: {', '.join(self._names())}; add one with `llmspell models pull --from FILE.gguf`",
            )
        _log.info("fetching the weights of %s (%d MB, once)", model, known.size // 1_000_000)
        with progress_bar(f"fetching {model}") as progress:
            return fetch(known, self._store, progress=progress).path


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """Show on a terminal how far a download is; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress
    from rich.console import Console

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.DownloadColumn())
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda received, expected: bar.update(task, completed=received, total=expected)


def _options(given: Mapping[str, Any]) -> ServerOptions:
    try:
        known = {name: int(given[name]) for name in OPTIONS if given.get(name) is not None}
    except (TypeError, ValueError):
        raise LocalModelError(f"{', '.join(OPTIONS)} of the embedded model are whole numbers") from None
    for name in ("context", "slots"):
        if known.get(name, 1) < 1:
            raise LocalModelError(f"{name} of the embedded model should be at least 1, not {known[name]}")
    if (threads := known.get("threads", 1)) < 1 or threads > (os.cpu_count() or 1):
        raise LocalModelError(f"threads must be between 1 and {os.cpu_count() or 1}, not {threads}")
    defaults = ServerOptions()
    return ServerOptions(
        context=known.get("context", defaults.context),
        slots=known.get("slots", defaults.slots),
        threads=threads,
    )


def _make(config: ProviderConfig) -> Provider:
    return LocalProvider(config)


LOCAL = ProviderKind(
    name="local",
    title="Embedded model, in this process",
    dialect="llama.cpp",
    default_model=DEFAULT_MODEL,
    rank=900,
    capabilities=frozenset({"streaming", "structured_output", "tools", "embeddings"}),
    options={name: (f"LLMSPELL_LOCAL_{name.upper()}",) for name in OPTIONS},
    make=_make,
)
