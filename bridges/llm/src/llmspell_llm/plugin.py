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
            "llmspell_llm.bridges.modelinfo:ModelInfoBridge",
            "Which models there are, what they can do and what they cost",
            scope="host",
        ),
        BridgeSpec(
            "llm", "llmspell_llm.bridges.llm:LlmBridge", "Ask language models", requires=("modelinfo", "structured")
        ),
        BridgeSpec(
            "structured",
            "llmspell_llm.bridges.structured:StructuredBridge",
            "Schemas: made, kept by name and version, compared, and checked against data",
            aliases=("schema",),
        ),
        BridgeSpec(
            "providers",
            "llmspell_llm.bridges.providers:ProvidersBridge",
            "Who serves models, and a session's own providers",
            requires=("llm",),
        ),
        BridgeSpec(
            "pool",
            "llmspell_llm.bridges.pool:PoolBridge",
            "Several models that share the work and stand in for one another",
            requires=("llm", "providers"),
        ),
        BridgeSpec("tools", "llmspell_llm.bridges.tools:ToolsBridge", "Tools: defined, found, run, composed, measured"),
        BridgeSpec(
            "agent",
            "llmspell_llm.bridges.agent:AgentBridge",
            "Agents: models with a task, tools and a memory",
            requires=("llm", "tools"),
        ),
        BridgeSpec(
            "workflow",
            "llmspell_llm.bridges.workflow:WorkflowBridge",
            "Workflows: steps in order, at once, by condition, again and again; resumed where they stopped",
            requires=("agent", "llm", "tools"),
        ),
    )
