"""Which models can be asked."""

from __future__ import annotations

from typing import Any

from llmspell_llm.llm.asking import Asking
from llmspell_llm.prices import known_models
from llmspell_llm.providers import Provider


async def reachable_models(asking: Asking, only: str | None) -> list[dict[str, Any]]:
    """Return the models of one provider, or of all that are configured.

    Raises:
        ModelError: The provider that was asked for does not exist or does not answer.
    """
    directory = asking.directory
    if only is not None:
        providers = [directory.provider(only)]
    else:
        names = dict.fromkeys([*(p.name for p in directory), *directory.configured()])
        providers = [directory.provider(name) for name in names]
    default = directory.resolve(None) if only is None and providers else None
    found = []
    for provider in providers:
        for model in await _models_of(asking, provider):
            is_default = (
                default is not None
                and default.provider is provider
                and model == (default.model or provider.default_model)
            )
            found.append(
                {"name": f"{provider.name}:{model}", "provider": provider.name, "model": model, "default": is_default}
            )
    return found


async def _models_of(asking: Asking, provider: Provider) -> list[str]:
    if provider.prices is not None:
        return [model.id for model in known_models(provider.prices) if not model.deprecated]
    return await asking.connections.list_models(provider)
