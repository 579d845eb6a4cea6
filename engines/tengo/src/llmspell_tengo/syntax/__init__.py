"""The front of the front end: text to tokens to tree, with the reference's messages and positions.

May import ``llmspell.errors`` only.
"""

from llmspell_tengo.syntax.faults import CompileFault, Fault, ParseFault
from llmspell_tengo.syntax.file import SourceFile
from llmspell_tengo.syntax.parser import parse
from llmspell_tengo.syntax.render import render

__all__ = ["CompileFault", "Fault", "ParseFault", "SourceFile", "parse", "render"]
