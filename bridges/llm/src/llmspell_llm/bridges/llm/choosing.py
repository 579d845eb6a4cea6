"""Which model is asked: defaults, fallbacks, comparisons, and how each provider is doing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.llm.base import LlmBase
from llmspell_llm.errors import ModelError, ModelUnknownError
from llmspell_llm.llm.listing import reachable_models
from llmspell_llm.llm.metrics import ProviderMetrics
from llmspell_llm.llm.options import (
    SETTINGS,
    MaxTokens,
    Penalty,
    Retries,
    Seed,
    Stop,
    Temperature,
    Timeout,
    TopP,
    checked,
    conversation_from,
    settings_from,
)
from llmspell_llm.modelinfo import Wanted, find, record_of
from llmspell_llm.names import snake_keys


class ChoosingExports(LlmBase):
    """The exports about providers and models."""

    @export
    async def models(self, *, provider: str | None = None) -> list[dict[str, Any]]:
        """List the models that can be asked: ``{name, provider, model, default}`` each.

        ``name`` is what the option ``model`` takes. Servers of one's own are asked what they serve; of the large
        providers the price list tells.

        Args:
            provider: Only this provider's.
        """
        return await reachable_models(self.asking, provider)

    @export
    def list_providers(self) -> list[str]:
        """Return the names of the providers that can be asked."""
        directory = self.asking.directory
        return list(dict.fromkeys([*directory.configured(), *(provider.name for provider in directory)]))

    @export
    def use_provider(self, name: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a model or provider the session's default.

        Args:
            name: ``"provider:model"``, ``"provider"``, a pool, or an alias.
            settings: Options that every question gets from now on, as ``set_defaults`` takes them.
        """
        self.asking.directory.resolve(name)
        if settings:
            self.set_defaults(settings)
        self.defaults["model"] = name
        return self.get_current_provider()

    @export
    def get_current_provider(self) -> dict[str, Any]:
        """Tell which model is asked when none is named: ``{name, provider, kind, model}``."""
        resolved = self.asking.directory.resolve(self.model(None))
        model = resolved.model or resolved.provider.default_model
        return {
            "name": resolved.provider.name if model is None else f"{resolved.provider.name}:{model}",
            "provider": resolved.provider.name,
            "kind": resolved.provider.kind,
            "model": model,
        }

    @export
    def set_defaults(self, options: dict[str, Any]) -> dict[str, Any]:
        """Set options that every question of the session gets: ``model``, ``system``, ``stop``, ...; return all."""
        options = snake_keys(options)
        known = {*SETTINGS, "model", "system"}
        if unknown := sorted(set(options) - known):
            raise ArgumentError(f"{unknown[0]!r} is no default; defaults: {', '.join(sorted(known))}")
        options = checked(options)
        for name in ("model", "system"):
            if options.get(name) is not None and not isinstance(options[name], str):
                raise ArgumentError(f"{name} should be a text", parameter="options", position=1)
        settings_from(options, {})
        if options.get("model") is not None:
            self.asking.directory.resolve(options["model"])
        self.defaults.update(options)
        return dict(self.defaults)

    @export
    def get_defaults(self) -> dict[str, Any]:
        """Return the session's defaults."""
        return dict(self.defaults)

    @export
    def reset_defaults(self) -> None:
        """Forget the session's defaults."""
        self.defaults.clear()

    @export
    def setup_fallback_chain(self, providers: list[str]) -> list[str]:
        """Say who is asked in turn by ``generate_with_fallback``."""
        if not providers:
            raise ArgumentError("a chain names at least one model", parameter="providers", position=1)
        for name in providers:
            self.asking.directory.resolve(name)
        self.fallbacks = list(providers)
        return self.fallbacks

    @export
    def get_fallback_chain(self) -> list[str]:
        """Return who is asked in turn."""
        return self.fallbacks

    @export
    async def generate_with_fallback(
        self,
        call: Call,
        prompt: str,
        *,
        system: str | None = None,
        choices: list[Any] | None = None,
        schema: Any = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = 0,
        details: bool = False,
    ) -> Any:
        """Ask the models of the fallback chain in turn until one answers; raise what the last one failed with."""
        given = locals()
        if not self.fallbacks:
            raise ModelUnknownError("there is no fallback chain", hint="set one with llm.setup_fallback_chain")
        constraint = self.constraint(choices, schema)
        conversation = conversation_from(prompt, None, self.system(system))
        failure: ModelError | None = None
        for model in self.fallbacks:
            try:
                answer = await self.ask(call, conversation, given, constraint, model)
            except ModelError as error:
                failure = error
                continue
            if details:
                return answer.as_value()
            return answer.text if constraint is None else answer.value
        assert failure is not None
        raise failure

    @export
    async def compare_providers(
        self,
        call: Call,
        prompt: str,
        providers: list[str],
        *,
        system: str | None = None,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> list[dict[str, Any]]:
        """Ask several models the same: ``{provider, success, response, error, duration, usage}`` each, in order."""
        given = locals()
        conversation = conversation_from(prompt, None, self.system(system))

        async def one(model: str) -> dict[str, Any]:
            began = time.perf_counter()
            told: dict[str, Any] = {"provider": model, "success": True, "response": None, "error": None, "usage": None}
            try:
                answer = await self.ask(call, conversation, given, model=model)
                told |= {"response": answer.text, "usage": answer.usage.as_value()}
            except ModelError as error:
                told |= {"success": False, "error": {"code": error.code, "message": error.message}}
            return {**told, "duration": time.perf_counter() - began}

        return list(await asyncio.gather(*(one(model) for model in providers)))

    @export
    def get_provider_metrics(self, name: str | None = None) -> dict[str, Any]:
        """Tell how the session's requests went, of one provider or by provider: counts, latency, usage, last error."""
        if name is None:
            return {provider: metrics.as_value() for provider, metrics in self.metrics.items()}
        return self.metrics.get(name, ProviderMetrics()).as_value()

    @export
    def reset_provider_metrics(self, name: str | None = None) -> None:
        """Forget what was counted, of one provider or of all."""
        if name is None:
            self.metrics.clear()
        else:
            self.metrics.pop(name, None)

    @export(blocking=True)
    def get_provider_capabilities(self, name: str | None = None) -> dict[str, Any]:
        """Tell what a model can do: ``{streaming, structured_output, tools, vision, ..., context_window}``."""
        record = record_of(self.asking.directory, name or self.get_current_provider()["name"])
        known = ("streaming", "structured_output", "tools", "vision", "thinking", "embeddings")
        return {
            **{ability: ability in record.capabilities for ability in known},
            "context_window": record.context_window,
        }

    @export(blocking=True)
    def model_info(self, model: str) -> dict[str, Any]:
        """Tell what is known of a model; as ``modelinfo.get``."""
        return record_of(self.asking.directory, model).as_value()

    @export(blocking=True)
    def find_model(
        self,
        *,
        providers: list[str] | None = None,
        min_context_length: int | None = None,
        supports_streaming: bool = False,
        supports_tools: bool = False,
        max_cost_per_token: float | None = None,
    ) -> list[dict[str, Any]]:
        """Find models, the cheapest first: ``{provider, model, info}`` each. ``modelinfo.find`` can do more.

        Args:
            max_cost_per_token: US dollars, in and out.
        """
        price = None if max_cost_per_token is None else max_cost_per_token * 1_000_000
        abilities = {"streaming": supports_streaming, "tools": supports_tools}
        wanted = Wanted(
            providers=tuple(providers or ()),
            capabilities=frozenset(name for name, asked in abilities.items() if asked),
            min_context=min_context_length,
            max_input_price=price,
            max_output_price=price,
        )
        found = find(self.asking.directory, wanted)
        return [{"provider": each.provider, "model": each.model, "info": each.as_value()} for each in found]
