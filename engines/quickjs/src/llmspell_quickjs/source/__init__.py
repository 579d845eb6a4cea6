"""From an author's file to the text the engine runs: module syntax rewritten, TypeScript's types blanked, lines kept.

May import ``llmspell.engine`` and ``llmspell.errors`` only; it knows nothing of the VM.
"""

from llmspell_quickjs.source.prepare import HELPER, MAIN_FUNCTION, Prepared, Request, Role, dialect_of, prepare
from llmspell_quickjs.source.refused import Refused

__all__ = ["HELPER", "MAIN_FUNCTION", "Prepared", "Refused", "Request", "Role", "dialect_of", "prepare"]
