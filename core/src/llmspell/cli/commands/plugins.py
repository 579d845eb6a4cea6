"""``llmspell plugins``."""

from __future__ import annotations

import dataclasses

import click

from llmspell.cli.app import Settings
from llmspell.cli.streams import Stream


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def plugins(settings: Settings, as_json: bool) -> None:
    """Show what became of every installed plugin: loaded, failed, blocked or in conflict with another."""
    from llmspell.cli.payload import dumps
    from llmspell.cli.show import show_table

    out = Stream.out()
    with settings.open_host(warn=False) as host:
        reports = host.plugins.reports()
    if as_json:
        out.line(dumps([dataclasses.asdict(report) for report in reports]))
        return
    if not reports:
        Stream.err().line('no plugin is installed; try: pip install "llmspell[all]"')
        return
    show_table(
        ("PLUGIN", "DISTRIBUTION", "VERSION", "STATUS", "ENGINES", "BRIDGES"),
        [
            (
                report.name,
                report.distribution,
                report.version,
                report.status,
                " ".join(report.engines),
                " ".join(report.bridges),
            )
            for report in reports
        ],
        out,
    )
    for report in reports:
        for problem in filter(None, (report.error, *report.warnings)):
            out.line(f"{report.name}: {problem}")
