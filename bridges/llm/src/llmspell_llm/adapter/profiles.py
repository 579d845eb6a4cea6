"""What models can do, by the profiles of pydantic-ai. Loads no provider's library."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_FAMILIES = {
    "openai": "pydantic_ai.profiles.openai:openai_model_profile",
    "openai-responses": "pydantic_ai.profiles.openai:openai_model_profile",
    "anthropic": "pydantic_ai.profiles.anthropic:anthropic_model_profile",
    "google": "pydantic_ai.profiles.google:google_model_profile",
    "vertex": "pydantic_ai.profiles.google:google_model_profile",
}


def abilities_of(kind: str, model: str) -> set[str] | None:
    """Return what a model of a family can do, or None if the family has no profiles."""
    target = _FAMILIES.get(kind)
    if target is None:
        return None
    module, _, name = target.partition(":")
    profile: Mapping[str, Any] = getattr(import_module(module), name)(model) or {}
    found = {"streaming"}
    for ability, key, default in (
        ("tools", "supports_tools", True),
        ("structured_output", "supports_json_schema_output", False),
        ("vision", "supports_image_input", True),
        ("thinking", "supports_thinking", False),
    ):
        if profile.get(key, default):
            found.add(ability)
    return found
