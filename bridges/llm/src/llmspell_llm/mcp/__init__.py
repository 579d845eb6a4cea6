"""Servers of the Model Context Protocol, and their tools. May import ``tools``, ``structured`` and ``errors``.

The library is loaded on first use; processes and connections come from the guards alone.
"""

from llmspell_llm.mcp.connection import Connection
from llmspell_llm.mcp.errors import McpError
from llmspell_llm.mcp.offers import Offer
from llmspell_llm.mcp.target import HttpTarget, ProgramTarget, Target, target_from

__all__ = ["Connection", "HttpTarget", "McpError", "Offer", "ProgramTarget", "Target", "target_from"]
