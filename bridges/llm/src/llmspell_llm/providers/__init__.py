"""Who serves models: kinds of providers, configured providers, and which one a name means.

May import ``errors``. Knows nothing of pydantic-ai; a provider only says where and how it is reached.
"""

from llmspell_llm.providers.directory import Directory, Resolved
from llmspell_llm.providers.kinds import BUILT_IN, ENTRY_POINT_GROUP, discover
from llmspell_llm.providers.provider import Endpoint, Provider, ProviderConfig, ProviderKind, RemoteProvider

__all__ = [
    "BUILT_IN",
    "ENTRY_POINT_GROUP",
    "Directory",
    "Endpoint",
    "Provider",
    "ProviderConfig",
    "ProviderKind",
    "RemoteProvider",
    "Resolved",
    "discover",
]
