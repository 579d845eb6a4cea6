"""Records of models: from the price list, the model library's profiles, and the embedded models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from llmspell_llm.conversation import Usage
from llmspell_llm.prices import cost_of, find_model, known_models
from llmspell_llm.providers import Directory, ProviderKind


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What is known of a model. What is not known is None, never zero.

    Attributes:
        name: What the option ``model`` takes: ``"openai:gpt-4o"``.
        context_window: Tokens it can take in.
        input_price, output_price: US dollars for a million tokens.
        capabilities: What it can do: ``tools``, ``structured_output``, ``vision``, ``thinking``, ``streaming``.
        deprecated: Its provider will take it away.
    """

    name: str
    provider: str
    model: str
    title: str = ""
    description: str = ""
    context_window: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    capabilities: tuple[str, ...] = ()
    deprecated: bool = False

    def as_value(self) -> dict[str, Any]:
        return {**asdict(self), "capabilities": list(self.capabilities)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a model should be like; None and empty mean: any.

    Attributes:
        text: Part of its name or title.
        max_input_price, max_output_price: US dollars for a million tokens; a model of unknown price fits no bound.
    """

    providers: tuple[str, ...] = ()
    capabilities: frozenset[str] = field(default_factory=frozenset)
    min_context: int | None = None
    max_input_price: float | None = None
    max_output_price: float | None = None
    text: str = ""
    deprecated: bool = False

    def fits(self, record: ModelRecord) -> bool:
        if record.deprecated and not self.deprecated:
            return False
        if not self.capabilities <= set(record.capabilities):
            return False
        if self.min_context is not None and (record.context_window or 0) < self.min_context:
            return False
        for price, most in (
            (record.input_price, self.max_input_price),
            (record.output_price, self.max_output_price),
        ):
            if most is not None and (price is None or price > most):
                return False
        return self.text.casefold() in f"{record.name} {record.title}".casefold()


def models_of(kind: ProviderKind) -> Iterator[ModelRecord]:
    """Yield what the price list knows of a kind's models."""
    if kind.prices is None:
        return
    now = datetime.now(UTC)
    for model in known_models(kind.prices):
        yield _from_list(kind, model, now)


def record_of(directory: Directory, name: str) -> ModelRecord:
    """Return what is known of one model; of one that no list holds, only what its provider can do.

    Raises:
        ModelUnknownError: There is no such provider.
    """
    head, colon, model = name.partition(":")
    kind = directory.kinds.get(head)
    if kind is None or not colon:
        resolved = directory.resolve(name)
        kind = directory.kinds.get(resolved.provider.kind)
        model = resolved.model or resolved.provider.default_model or ""
        if kind is None:
            return ModelRecord(f"{resolved.provider.name}:{model}", resolved.provider.name, model)
    if kind.prices is not None:
        found = find_model(kind.prices, model)
        if found is not None:
            return _from_list(kind, found, datetime.now(UTC), model)
    return ModelRecord(f"{kind.name}:{model}", kind.name, model, title=kind.title, capabilities=_abilities(kind, model))


def find(directory: Directory, wanted: Wanted) -> list[ModelRecord]:
    """Return the models that are as wanted, the cheapest first and those of unknown price last.

    Raises:
        ModelUnknownError: A provider that is asked for does not exist.
    """
    names = wanted.providers or tuple(dict.fromkeys(kind.name for kind in directory.kinds.values() if kind.prices))
    kinds = {directory.kind(name).name: directory.kind(name) for name in names}
    prices = {kind.prices: kind for kind in kinds.values()}  # kinds that share a list are told once
    found = (record for kind in prices.values() for record in models_of(kind) if wanted.fits(record))
    return sorted(found, key=_by_price)


def _by_price(record: ModelRecord) -> tuple[float, str]:
    known = [price for price in (record.input_price, record.output_price) if price is not None]
    return (sum(known) if known else float("inf"), record.name)


def estimate_cost(directory: Directory, name: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return what tokens of a model cost in US dollars, or None if its price is not known.

    Raises:
        ModelUnknownError: There is no such provider.
    """
    head, colon, model = name.partition(":")
    kind = directory.kinds.get(head) if colon else None
    if kind is None:
        resolved = directory.resolve(name)
        if resolved.provider.free:
            return 0.0
        return cost_of(
            resolved.provider.prices,
            resolved.model or resolved.provider.default_model or "",
            Usage(input_tokens, output_tokens),
        )
    if kind.name == "local":
        return 0.0
    return cost_of(kind.prices, model, Usage(input_tokens, output_tokens))


def _from_list(kind: ProviderKind, model: Any, now: datetime, asked: str | None = None) -> ModelRecord:
    price = model.get_prices(now) if model.prices else None
    identity = asked or model.id
    return ModelRecord(
        name=f"{kind.name}:{identity}",
        provider=kind.name,
        model=identity,
        title=model.name or model.id,
        description=(model.description or "").strip(),
        context_window=model.context_window,
        input_price=_amount(price, "input_mtok"),
        output_price=_amount(price, "output_mtok"),
        capabilities=_abilities(kind, identity),
        deprecated=bool(model.deprecated),
    )


def _amount(price: Any, name: str) -> float | None:
    """Return a price; of one with steps, that of the first."""
    value = getattr(price, name, None)
    value = getattr(value, "base", value)
    return float(value) if isinstance(value, Decimal | int | float) else None


def _abilities(kind: ProviderKind, model: str) -> tuple[str, ...]:
    from llmspell_llm.adapter.profiles import abilities_of

    known = abilities_of(kind.name, model)
    return tuple(sorted(known if known is not None else kind.capabilities))


def providers_known(directory: Directory) -> Iterable[ProviderKind]:
    """Return the kinds of providers whose models the price list knows."""
    kinds = {kind.name: kind for kind in directory.kinds.values() if kind.prices is not None}
    return [kinds[name] for name in sorted(kinds)]
