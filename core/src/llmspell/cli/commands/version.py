"""``llmspell version``."""

from __future__ import annotations

import platform

import click

from llmspell.cli.app import Settings
from llmspell.cli.streams import Stream


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option("-s", "--short", is_flag=True, help="Print the number only.")
@click.pass_obj
def version(settings: Settings, as_json: bool, short: bool) -> None:
    """Show the versions of llmspell, its plugins and Python."""
    from llmspell import __version__

    out = Stream.out()
    if short:
        out.line(__version__)
        return
    with settings.open_host(warn=False) as host:
        installed = {report.distribution: report.version for report in host.plugins.reports() if report.distribution}
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    if as_json:
        from llmspell.cli.payload import dumps

        out.line(dumps({"llmspell": __version__, "plugins": installed, "python": python, "platform": system}))
        return
    out.line(f"llmspell {__version__}")
    for name, number in installed.items():
        out.line(f"{name} {number}")
    out.line(f"{python} on {system}")
