"""The options scripts may give with a question, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from llmspell.errors import ArgumentError
from llmspell_llm.conversation import ROLES, Image, Message, Settings
from llmspell_llm.structured import Choices, Constraint, Schema, Shape

if TYPE_CHECKING:
    from llmspell.bridge.signature import Signature

Temperature = Annotated[float, Field(ge=0, le=2)] | None
MaxTokens = Annotated[int, Field(ge=1)] | None
TopP = Annotated[float, Field(gt=0, le=1)] | None
Penalty = Annotated[float, Field(ge=-2, le=2)] | None
Stop = str | list[str] | None
Seed = int | None
Timeout = Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
Retries = Annotated[int, Field(ge=0, le=10)] | None

SETTINGS = (
    "temperature", "max_tokens", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty", "timeout", "retries",
)  # fmt: skip


class _Table:
    def options(
        self,
        *,
        temperature: Temperature = None,
        max_tokens: MaxTokens = None,
        top_p: TopP = None,
        stop: Stop = None,
        seed: Seed = None,
        presence_penalty: Penalty = None,
        frequency_penalty: Penalty = None,
        timeout: Timeout = None,
        retries: Retries = None,
    ) -> None:
        """What a table of options may hold, as the exports that take them one by one have it."""


@lru_cache(maxsize=1)
def _table() -> Signature:
    from llmspell.bridge.signature import Signature

    return Signature("options", _Table.options)


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of options with its settings checked, as no signature has.

    Raises:
        ArgumentError: A setting is not what it should be.
    """
    given = {name: options[name] for name in SETTINGS if options.get(name) is not None}
    bound = _table().bind_named(given)[1]
    return {**options, **{name: bound[name] for name in given}}


def settings_from(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Settings:
    """Return settings: what was given, else the session's defaults, else the provider's.

    Args:
        given: Options by name; others than :data:`SETTINGS` are left alone.
        defaults: Used where ``given`` holds nothing.
    """
    chosen: dict[str, Any] = {}
    for name in SETTINGS:
        value = given.get(name)
        if value is None:
            value = defaults.get(name)
        if value is not None:
            chosen[name] = value
    stop = chosen.get("stop")
    if stop is not None:
        texts = [stop] if isinstance(stop, str) else list(stop)
        if not all(texts):
            raise ArgumentError("option 'stop' holds an empty text", parameter="stop")
        chosen["stop"] = tuple(texts)
    return Settings(**chosen)


def as_options(settings: Settings) -> dict[str, Any]:
    """Return settings as the options that :func:`settings_from` makes them of."""
    given = {name: getattr(settings, name) for name in SETTINGS}
    return {**given, "stop": list(settings.stop) or None}


def constraint_from(choices: Sequence[Any] | None, schema: Mapping[str, Any] | None) -> Constraint | None:
    """Return what the answer must look like, or None.

    Raises:
        ArgumentError: Both were given.
        SchemaError: One of them makes no sense.
    """
    if choices is not None and schema is not None:
        raise ArgumentError("options 'choices' and 'schema' exclude each other", parameter="choices")
    if choices is not None:
        return Choices(choices)
    return Shape(Schema(schema)) if schema is not None else None


def conversation_from(
    prompt: str, messages: Sequence[Mapping[str, Any]] | None, system: str | None, images: Sequence[Any] | None = None
) -> list[Message]:
    """Return the conversation that a prompt or messages make.

    Raises:
        ArgumentError: Neither or both were given, or a message is not one.
    """
    if messages is not None and prompt:
        raise ArgumentError("give a prompt or messages, not both", parameter="messages")
    if messages is None and not prompt.strip():
        raise ArgumentError("prompt is empty: what should the model be asked?", parameter="prompt", position=1)
    conversation = [Message("system", system)] if system else []
    if messages is not None:
        if not messages:
            raise ArgumentError("messages is empty", parameter="messages")
        conversation.extend(message_from(message, index) for index, message in enumerate(messages, 1))
        if conversation[-1].role != "user":
            raise ArgumentError(
                f"the last message should be the user's, not the {conversation[-1].role}'s", parameter="messages"
            )
        return conversation
    conversation.append(Message("user", prompt, tuple(image_from(image) for image in images or ())))
    return conversation


_MESSAGE_KEYS = {"role", "content", "images", "model", "provider", "finish_reason", "usage"}
"""What a message may hold: what asks, and what ``llm.chat`` returned with an answer."""


def message_from(given: Mapping[str, Any], index: int) -> Message:
    """Return one message of a script: ``{role, content, images?}``.

    Raises:
        ArgumentError: It is not one.
    """
    if not isinstance(given, Mapping):
        raise ArgumentError(f"message {index} should be a table with role and content", parameter="messages")
    role, content = given.get("role", "user"), given.get("content")
    if role not in ROLES:
        raise ArgumentError(
            f"message {index}: role should be one of {', '.join(ROLES)}, got {role!r}", parameter="messages"
        )
    if not isinstance(content, str):
        raise ArgumentError(f"message {index}: content should be a text", parameter="messages")
    if unknown := set(given) - _MESSAGE_KEYS:
        raise ArgumentError(f"message {index} has no {sorted(unknown)[0]!r}", parameter="messages")
    return Message(role, content, tuple(image_from(image) for image in given.get("images") or ()))


def image_from(given: Any) -> Image:
    """Return a picture of a script: ``{url}`` or ``{data, media_type}``.

    Raises:
        ArgumentError: It is neither.
    """
    if isinstance(given, Mapping):
        if isinstance(url := given.get("url"), str) and url.startswith(("https://", "http://", "data:")):
            return Image(url=url)
        data, media_type = given.get("data"), given.get("media_type")
        if isinstance(data, bytes) and isinstance(media_type, str) and media_type.startswith("image/"):
            return Image(data=data, media_type=media_type)
    raise ArgumentError("an image is {url} or {data = bytes, media_type = 'image/...'}", parameter="images")


__all__ = [
    "SETTINGS",
    "MaxTokens",
    "Penalty",
    "Retries",
    "Seed",
    "Stop",
    "Temperature",
    "Timeout",
    "TopP",
    "as_options",
    "checked",
    "constraint_from",
    "conversation_from",
    "image_from",
    "message_from",
    "settings_from",
]
