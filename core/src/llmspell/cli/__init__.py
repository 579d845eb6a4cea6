"""The command line: ``llmspell run`` and the rest. Nothing else imports this room.

Everything but click is imported by the command that needs it, so that a run starts quickly.
"""

from llmspell.cli.main import main

__all__ = ["main"]
