"""``llmspell models``: the embedded models on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from llmspell_local.errors import WeightsError
from llmspell_local.weights import DEFAULT_MODEL, MODELS, ModelFile, WeightsStore, fetch
from llmspell_local.weights.store import sha256_of


@click.group()
def models() -> None:
    """List, fetch and remove the models that run in llmspell itself."""


def _described(name: str, found: ModelFile | None) -> dict[str, Any]:
    known = MODELS.get(name)
    size = found.size if found is not None else known.size if known is not None else None
    return {
        "name": f"local:{name}",
        "status": found.origin if found is not None else "not fetched",
        "megabytes": None if size is None else round(size / 1e6, 1),
        "default": name == DEFAULT_MODEL,
        "path": None if found is None else str(found.path),
        "license": known.license if known is not None else None,
        "description": known.description if known is not None else None,
    }


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(as_json: bool) -> None:
    """List the models on this machine and those that can be fetched."""
    store = WeightsStore()
    found = {model.name: model for model in store}
    rows = [_described(name, found.get(name)) for name in dict.fromkeys([*MODELS, *sorted(found)])]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        star = "*" if row["default"] else " "
        click.echo(f"{star} {row['name']:<28} {row['status']:<12} {row['megabytes'] or '?':>8} MB")


@models.command()
@click.argument("name", default=DEFAULT_MODEL)
@click.option("--from", "source", type=click.Path(path_type=Path), help="Take this GGUF file instead of fetching one.")
def pull(name: str, source: Path | None) -> None:
    """Fetch a model's weights once, or take in a GGUF file of your own under NAME."""
    from llmspell_local.provider import progress_bar

    store = WeightsStore()
    if source is not None:
        added = store.add(source, None if name == DEFAULT_MODEL else name)
        click.echo(f"local:{added.name} is there: {added.path}")
        return
    known = MODELS.get(name)
    if known is None:
        raise WeightsError(
            f"llmspell knows no model {name!r}",
            hint=f"known: {', '.join(MODELS)}; take in a file of your own with --from FILE.gguf",
        )
    found = store.find(name)
    if found is None:
        with progress_bar(f"fetching {name}") as progress:
            found = fetch(known, store, progress=progress)
    click.echo(f"local:{name} is there: {found.path}")


@models.command()
@click.argument("name", default=DEFAULT_MODEL)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def info(name: str, as_json: bool) -> None:
    """Tell all about a model, and check the file of a known one against its digest."""
    found = WeightsStore().find(name)
    if found is None and name not in MODELS:
        raise WeightsError(f"there is no model {name!r} on this machine", hint="see `llmspell models list`")
    told = _described(name, found)
    known = MODELS.get(name)
    if found is not None:
        told["sha256"] = sha256_of(found.path)
        told["intact"] = None if known is None else told["sha256"] == known.sha256
    if as_json:
        click.echo(json.dumps(told))
        return
    for key, value in told.items():
        click.echo(f"{key:<12} {'-' if value is None else value}")


@models.command()
@click.argument("name")
def rm(name: str) -> None:
    """Remove a model's file from the data directory."""
    removed = WeightsStore().remove(name)
    click.echo(f"removed {removed.path}")
