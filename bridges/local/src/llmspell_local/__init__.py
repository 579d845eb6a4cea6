"""The embedded model of llmspell: the provider that needs no key.

It finds (or fetches, once) a small GGUF model and serves it inside this process on a loopback port, in the
OpenAI wire format, so that the way to the embedded model and the way to a cloud model are the same code.
"""

from llmspell_local.errors import LocalModelError, ServerError, WeightsError
from llmspell_local.server import LocalServer, ServerOptions

__all__ = ["LocalModelError", "LocalServer", "ServerError", "ServerOptions", "WeightsError"]
