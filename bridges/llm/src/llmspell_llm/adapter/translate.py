"""Our messages, settings and constraints as pydantic-ai's, and its answers as ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic_ai import messages as theirs
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.conversation import Answer, Image, Message, Settings, Usage, estimate
from llmspell_llm.errors import RequestRejectedError
from llmspell_llm.prices import cost_of
from llmspell_llm.structured import Constraint

ANSWER_TOOL = "answer"
_SETTINGS = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "stop": "stop_sequences",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "timeout": "request_timeout",
}


def check_pictures(messages: Sequence[Message], connection: Connection) -> None:
    """Make sure that a model takes the pictures it is given.

    Raises:
        RequestRejectedError: It takes none.
    """
    if any(message.images for message in messages) and not connection.handle.profile.get("supports_image_input", True):
        raise RequestRejectedError(
            f"{connection.name} takes no pictures",
            provider=connection.provider.name,
            model=connection.model,
            hint="ask one that does: modelinfo.find with capabilities = {'vision'}",
        )


def messages_for(messages: Sequence[Message]) -> list[theirs.ModelMessage]:
    """Return a conversation as pydantic-ai takes it."""
    out: list[theirs.ModelMessage] = []
    parts: list[theirs.ModelRequestPart] = []
    for message in messages:
        if message.role == "assistant":
            if parts:
                out.append(theirs.ModelRequest(parts=parts))
                parts = []
            out.append(theirs.ModelResponse(parts=[theirs.TextPart(content=message.content)]))
        elif message.role == "system":
            parts.append(theirs.SystemPromptPart(content=message.content))
        else:
            parts.append(theirs.UserPromptPart(content=_content(message)))
    if parts:
        out.append(theirs.ModelRequest(parts=parts))
    return out


def _content(message: Message) -> str | list[Any]:
    if not message.images:
        return message.content
    return [message.content, *(_image(image) for image in message.images)]


def _image(image: Image) -> Any:
    if image.url:
        return theirs.ImageUrl(url=image.url)
    return theirs.BinaryContent(data=image.data, media_type=image.media_type)


def settings_for(settings: Settings, connection: Connection) -> tuple[ModelSettings, tuple[str, ...]]:
    """Return the settings as pydantic-ai takes them, and the names of those this model does not know."""
    unknown: frozenset[str] = getattr(connection.handle, "unsupported_settings", frozenset())
    out: dict[str, Any] = {}
    if connection.endpoint.dialect == "made" and "max_retries" not in unknown:
        # The clients that we make send nothing again by themselves; to say so again would copy them for each request.
        out["max_retries"] = 0
    ignored = []
    for name, key in _SETTINGS.items():
        value = getattr(settings, name)
        if value is None or value == ():
            continue
        if key in unknown:
            ignored.append(name)
        else:
            out[key] = list(value) if isinstance(value, tuple) else value
    return ModelSettings(**out), tuple(ignored)  # type: ignore[typeddict-item]


def constrain(
    constraint: Constraint | None,
    connection: Connection,
    messages: Sequence[Message],
    settings: ModelSettings,
    *,
    tools: bool = False,
) -> tuple[Sequence[Message], ModelSettings, ModelRequestParameters]:
    """Say a constraint in the strongest way a model understands.

    A grammar where llama.cpp serves and there are no ``tools`` beside, else a schema the provider enforces, else a
    tool the model must call, else words in the prompt.
    """
    if constraint is None:
        return messages, settings, ModelRequestParameters()
    if connection.endpoint.dialect == "llama.cpp" and constraint.grammar is not None and not tools:
        settings = {**settings, "extra_body": {"grammar": constraint.grammar}}
        return messages, settings, ModelRequestParameters()
    profile = connection.handle.profile
    if profile.get("supports_json_schema_output", False):
        shape = OutputObjectDefinition(json_schema=constraint.json_schema, name=ANSWER_TOOL)
        return messages, settings, ModelRequestParameters(output_mode="native", output_object=shape)
    if profile.get("supports_tools", True):
        tool = ToolDefinition(
            name=ANSWER_TOOL,
            description="Give the answer in this shape.",
            parameters_json_schema=constraint.json_schema,
            kind="output",
        )
        return messages, settings, ModelRequestParameters(
            output_mode="tool", output_tools=[tool], allow_text_output=False
        )  # fmt: skip
    asked = [*messages[:-1], _asking(messages[-1], constraint.instruction)] if messages else messages
    return asked, settings, ModelRequestParameters()


def _asking(message: Message, instruction: str) -> Message:
    return Message(message.role, f"{message.content}\n\n{instruction}", message.images)


def answer_from(
    response: theirs.ModelResponse, connection: Connection, asked: Callable[[], str], ignored: tuple[str, ...]
) -> Answer:
    """Return a response as an answer, with its usage and price; ``asked`` gives the prompt, if it must be measured."""
    text = _text_of(response)
    answered = connection.that_answered(response.provider_details)
    return Answer(
        text=text,
        model=answered.model,
        provider=answered.provider.name,
        usage=usage_from(response.usage, answered, asked, text),
        finish_reason=response.finish_reason or "stop",
        ignored=ignored,
    )


def _text_of(response: theirs.ModelResponse) -> str:
    for part in response.parts:
        if isinstance(part, theirs.ToolCallPart) and part.tool_name == ANSWER_TOOL:
            return part.args if isinstance(part.args, str) else json.dumps(part.args or {}, ensure_ascii=False)
    return "".join(part.content for part in response.parts if isinstance(part, theirs.TextPart))


def text_of(messages: Sequence[Message]) -> str:
    """Return all that messages say."""
    return "".join(message.content for message in messages)


MOST_TOKENS = 10**9
"""No request takes more; a provider that says so is not believed."""


def usage_from(counted: Any, connection: Connection, asked: Callable[[], str], text: str) -> Usage:
    """Return what a request took: as the provider counted, or estimated where it did not count."""
    claims = (counted.input_tokens, counted.output_tokens, counted.cache_read_tokens)
    if counted.unmeasured_requests or not any(claims[:2]) or not all(0 <= each <= MOST_TOKENS for each in claims):
        usage = Usage(
            input_tokens=estimate(asked()),
            output_tokens=estimate(text),
            requests=1,
            estimated=True,
        )
    else:
        usage = Usage(
            input_tokens=counted.input_tokens,
            output_tokens=counted.output_tokens,
            requests=1,
            cached_tokens=counted.cache_read_tokens,
        )
    return priced(usage, connection)


def priced(usage: Usage, connection: Connection) -> Usage:
    """Return usage with its cost."""
    provider = connection.provider
    cost = 0.0 if provider.free else cost_of(provider.prices, connection.model, usage)
    return replace(usage, cost=cost)
