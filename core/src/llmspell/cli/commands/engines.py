"""``llmspell engines``."""

from __future__ import annotations

import click

from llmspell.cli.app import Settings
from llmspell.cli.streams import Stream


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def engines(settings: Settings, as_json: bool) -> None:
    """List the script engines, with the file name endings they take and what they can enforce where."""
    from llmspell.cli.payload import dumps
    from llmspell.cli.show import show_table

    out = Stream.out()
    with settings.open_host() as host:
        specs = sorted(host.plugins.engines.values(), key=lambda spec: spec.name)
    if as_json:
        out.line(
            dumps(
                [
                    {
                        "name": spec.name,
                        "version": spec.version,
                        "aliases": list(spec.aliases),
                        "extensions": list(spec.extensions),
                        "description": spec.description,
                        "enforces": {
                            "inline": sorted(spec.capabilities.inline),
                            "worker": sorted(spec.capabilities.worker),
                        },
                    }
                    for spec in specs
                ]
            )
        )
        return
    if not specs:
        Stream.err().line('no engine is installed; try: pip install "llmspell[all]"')
        return
    show_table(
        ("ENGINE", "VERSION", "ALIASES", "FILES", "DESCRIPTION"),
        [
            (spec.name, spec.version, " ".join(spec.aliases), " ".join(spec.extensions), spec.description)
            for spec in specs
        ],
        out,
    )
