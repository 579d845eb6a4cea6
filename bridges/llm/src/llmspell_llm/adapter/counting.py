"""Tokens of a text as the provider itself counts them, where it does. Costs nothing."""

from __future__ import annotations

from pydantic_ai import messages as theirs
from pydantic_ai.models import ModelRequestParameters

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.patience import in_time
from llmspell_llm.errors import ModelUnknownError

_SECONDS = 30.0


async def count_tokens(connection: Connection, text: str) -> int | None:
    """Return how many tokens a text has as a question, or None if the provider does not count.

    Raises:
        ModelError: It counts, but could not be asked.
    """
    try:
        match connection.endpoint.dialect:
            case "google" | "vertex":
                asked: list[theirs.ModelMessage] = [theirs.ModelRequest.user_text_prompt(text)]
                counting = connection.handle.count_tokens(asked, None, ModelRequestParameters())
                return int((await in_time(_SECONDS, connection, counting)).input_tokens)
            case "anthropic":
                counting = connection.handle.client.messages.count_tokens(
                    model=connection.model, messages=[{"role": "user", "content": text}]
                )
                return int((await in_time(_SECONDS, connection, counting)).input_tokens)
            case "openai" | "openai-responses":
                counting = connection.handle.client.responses.input_tokens.count(model=connection.model, input=text)
                return int((await in_time(_SECONDS, connection, counting)).input_tokens)
            case _:
                return None
    except ModelUnknownError:  # not found: it is a server that speaks the dialect but does not count
        return None
