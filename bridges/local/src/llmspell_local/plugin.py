"""What this distribution offers: the command ``llmspell models``.

The provider itself is not offered here: ``llmspell-llm`` finds it in its own entry-point group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell.plugin import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def llmspell_commands(cli: click.Group) -> None:
    """Add ``llmspell models``."""
    from llmspell_local.commands import models

    cli.add_command(models)
