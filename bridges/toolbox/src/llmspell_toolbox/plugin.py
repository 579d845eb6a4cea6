"""What this distribution offers. Imports nothing of it: every factory is a name."""

from __future__ import annotations

from collections.abc import Iterable

from llmspell.plugin import BridgeSpec, hookimpl


@hookimpl
def llmspell_bridges() -> Iterable[BridgeSpec]:
    """Offer the built-in tools; the registry of tools finds them by their entry points."""
    return (
        BridgeSpec(
            "toolbox",
            "llmspell_toolbox.bridge:ToolboxBridge",
            "Built-in tools: files, web, math, dates, data, feeds, programs",
        ),
        BridgeSpec(
            "machine",
            "llmspell_toolbox.bridge:MachineBridge",
            "Built-in tools that tell of the machine and its processes",
        ),
    )
