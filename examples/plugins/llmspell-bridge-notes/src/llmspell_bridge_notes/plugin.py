"""What this distribution offers. Importing it imports nothing of the bridge."""

from __future__ import annotations

from llmspell.plugin import BridgeSpec, hookimpl


@hookimpl
def llmspell_bridges() -> list[BridgeSpec]:
    """Offer the bridge."""
    return [BridgeSpec("notes", "llmspell_bridge_notes.bridge:NotesBridge", "notes, kept and searched in SQLite")]
