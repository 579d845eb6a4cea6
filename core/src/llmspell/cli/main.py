"""The entry point: run a command, and turn whatever it raises into a message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell.runtime.worker.launch import Launch

INTERRUPTED = 130
IO_FAILED = 12


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    if arguments is None:
        from llmspell.cli.whole import leave_quickly, seldom_collect

        seldom_collect()
        leaving = leave_quickly()
        leaving.code = code = run(sys.argv[1:])
    else:
        code = run(list(arguments))
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; it never raises for what a user did."""
    from llmspell.cli.ahead import launched

    try:
        with launched(arguments) as launch:
            return _run(arguments, launch)
    except KeyboardInterrupt:
        return _interrupted(arguments)


def _interrupted(arguments: Sequence[str]) -> int:
    """End a command that was interrupted before or after its run; one object is owed even so, where JSON is asked."""
    from llmspell.cli.failure import fail
    from llmspell.errors import Cancelled

    return fail(Cancelled("interrupted"), as_json=wants_json(arguments))


def _run(arguments: list[str], launch: Launch | None) -> int:
    import click

    from llmspell.cli.app import cli
    from llmspell.cli.streams import ReaderGone

    try:
        code = cli.main(args=arguments, prog_name="llmspell", standalone_mode=False, obj=launch)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as nothing:
        click.echo(nothing.format_message(), err=True)
        return nothing.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(arguments)
    except ReaderGone:
        return IO_FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: a message instead of a traceback
        from llmspell.cli.failure import fail

        return fail(error, as_json=wants_json(arguments))


def wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for JSON, also when it does not parse."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]
