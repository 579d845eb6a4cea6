"""The files of embedded models: what is known of each, where it is, and how it is fetched.

May import ``errors`` of this package only.
"""

from llmspell_local.weights.catalog import DEFAULT_MODEL, MODELS, KnownModel
from llmspell_local.weights.fetch import Fetcher, fetch, find_fetcher
from llmspell_local.weights.store import ModelFile, WeightsStore

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "Fetcher",
    "KnownModel",
    "ModelFile",
    "WeightsStore",
    "fetch",
    "find_fetcher",
]
