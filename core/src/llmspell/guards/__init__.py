"""The only two ways from a bridge to the world: ``FilesGuard`` and ``NetGuard``, each held to a policy's grants.

May import ``errors``, ``values`` and ``policy``. Nothing here loads an HTTP library before the network is used.
"""

from llmspell.guards.addresses import refusal_of
from llmspell.guards.files import FileInfo, FilesGuard
from llmspell.guards.net import Connector, NetGuard, NetLimits, Resolver

__all__ = ["Connector", "FileInfo", "FilesGuard", "NetGuard", "NetLimits", "Resolver", "refusal_of"]
