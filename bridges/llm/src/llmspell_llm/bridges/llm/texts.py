"""Texts around questions: templates, tokens, vectors, costs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.llm.base import LlmBase
from llmspell_llm.conversation import estimate
from llmspell_llm.llm.account import Report
from llmspell_llm.llm.options import Retries
from llmspell_llm.llm.prompts import render
from llmspell_llm.llm.retrying import retrying
from llmspell_llm.modelinfo import estimate_cost
from llmspell_llm.providers import RemoteProvider, Resolved

DEFAULT_TOKENS = 100
_COUNTING = ("anthropic", "google", "vertex", "openai", "openai-responses")
"""Dialects in which a provider can be asked to count."""


class TextExports(LlmBase):
    """The exports about texts."""

    @export
    def prompt(self, template: str, values: dict[str, Any] | None = None) -> str:
        """Fill in a prompt template.

        ``{{ name }}``, ``{{ list|join(", ") }}``, ``{% if x %}...{% endif %}``, ``{% for x in list %}...{% endfor %}``:
        Jinja's syntax, less what sets variables, calls, or loads. A name that is not there is an error.
        """
        return render(template, values or {})

    @export
    async def count_tokens(self, text: str, *, model: str | None = None) -> dict[str, Any]:
        """Count the tokens of a text: ``{tokens, exact, model}``.

        ``exact`` is true where the model's own tokeniser or its provider counted; else it is an estimate, a quarter of
        the characters.
        """
        resolved = self.asking.directory.resolve(self.model(model))
        name = resolved.model or resolved.provider.default_model or ""
        counted = await resolved.provider.count_tokens(text, name)
        if counted is None and text and await _dialect_of(resolved) in _COUNTING:
            from llmspell_llm.adapter.counting import count_tokens

            counted = await count_tokens(await self.asking.connections.connect(resolved), text)
        return {
            "tokens": estimate(text) if counted is None else counted,
            "exact": counted is not None,
            "model": f"{resolved.provider.name}:{name}" if name else resolved.provider.name,
        }

    @export
    async def embed(
        self, call: Call, texts: str | list[str], *, model: str | None = None, retries: Retries = None
    ) -> Any:
        """Return a text as a vector, or several texts as vectors.

        Args:
            texts: One text or several.
            model: A model that gives vectors, e.g. ``openai:text-embedding-3-small``, ``ollama:nomic-embed-text``,
                ``local``.
        """
        from llmspell_llm.adapter.embeddings import embed

        several = [texts] if isinstance(texts, str) else texts
        if not several or not all(several):
            raise ArgumentError("texts should not be empty", parameter="texts", position=1)
        connection = await self.asking.connections.connect(
            self.asking.directory.resolve(self.model(model)), embeddings=True
        )
        account = self.account(call)
        reservation = account.reserve(sum(estimate(text) for text in several))
        vectors, usage = await retrying(
            lambda: embed(connection, several, self.asking.connections.client(connection.endpoint)),
            2 if retries is None else retries,
        )
        account.settle(Report(connection, usage, 0.0), [reservation])
        return vectors[0] if isinstance(texts, str) else vectors

    @export(blocking=True)
    def cost_estimate(
        self,
        text: str | None = None,
        *,
        model: str | None = None,
        estimated_tokens: Annotated[int, Field(ge=0)] | None = None,
        output_tokens: Annotated[int, Field(ge=0)] = DEFAULT_TOKENS,
    ) -> dict[str, Any]:
        """Estimate what a question would cost: ``{estimated_cost, known, currency, estimated_tokens, model}``.

        ``estimated_cost`` is null where the price is not known, and 0 only where a model is known to be free.

        Args:
            text: The prompt.
            estimated_tokens: Its tokens, where they are known.
            output_tokens: Tokens of the answer.
        """
        resolved = self.asking.directory.resolve(self.model(model))
        name = f"{resolved.provider.name}:{resolved.model or resolved.provider.default_model or ''}"
        tokens = estimated_tokens if estimated_tokens is not None else estimate(text or "")
        cost = 0.0 if resolved.provider.free else estimate_cost(self.asking.directory, name, tokens, output_tokens)
        return {
            "estimated_cost": cost,
            "known": cost is not None,
            "currency": "USD",
            "estimated_tokens": tokens,
            "output_tokens": output_tokens,
            "model": name,
        }


async def _dialect_of(resolved: Resolved) -> str:
    """Return how a provider that is somewhere else is spoken to, without starting one that is here."""
    if not isinstance(resolved.provider, RemoteProvider):
        return ""
    return (await resolved.provider.endpoint()).dialect
