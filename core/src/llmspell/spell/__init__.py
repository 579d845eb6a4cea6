"""Spells as files: front matter, manifest, parameters, loading.

May import ``errors``, ``values``, ``policy`` and ``engine``.
"""

from llmspell.spell.load import MAX_SOURCE_BYTES, Spell, decode_source, load_spell, read_source
from llmspell.spell.manifest import Manifest, Parameter, ParameterType
from llmspell.spell.parameters import (
    bind_params,
    named_paths,
    parse_assignments,
    read_params_file,
    surplus_hint,
)

__all__ = [
    "MAX_SOURCE_BYTES",
    "Manifest",
    "Parameter",
    "ParameterType",
    "Spell",
    "bind_params",
    "decode_source",
    "load_spell",
    "named_paths",
    "parse_assignments",
    "read_params_file",
    "read_source",
    "surplus_hint",
]
