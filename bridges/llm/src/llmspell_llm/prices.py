"""What models cost, by the price list of genai-prices. What it does not know is unknown, never zero."""

from __future__ import annotations

from typing import Any

from llmspell_llm.conversation import Usage


def cost_of(provider: str | None, model: str, usage: Usage) -> float | None:
    """Return the cost of some tokens in US dollars, or None if the price is not known.

    Args:
        provider: The provider's name in the price list; None if it has none.
        model: The model's name as the provider knows it.
        usage: Its ``input_tokens``, ``output_tokens`` and ``cached_tokens`` count.
    """
    if provider is None:
        return None
    from genai_prices import Usage as Counted
    from genai_prices import calc_price

    counted = Counted(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    if usage.cached_tokens:
        counted.cache_read_tokens = usage.cached_tokens
    try:
        return float(calc_price(counted, model, provider_id=provider).total_price)
    except (LookupError, ValueError):
        return None


def providers_of(model: str) -> list[str]:
    """Return the providers of the price list that serve a model of exactly this name."""
    return [provider.id for provider in _snapshot().providers if any(m.id == model for m in provider.models)]


def known_models(provider: str) -> list[Any]:
    """Return what the price list knows of a provider's models."""
    return next((list(p.models) for p in _snapshot().providers if p.id == provider), [])


def find_model(provider: str, model: str) -> Any | None:
    """Return what the price list knows of one model, by any name it goes by, or None."""
    try:
        return _snapshot().find_provider_model(model, None, provider, None)[1]
    except LookupError:
        return None


def _snapshot() -> Any:
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()
