"""What this distribution offers. Imports nothing of it: every factory is a name."""

from __future__ import annotations

from collections.abc import Iterable

from llmspell.plugin import BridgeSpec, hookimpl


@hookimpl
def llmspell_bridges() -> Iterable[BridgeSpec]:
    """Offer the model bridges."""
    return (
        BridgeSpec(
            "modelinfo",
            "llmspell_llm.modelinfo:ModelInfoBridge",
            "Which models there are, what they can do and what they cost",
            scope="host",
        ),
        BridgeSpec("llm", "llmspell_llm.llm.bridge:LlmBridge", "Ask language models", requires=("modelinfo",)),
    )
