"""The embedded model of llmspell: the provider that needs no key.

It finds (or fetches, once) a small GGUF model and serves it inside this process on a loopback port, in the
OpenAI wire format, so that the way to the embedded model and the way to a cloud model are the same code.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_local.errors import LocalModelError, ServerError, WeightsError
    from llmspell_local.server import LocalServer, ServerOptions

__all__ = ["LocalModelError", "LocalServer", "ServerError", "ServerOptions", "WeightsError"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "server" if name in ("LocalServer", "ServerOptions") else "errors"
    return getattr(import_module(f"{__name__}.{home}"), name)
