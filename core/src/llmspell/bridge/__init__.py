"""What host capabilities look like: ``Bridge``, ``@export``, signatures, and the life of bridges.

May import ``errors``, ``values`` and ``policy``.
"""

from llmspell.bridge.base import Bridge, BridgeContext, BridgeSpec, HostObject
from llmspell.bridge.begun import Begun
from llmspell.bridge.call import Call
from llmspell.bridge.export import Export, Secret, export, exports_of
from llmspell.bridge.function import ScriptFunction
from llmspell.bridge.registry import BridgeRegistry, BridgeSet

__all__ = [
    "Begun",
    "Bridge",
    "BridgeContext",
    "BridgeRegistry",
    "BridgeSet",
    "BridgeSpec",
    "Call",
    "Export",
    "HostObject",
    "ScriptFunction",
    "Secret",
    "export",
    "exports_of",
]
