"""The plugin: what llmspell finds through the entry point."""

from __future__ import annotations

from llmspell.plugin import Capabilities, EngineSpec, Gathering, hookimpl

_LIMITS = frozenset({"deadline", "steps", "memory", "output", "cancel"})


@hookimpl
def llmspell_engines() -> list[EngineSpec]:
    """Offer the Lua engine."""
    from llmspell_lua import __version__

    return [
        EngineSpec(
            name="lua",
            factory="llmspell_lua.engine:LuaEngine",
            extensions=(".lua",),
            aliases=("lua54",),
            version=__version__,
            capabilities=Capabilities(_LIMITS, _LIMITS, suspends=True, calls_each=True),  # type: ignore[arg-type]
            naming="snake",
            ordered=False,
            gathering=Gathering(
                load='require("NAME")',
                same='return require("NAME")',
                table="return {MEMBERS}",
                member='["KEY"] = require("NAME")',
            ),
            description="Lua 5.4 (or 5.5), on lupa",
        )
    ]
