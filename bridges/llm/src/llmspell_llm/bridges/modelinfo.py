"""The ``modelinfo`` bridge."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from llmspell.plugin import Bridge, BridgeContext, export
from llmspell_llm.adapter import Connections
from llmspell_llm.conversation import estimate
from llmspell_llm.modelinfo import Wanted, estimate_cost, find, models_of, record_of
from llmspell_llm.modelinfo.catalog import providers_known
from llmspell_llm.providers import Directory

Count = Annotated[int, Field(ge=0)]
Price = Annotated[float, Field(ge=0)] | None


class ModelInfoBridge(Bridge):
    """Which models there are, what they can do and what they cost. What is not known is null, never zero.

    One for all sessions of a host: it owns the providers that the environment and the configuration name, the
    embedded model's server among them, and the connections to them.
    """

    name = "modelinfo"

    def __init__(self) -> None:
        self.directory = Directory({})
        self.connections = Connections()

    async def open(self, context: BridgeContext) -> None:
        """Learn which providers are configured. Nothing is contacted or started."""
        models = getattr(context.services.get("config"), "models", None)
        self.directory = Directory(
            context.environ,
            default=models.default if models is not None else None,
            aliases=models.aliases if models is not None else None,
            settings=models.providers if models is not None else None,
        )

    async def close(self) -> None:
        """Close the connections, and stop what providers started."""
        await self.connections.close()
        await self.directory.close()

    @export(name="list", blocking=True)
    def list_(self, provider: str | None = None) -> list[dict[str, Any]]:
        """List the models of the price list, of one provider or of all.

        Each is ``{name, provider, model, title, context_window, input_price, output_price, capabilities, ...}``, prices
        in US dollars for a million tokens.
        """
        kinds = [self.directory.kind(provider)] if provider is not None else providers_known(self.directory)
        return [record.as_value() for kind in kinds for record in models_of(kind)]

    @export(blocking=True)
    def get(self, model: str) -> dict[str, Any]:
        """Tell what is known of a model: ``"provider:model"``, or a name that a configured provider serves."""
        return record_of(self.directory, model).as_value()

    @export(blocking=True)
    def find(
        self,
        text: str = "",
        *,
        providers: list[str] | None = None,
        capabilities: list[str] | None = None,
        min_context: Count | None = None,
        max_input_price: Price = None,
        max_output_price: Price = None,
        deprecated: bool = False,
        limit: Count | None = None,
    ) -> list[dict[str, Any]]:
        """Find models, the cheapest first.

        Args:
            text: Part of the name.
            providers: Only these.
            capabilities: All of these: ``tools``, ``structured_output``, ``vision``, ``thinking``, ``streaming``.
            min_context: Tokens it must be able to take in.
            max_input_price: US dollars for a million tokens in. A model of unknown price does not fit.
            max_output_price: The same for tokens out.
            deprecated: Also those their provider will take away.
            limit: At most so many.
        """
        wanted = Wanted(
            providers=tuple(providers or ()),
            capabilities=frozenset(capabilities or ()),
            min_context=min_context,
            max_input_price=max_input_price,
            max_output_price=max_output_price,
            text=text,
            deprecated=deprecated,
        )
        return [record.as_value() for record in find(self.directory, wanted)[:limit]]

    @export(blocking=True)
    def providers(self) -> list[dict[str, Any]]:
        """List the providers whose models are known: ``{provider, title, models, configured}``."""
        configured = self.directory.configured()
        return [
            {
                "provider": kind.name,
                "title": kind.title,
                "models": sum(1 for _ in models_of(kind)),
                "configured": kind.name in configured,
            }
            for kind in providers_known(self.directory)
        ]

    @export(blocking=True)
    def estimate_cost(
        self, model: str, *, text: str | None = None, input_tokens: Count | None = None, output_tokens: Count = 0
    ) -> dict[str, Any]:
        """Estimate what a question costs.

        Args:
            model: ``"provider:model"``.
            text: The prompt; its tokens are estimated.
            input_tokens: Tokens of the prompt, where they are known.
            output_tokens: Tokens of the answer.

        Returns:
            ``{cost, known, currency, input_tokens, output_tokens, estimated, model}``; ``cost`` is null if the price is
            not known.
        """
        counted = input_tokens if input_tokens is not None else estimate(text or "")
        cost = estimate_cost(self.directory, model, counted, output_tokens)
        return {
            "cost": cost,
            "known": cost is not None,
            "currency": "USD",
            "input_tokens": counted,
            "output_tokens": output_tokens,
            "estimated": input_tokens is None,
            "model": model,
        }
