"""What this distribution offers. Importing it imports nothing of the engine."""

from __future__ import annotations

from llmspell.plugin import Capabilities, EngineSpec, hookimpl


@hookimpl
def llmspell_engines() -> list[EngineSpec]:
    """Offer the engine."""
    return [
        EngineSpec(
            "rpn",
            factory="llmspell_rpn.engine:RpnEngine",
            extensions=(".rpn",),
            aliases=("polish",),
            version="1.0.0",
            capabilities=Capabilities(
                inline=frozenset({"deadline", "steps", "output", "cancel", "recursion"}),
                worker=frozenset({"deadline", "steps", "output", "cancel", "recursion"}),
            ),
            description="Reverse Polish notation",
        )
    ]
