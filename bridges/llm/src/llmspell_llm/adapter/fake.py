"""``FakeModel`` of ``llmspell.testing`` as a pydantic-ai model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic_ai import exceptions, messages
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from llmspell.testing.fake_model import FakeFailure, FakeModel, FakeReply, FakeToolCall

_FINISH = {"tool_calls": "tool_call"}
_CATEGORIES: dict[int, Any] = {
    400: exceptions.ModelRequestRejectedError,
    401: exceptions.ModelAuthenticationError,
    402: exceptions.ModelQuotaExceededError,
    403: exceptions.ModelAuthenticationError,
    404: exceptions.ModelNotFoundError,
    422: exceptions.ModelRequestRejectedError,
    429: exceptions.ModelRateLimitError,
    503: exceptions.ModelUnavailableError,
}


class FakeAdapter(Model[Any]):
    """A pydantic-ai model over a :class:`~llmspell.testing.FakeModel`."""

    def __init__(self, fake: FakeModel, name: str) -> None:
        self._fake = fake
        self._name = name
        super().__init__(profile=ModelProfile(supports_json_schema_output=True, supports_json_object_output=True))

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def system(self) -> str:
        return "fake"

    async def request(
        self,
        messages: list[messages.ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> messages.ModelResponse:
        model_settings, parameters = self.prepare_request(model_settings, model_request_parameters)
        try:
            reply = await self._fake.complete(
                plain(messages, parameters), tools=_tools(parameters), **_options(model_settings, parameters)
            )
        except FakeFailure as failure:
            raise _failure(failure, self._name) from failure
        return response_of(reply, self._name)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[messages.ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncIterator[StreamedResponse]:
        model_settings, parameters = self.prepare_request(model_settings, model_request_parameters)
        items = self._fake.stream(
            plain(messages, parameters), tools=_tools(parameters), **_options(model_settings, parameters)
        )
        # As real providers do, fail before the stream is handed over if it does not even begin.
        try:
            first = await anext(items, None)
        except FakeFailure as failure:
            raise _failure(failure, self._name) from failure
        yield _FakeStream(model_request_parameters=parameters, _name=self._name, _first=first, _items=items)


@dataclass
class _FakeStream(StreamedResponse):
    _name: str
    _first: str | FakeToolCall | FakeReply | None
    _items: AsyncIterator[str | FakeToolCall | FakeReply]
    _at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        # Until the reply at the end says what was used, nothing is known of it.
        self._usage.unmeasured_requests = 1

    async def _get_event_iterator(self) -> AsyncIterator[messages.ModelResponseStreamEvent]:
        try:
            for event in self._events(self._first) if self._first is not None else ():
                yield event
            async for item in self._items:
                for event in self._events(item):
                    yield event
        except FakeFailure as failure:
            raise _failure(failure, self._name) from failure

    def _events(self, item: str | FakeToolCall | FakeReply) -> list[messages.ModelResponseStreamEvent]:
        if isinstance(item, str):
            return list(self._parts_manager.handle_text_delta(vendor_part_id="content", content=item))
        if isinstance(item, FakeToolCall):
            return list(
                self._parts_manager.handle_tool_call_delta_events(
                    vendor_part_id=item.id,
                    tool_name=item.name,
                    args=json.dumps(dict(item.arguments)),
                    tool_call_id=item.id,
                )
            )
        self._usage = _usage(item)
        self.finish_reason = _finish(item)
        return []

    async def close_stream(self) -> None:
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def provider_name(self) -> str:
        return "fake"

    @property
    def provider_url(self) -> None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self._at


def plain(conversation: list[messages.ModelMessage], parameters: ModelRequestParameters) -> list[dict[str, Any]]:
    """Return a conversation as the fake model takes it: messages with ``role`` and ``content``."""
    out: list[dict[str, Any]] = [
        {"role": "system", "content": part.content} for part in parameters.instruction_parts or ()
    ]
    for message in conversation:
        if isinstance(message, messages.ModelRequest):
            if message.instructions and not parameters.instruction_parts:
                out.append({"role": "system", "content": message.instructions})
            out.extend(_plain_part(part) for part in message.parts)
        else:
            calls = [
                {"id": part.tool_call_id, "name": part.tool_name, "arguments": part.args_as_dict()}
                for part in message.parts
                if isinstance(part, messages.ToolCallPart)
            ]
            said: dict[str, Any] = {"role": "assistant", "content": message.text or ""}
            out.append({**said, "tool_calls": calls} if calls else said)
    return out


def _plain_part(part: Any) -> dict[str, Any]:
    if isinstance(part, messages.SystemPromptPart):
        return {"role": "system", "content": part.content}
    if isinstance(part, messages.UserPromptPart):
        content = part.content
        if isinstance(content, str):
            return {"role": "user", "content": content}
        texts = [item for item in content if isinstance(item, str)]
        return {"role": "user", "content": "\n".join(texts), "attachments": len(content) - len(texts)}
    if isinstance(part, messages.ToolReturnPart):
        return {"role": "tool", "name": part.tool_name, "id": part.tool_call_id, "content": part.model_response_str()}
    return {"role": "user", "content": str(getattr(part, "content", ""))}


def response_of(reply: FakeReply, name: str) -> messages.ModelResponse:
    """Return a fake's reply as pydantic-ai's response."""
    parts: list[messages.ModelResponsePart] = [messages.TextPart(content=reply.text)] if reply.text else []
    parts.extend(
        messages.ToolCallPart(tool_name=call.name, args=dict(call.arguments), tool_call_id=call.id)
        for call in reply.tool_calls
    )
    return messages.ModelResponse(
        parts=parts, usage=_usage(reply), model_name=name, provider_name="fake", finish_reason=_finish(reply)
    )


def _usage(reply: FakeReply) -> RequestUsage:
    return RequestUsage(input_tokens=reply.input_tokens or 0, output_tokens=reply.output_tokens or 0)


def _finish(reply: FakeReply) -> Any:
    return _FINISH.get(reply.finish_reason, reply.finish_reason or "stop")


def _tools(parameters: ModelRequestParameters) -> list[dict[str, Any]]:
    return [
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters_json_schema}
        for tool in (*parameters.function_tools, *parameters.output_tools)
    ]


def _options(settings: ModelSettings | None, parameters: ModelRequestParameters) -> dict[str, Any]:
    options = {name: value for name, value in (settings or {}).items() if name != "max_retries"}
    if parameters.output_object is not None:
        options["schema"] = parameters.output_object.json_schema
    return options


def _failure(failure: FakeFailure, name: str) -> exceptions.ModelAPIError:
    if not failure.status:
        return exceptions.ModelConnectionError(name, failure.message, phase="read")
    return exceptions.ModelHTTPError.for_category(
        _CATEGORIES.get(failure.status, exceptions.ModelServerError if failure.status >= 500 else None),
        status_code=failure.status,
        model_name=name,
        body={"message": failure.message},
        retry_after=failure.retry_after,
    )
