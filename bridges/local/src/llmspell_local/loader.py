"""All contact with xllamacpp: parameters in, a listening server out.

xllamacpp follows llama.cpp's names, which change; whatever breaks with one of its releases breaks here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from llmspell_local.errors import ServerError

_SILENT = -1
_PING_SECONDS = 1
"""How often an open stream is looked after; llama.cpp's default of 30 makes closing wait that long."""


class LoaderOptions(Protocol):
    """What the loader wants to know; :class:`~llmspell_local.server.ServerOptions` is one."""

    @property
    def context(self) -> int: ...
    @property
    def slots(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def embeddings(self) -> bool: ...


def start(model: Path, api_key: str, options: LoaderOptions) -> tuple[Any, str]:
    """Load a GGUF file and serve it on a free loopback port; blocks for half a second or so.

    Returns:
        The running server, which stops when its last reference goes, and its address.

    Raises:
        ServerError: llama.cpp is not installed here, or refuses the file.
    """
    try:
        import xllamacpp
    except ImportError as error:
        raise ServerError(
            f"the embedded model cannot run here: {error}",
            hint="install xllamacpp for this platform, or set OPENAI_BASE_URL to a server of your own",
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = options.context
    params.n_parallel = options.slots
    params.kv_unified = True
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]
    params.offline = True
    params.warmup = False
    params.verbosity = _SILENT
    params.ui = False
    params.cache_ram_mib = 0
    params.sse_ping_interval = _PING_SECONDS
    if options.embeddings:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ServerError(
            f"llama.cpp cannot serve {model}: {error}",
            hint="is it a whole GGUF file? `llmspell models info` checks the known ones",
        ) from error
    return server, str(server.listening_address)


def version() -> str:
    """Return the version of xllamacpp."""
    import xllamacpp

    return str(xllamacpp.__version__)
