"""The Lua engine of llmspell, on lupa.

``plugin`` is what llmspell finds, ``engine`` what it then loads. May import ``llmspell`` and ``lupa`` only.
"""

__version__ = "0.1.0"
