"""``llmspell bridges``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from llmspell.cli.app import Settings
from llmspell.cli.streams import Stream

if TYPE_CHECKING:
    from llmspell.bridge import BridgeSpec, Export


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def bridges(settings: Settings, name: str | None, as_json: bool) -> None:
    """List the bridges, or show what NAME offers to scripts: a bridge (fs), or one method of it (fs.read)."""
    out = Stream.out()
    with settings.open_host() as host:
        registry = host.bridge_registry
        if name is None:
            _show_all(list(registry), out, as_json)
        else:
            bridge, _, method = name.partition(".")
            _show_one(registry.get(bridge), out, as_json, method)


def _show_all(specs: list[BridgeSpec], out: Stream, as_json: bool) -> None:
    from llmspell.cli.payload import dumps
    from llmspell.cli.show import show_table

    if as_json:
        out.line(dumps([_described(spec) for spec in specs]))
        return
    if not specs:
        Stream.err().line('no bridge is installed; try: pip install "llmspell[all]"')
        return
    rows = [(spec.name, spec.version, spec.description) for spec in specs]
    show_table(("BRIDGE", "VERSION", "DESCRIPTION"), rows, out)


def _described(spec: BridgeSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "aliases": list(spec.aliases),
        "requires": list(spec.requires),
    }


def _show_one(spec: BridgeSpec, out: Stream, as_json: bool, method: str) -> None:
    from llmspell.bridge import exports_of
    from llmspell.bridge.registry import load_factory
    from llmspell.cli.payload import dumps

    factory = load_factory(spec.factory, f"bridge {spec.name!r}")
    kind = factory if isinstance(factory, type) else type(factory())
    exports = [found for _, found in sorted(exports_of(kind).items())]
    if method:
        found = _named(spec, exports, method)
        if as_json:
            out.line(dumps(_export(found)))
        else:
            _show_export(spec, found, out)
        return
    permissions = list(getattr(kind, "permissions", ()))
    if as_json:
        described = {**_described(spec), "permissions": permissions, "exports": [_export(found) for found in exports]}
        out.line(dumps(described))
        return
    out.line(f"{spec.name} {spec.version}")
    about = inspect.getdoc(kind) or spec.description
    if about:
        out.line(f"\n{about}")
    if permissions:
        out.line(f"\nReaches: {', '.join(permissions)}")
    for found in exports:
        out.line("")
        _show_export(spec, found, out)


def _show_export(spec: BridgeSpec, found: Export, out: Stream) -> None:
    out.line(f"{spec.name}.{usage_of(found)}")
    for line in found.doc.splitlines():
        out.line(f"    {line}".rstrip())


def _named(spec: BridgeSpec, exports: list[Export], method: str) -> Export:
    import difflib

    from llmspell.errors import UsageError

    names = {found.name: found for found in exports}
    if method not in names:
        close = difflib.get_close_matches(method, names, 1)
        hint = f"did you mean '{spec.name}.{close[0]}'?" if close else f"it has {', '.join(names)}"
        raise UsageError(f"the bridge {spec.name!r} has no {method!r}", hint=hint)
    return names[method]


def usage_of(found: Export) -> str:
    """Write how an export is called: ``complete(prompt, {system, temperature})``."""
    parts: list[str] = []
    options: list[str] = []
    for parameter in found.signature.parameters:
        if parameter.option:
            options.append(parameter.name)
        elif parameter.variadic:
            parts.append(f"{parameter.name}...")
        else:
            parts.append(parameter.name if parameter.required else f"{parameter.name}?")
    if options:
        parts.append(f"{{{', '.join(options)}}}")
    return f"{found.name}({', '.join(parts)})"


def _export(found: Export) -> dict[str, Any]:
    return {
        "name": found.name,
        "usage": usage_of(found),
        "doc": found.doc,
        "async": found.is_async,
        "stream": found.is_stream,
        "permissions": list(found.permissions),
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type_text,
                "required": parameter.required,
                "option": parameter.option,
                "secret": parameter.secret,
            }
            for parameter in found.signature.parameters
        ],
    }
