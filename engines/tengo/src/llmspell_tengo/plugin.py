"""The plugin: what llmspell finds through the entry point."""

from __future__ import annotations

from llmspell.plugin import BridgeSpec, Capabilities, EngineSpec, Gathering, hookimpl

_LIMITS = frozenset({"deadline", "steps", "memory", "output", "cancel", "recursion"})


@hookimpl
def llmspell_engines() -> list[EngineSpec]:
    """Offer the Tengo engine."""
    from llmspell_tengo import __version__

    return [
        EngineSpec(
            name="tengo",
            factory="llmspell_tengo.engine:TengoEngine",
            extensions=(".tengo",),
            version=__version__,
            capabilities=Capabilities(_LIMITS, _LIMITS, suspends=True, calls_each=True),  # type: ignore[arg-type]
            naming="snake",
            gathering=Gathering(
                load='import("NAME")',
                same='export import("NAME")',
                table="export {MEMBERS}",
                member='"KEY": import("NAME")',
            ),
            description="Tengo, compiled to Lua 5.4, on lupa",
        )
    ]


@hookimpl
def llmspell_bridges() -> list[BridgeSpec]:
    """Offer the bridge behind Tengo's module ``os``."""
    description = "Tengo's os: files, environment and programs that the policy grants"
    return [BridgeSpec("os", "llmspell_tengo.os:OsBridge", description)]
