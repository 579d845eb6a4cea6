"""Plain types of a conversation with a model: messages in, an answer and its usage out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from llmspell.values import Value

Role = Literal["system", "user", "assistant"]
CHARACTERS_PER_TOKEN = 4
ROLES: tuple[Role, ...] = ("system", "user", "assistant")


def estimate(text: str) -> int:
    """Return about how many tokens a text has, for want of a count: a quarter of its characters, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a message: a URL, or the bytes and their media type."""

    url: str = ""
    data: bytes = b""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model should answer. None means the provider's own default.

    Attributes:
        temperature: 0 for the most likely answer, higher for more variety.
        max_tokens: Longest answer.
        top_p: Share of the probability mass that is considered.
        stop: Texts that end the answer and are not part of it.
        seed: For the same answer again, where the provider supports it.
        timeout: Seconds for the whole request, retries of the same request excluded.
        retries: How often a request is sent again after a failure that may pass.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    timeout: float | None = None
    retries: int = 2


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took.

    Attributes:
        requests: Requests sent, failed ones included.
        cost: US dollars; None if the price is not known, which is not zero.
        estimated: The provider did not count; tokens were estimated from the length of the texts.

    Example:
        >>> (Usage(10, 5, 1, 0.5) + Usage(1, 1, 1, None)).cost is None
        True
    """

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost: float | None = 0.0
    cached_tokens: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.requests + other.requests,
            cost,
            self.cached_tokens + other.cached_tokens,
            self.estimated or other.estimated,
        )

    def as_value(self) -> dict[str, Value]:
        """Return what scripts see. An unknown cost is null, and ``cost_known`` says so."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.cached_tokens,
            "requests": self.requests,
            "cost": self.cost,
            "cost_known": self.cost is not None,
            "estimated": self.estimated,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        text: The answer as text.
        value: The answer as data, where a schema or choices were asked for.
        finish_reason: ``"stop"``, ``"length"`` (cut at ``max_tokens``), ``"content_filter"`` or ``"tool_call"``.
        ignored: Settings this model does not know and that were therefore left out.
        repaired: The first answer did not fit, the second did.
    """

    text: str
    model: str
    provider: str
    usage: Usage
    finish_reason: str = "stop"
    value: Any = None
    ignored: tuple[str, ...] = ()
    repaired: bool = False

    def with_value(self, value: Any, usage: Usage, *, repaired: bool = False) -> Answer:
        return replace(self, value=value, usage=usage, repaired=repaired)

    def as_value(self) -> dict[str, Value]:
        """Return what scripts see."""
        return {
            "content": self.text,
            "value": self.value,
            "model": self.model,
            "provider": self.provider,
            "finish_reason": self.finish_reason,
            "usage": self.usage.as_value(),
            "ignored": list(self.ignored),
            "repaired": self.repaired,
        }
