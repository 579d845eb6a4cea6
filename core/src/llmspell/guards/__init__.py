"""The only ways from a bridge to the world: ``FilesGuard``, ``NetGuard`` and ``ProgramsGuard``, held to the grants.

May import ``errors``, ``values`` and ``policy``. Nothing here loads an HTTP library before the network is used.
"""

from llmspell.guards.addresses import refusal_of
from llmspell.guards.files import FileInfo, FilesGuard
from llmspell.guards.net import Connector, NetGuard, NetLimits, Resolver
from llmspell.guards.programs import ProgramsGuard

__all__ = ["Connector", "FileInfo", "FilesGuard", "NetGuard", "NetLimits", "ProgramsGuard", "Resolver", "refusal_of"]
