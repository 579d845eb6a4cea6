"""Which text a ``require`` or ``import`` means: local files of a spell, and modules a host defines.

May import ``errors``, ``values``, ``policy``, ``guards`` and the rest of ``engine``.
"""

from llmspell.engine.modules.files import ModuleForm, Resolver, form_of, shown_root
from llmspell.engine.modules.loaded import LoadedSet
from llmspell.engine.modules.registry import Bundle, Gathered, ModuleDefinition, ModuleRegistry

__all__ = [
    "Bundle",
    "Gathered",
    "LoadedSet",
    "ModuleDefinition",
    "ModuleForm",
    "ModuleRegistry",
    "Resolver",
    "form_of",
    "shown_root",
]
