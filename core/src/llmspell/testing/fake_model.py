"""``FakeModel``: a language model that says what a test told it to."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from llmspell.errors import UsageError


@dataclass(frozen=True, slots=True)
class FakeToolCall:
    """The model asks for a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


class FakeFailure(Exception):
    """A provider's failure, as a test scripts it; an adapter turns it into its library's own error.

    Attributes:
        status: HTTP status, or 0 for a connection that broke.
        retry_after: Seconds of a ``Retry-After`` header, or None.
    """

    def __init__(
        self, message: str = "the model failed", *, status: int = 500, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FakeReply:
    """One answer.

    Attributes:
        text: What the model says.
        tool_calls: Tools it asks for, before any text is final.
        chunks: How a stream cuts the text; by default at blanks.
        cut_after: A stream breaks with ``failure`` (or a broken connection) after so many chunks.
        failure: Raised instead of answering.
        before: Awaited before anything is said; a test holds the model back with it.
        input_tokens, output_tokens: Usage; None counts words.
        finish_reason: ``"stop"``, ``"length"``, ``"tool_calls"``, ...
    """

    text: str = ""
    tool_calls: tuple[FakeToolCall, ...] = ()
    chunks: tuple[str, ...] | None = None
    cut_after: int | None = None
    failure: Exception | None = None
    before: Callable[[], Awaitable[object]] | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str = ""

    def pieces(self) -> tuple[str, ...]:
        """Return the text as a stream says it."""
        if self.chunks is not None:
            return self.chunks
        return tuple(re.findall(r"\S+\s*|\s+", self.text))


@dataclass(frozen=True, slots=True)
class FakeRequest:
    """What the model was asked.

    Attributes:
        messages: Each with ``role`` and ``content`` at least.
        tools: Descriptions of tools it may ask for.
        options: ``temperature``, ``max_tokens``, ``choices``, ``schema`` and the like.
        streamed: It was asked to stream.
    """

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    streamed: bool = False

    @property
    def prompt(self) -> str:
        """The last message of the user, as text."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                content = message.get("content", "")
                return content if isinstance(content, str) else str(content)
        return ""


Answer: TypeAlias = "str | FakeReply | Exception | Callable[[FakeRequest], str | FakeReply]"


class FakeModel:
    """Answer by pattern first, then in order, then by default. Safe to ask from any thread.

    Every request is kept in ``requests``, for a test to look at.

    Args:
        replies: Answers in the order they are given out: texts, :class:`FakeReply`, exceptions to raise, or functions
            of the request.
        default: Given when nothing else fits; without it that is an error.
        name: What usage and records call the model.

    Example:
        >>> import asyncio
        >>> model = FakeModel(["Hello!"]).on(r"capital of France", "Paris")
        >>> ask = lambda text: asyncio.run(model.complete([{"role": "user", "content": text}])).text
        >>> ask("What is the capital of France?"), ask("Hi"), len(model.requests)
        ('Paris', 'Hello!', 2)
    """

    def __init__(self, replies: Iterable[Answer] = (), *, default: Answer | None = None, name: str = "fake") -> None:
        self.name = name
        self.requests: list[FakeRequest] = []
        self._replies: list[Answer] = list(replies)
        self._patterns: list[tuple[re.Pattern[str], list[Answer]]] = []
        self._default = default
        self._lock = threading.Lock()

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> FakeModel:
        """Make one of plain data, as a configuration file holds it.

        Args:
            settings: ``replies`` (a list) and ``patterns`` (by regular expression), each a text or a table with
                ``text``, ``chunks``, ``tool_calls``, ``error`` (a message), ``status``, ``retry_after`` and
                ``cut_after``; ``default``; ``name``.

        Raises:
            UsageError: A reply has an unknown key.
        """
        default = settings.get("default")
        model = cls(
            [_answer(each) for each in settings.get("replies", ())],
            default=None if default is None else _answer(default),
            name=str(settings.get("name", "fake")),
        )
        for pattern, reply in settings.get("patterns", {}).items():
            model.on(pattern, _answer(reply))
        return model

    def on(self, pattern: str, *answers: Answer) -> FakeModel:
        """Answer a prompt that ``pattern`` is found in; several answers are given in turn, the last one for good."""
        if not answers:
            raise UsageError(f"no answer is given for the pattern {pattern!r}")
        self._patterns.append((re.compile(pattern, re.IGNORECASE | re.DOTALL), list(answers)))
        return self

    def say(self, *answers: Answer) -> FakeModel:
        """Add answers to the end of those given in order."""
        with self._lock:
            self._replies.extend(answers)
        return self

    @property
    def remaining(self) -> int:
        """How many of the answers in order are left."""
        return len(self._replies)

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[Any] = (), **options: Any
    ) -> FakeReply:
        """Answer a conversation.

        Returns:
            The reply with usage and finish reason filled in.

        Raises:
            Exception: What the answer says to raise.
            UsageError: There is no answer left.
        """
        reply = await self._answer(FakeRequest(tuple(messages), tuple(tools), options))
        if reply.failure is not None:
            raise reply.failure
        return reply

    async def stream(
        self, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[Any] = (), **options: Any
    ) -> AsyncIterator[str | FakeToolCall | FakeReply]:
        """Answer a conversation piece by piece: texts, then tool calls, at last the whole reply with its usage.

        Raises:
            Exception: As :meth:`complete`, at the start or where the answer says the stream breaks.
        """
        reply = await self._answer(FakeRequest(tuple(messages), tuple(tools), options, streamed=True))
        if reply.failure is not None and reply.cut_after is None:
            raise reply.failure
        for index, piece in enumerate(reply.pieces()):
            if index == reply.cut_after:
                raise reply.failure or FakeFailure("the connection broke", status=0)
            yield piece
            await asyncio.sleep(0)
        if reply.cut_after is not None:
            raise reply.failure or FakeFailure("the connection broke", status=0)
        for call in reply.tool_calls:
            yield call
        yield reply

    async def _answer(self, request: FakeRequest) -> FakeReply:
        answer = self._choose(request)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            answer = FakeReply(failure=answer)
        reply = FakeReply(answer) if isinstance(answer, str) else answer
        if reply.before is not None:
            await reply.before()
        return _complete(reply, request)

    def _choose(self, request: FakeRequest) -> Answer:
        with self._lock:
            self.requests.append(request)
            for pattern, answers in self._patterns:
                if pattern.search(request.prompt):
                    return answers.pop(0) if len(answers) > 1 else answers[0]
            if self._replies:
                return self._replies.pop(0)
        if self._default is not None:
            return self._default
        raise UsageError(
            f"the fake model has no answer left for {request.prompt[:80]!r} (request {len(self.requests)})",
            hint="give it more replies, a pattern or a default",
        )


def _complete(reply: FakeReply, request: FakeRequest) -> FakeReply:
    calls = tuple(
        call if call.id else replace(call, id=f"call-{index}") for index, call in enumerate(reply.tool_calls, 1)
    )
    text = reply.text or "".join(reply.chunks or ())
    said = sum(len(str(message.get("content", "")).split()) for message in request.messages)
    return replace(
        reply,
        text=text,
        tool_calls=calls,
        input_tokens=said if reply.input_tokens is None else reply.input_tokens,
        output_tokens=len(text.split()) if reply.output_tokens is None else reply.output_tokens,
        finish_reason=reply.finish_reason or ("tool_calls" if calls else "stop"),
    )


_KEYS = frozenset({"text", "chunks", "tool_calls", "error", "status", "retry_after", "cut_after", "finish_reason"})


def _answer(said: Any) -> Answer:
    if isinstance(said, str):
        return said
    if not isinstance(said, Mapping) or not said.keys() <= _KEYS:
        raise UsageError(f"{said!r} is no reply: write a text, or a table with {', '.join(sorted(_KEYS))}")
    failure = None
    if "error" in said or "status" in said:
        failure = FakeFailure(
            str(said.get("error", "the model failed")),
            status=int(said.get("status", 500)),
            retry_after=said.get("retry_after"),
        )
    return FakeReply(
        text=str(said.get("text", "")),
        chunks=tuple(said["chunks"]) if "chunks" in said else None,
        tool_calls=tuple(
            FakeToolCall(str(call["name"]), dict(call.get("arguments", {})), str(call.get("id", "")))
            for call in said.get("tool_calls", ())
        ),
        cut_after=said.get("cut_after"),
        failure=failure,
        finish_reason=str(said.get("finish_reason", "")),
    )
