"""What this distribution offers. Imports nothing of it: every factory is a name."""

from __future__ import annotations

from collections.abc import Iterable

from llmspell.plugin import BridgeSpec, hookimpl


@hookimpl
def llmspell_bridges() -> Iterable[BridgeSpec]:
    """Offer the standard bridges."""
    return (
        BridgeSpec("core", "llmspell_std.core:CoreBridge", "time, texts, tables, hashes, wrapped functions"),
        BridgeSpec("data", "llmspell_std.data:DataBridge", "JSON and other formats, collections, paths, schemas"),
        BridgeSpec("fs", "llmspell_std.fs:FsBridge", "files and directories that the policy grants"),
        BridgeSpec("log", "llmspell_std.log:LogBridge", "levelled, structured logging", aliases=("logging",)),
    )
