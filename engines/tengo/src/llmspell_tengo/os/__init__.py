"""The bridge ``os``: what Tengo's module of that name reaches of the world, each part behind its own grant.

May import the plugin contract of llmspell; knows nothing of compilers and Lua states. The module as scripts see it,
constants and commands included, is made of this bridge by ``runtime/os.lua``.
"""

from llmspell_tengo.os.bridge import OsBridge

__all__ = ["OsBridge"]
