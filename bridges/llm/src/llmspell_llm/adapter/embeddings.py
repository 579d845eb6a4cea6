"""Texts as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmspell_llm.adapter.build import openai_client
from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.failures import translated
from llmspell_llm.adapter.patience import in_time
from llmspell_llm.adapter.translate import priced
from llmspell_llm.conversation import Usage, estimate
from llmspell_llm.errors import BadAnswerError, RequestRejectedError

_OPENAI = ("openai", "openai-responses", "compatible", "llama.cpp", "ollama")


async def embed(connection: Connection, texts: Sequence[str], client: Any) -> tuple[list[list[float]], Usage]:
    """Return a vector for each text, and what it took.

    Raises:
        ModelError: The provider has no embeddings, or the request failed.
    """
    model = _model(connection, client)
    result = await in_time(None, connection, model.embed(list(texts), input_type="document"))
    with translated(connection):
        vectors = [[float(number) for number in vector] for vector in result.embeddings]
    if len(vectors) != len(texts):
        raise BadAnswerError(f"{connection.name} gave {len(vectors)} vectors for {len(texts)} texts")
    counted = result.usage.input_tokens
    usage = Usage(counted or sum(estimate(text) for text in texts), 0, requests=1, estimated=not counted)
    return vectors, priced(usage, connection)


def _model(connection: Connection, client: Any) -> Any:
    endpoint = connection.endpoint
    if endpoint.dialect in _OPENAI:
        from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
        from pydantic_ai.providers.openai import OpenAIProvider

        provider = OpenAIProvider(openai_client=openai_client(endpoint, client))
        return OpenAIEmbeddingModel(connection.model, provider=provider)
    if endpoint.dialect in ("google", "vertex"):
        from pydantic_ai.embeddings.google import GoogleEmbeddingModel

        return GoogleEmbeddingModel(connection.model, provider=connection.handle.provider)
    raise RequestRejectedError(
        f"provider {connection.provider.name!r} has no embeddings",
        provider=connection.provider.name,
        hint="name another with the option model, e.g. openai:text-embedding-3-small or local",
    )
