"""llama.cpp's server, with tools for models whose templates know none.

The prompt says what tools there are and how to ask for one, and the answer is constrained to a request for one of
them or a reply, so that even a small model asks in a form that can be read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import CompletedStreamedResponse, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

_REPLY = "reply"


class LlamaCppModel(OpenAIChatModel):
    """Chat completions of llama.cpp; tools by constrained decoding."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        tools = [*model_request_parameters.function_tools, *model_request_parameters.output_tools]
        if not tools:
            return await super().request(_without_tools(messages), model_settings, model_request_parameters)
        final = model_request_parameters.output_object
        free = model_request_parameters.allow_text_output
        schema = _schema(tools, final.json_schema if final is not None else None, free)
        settings = cast(ModelSettings, {**(model_settings or {}), "extra_body": {"json_schema": schema}})
        asked = _with_offer(_without_tools(messages), tools, free)
        response = await super().request(asked, settings, ModelRequestParameters())
        return replace(response, parts=_parts(response.text or "", {tool.name for tool in tools}))

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncIterator[StreamedResponse]:
        if model_request_parameters.function_tools or model_request_parameters.output_tools:
            # What comes is JSON until its end: only the whole of it can be told apart.
            response = await self.request(messages, model_settings, model_request_parameters)
            yield CompletedStreamedResponse(
                response, model_request_parameters=model_request_parameters, replay_events=True
            )
            return
        async with super().request_stream(
            _without_tools(messages), model_settings, model_request_parameters, run_context
        ) as stream:
            yield stream


def _schema(tools: list[ToolDefinition], final: dict[str, Any] | None, free: bool) -> dict[str, Any]:
    """Return the schema of what the model may say: a request for a tool, or its reply."""
    ways: list[dict[str, Any]] = [
        {
            "type": "object",
            "properties": {"tool": {"const": tool.name}, "arguments": tool.parameters_json_schema},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    if free:
        reply = final if final is not None else {"type": "string"}
        ways.append(
            {
                "type": "object",
                "properties": {_REPLY: reply},
                "required": [_REPLY],
                "additionalProperties": False,
            }
        )
    return ways[0] if len(ways) == 1 else {"anyOf": ways}


def _with_offer(messages: list[ModelMessage], tools: list[ToolDefinition], free: bool) -> list[ModelMessage]:
    lines = ["You can use these tools:"]
    for tool in tools:
        names = ", ".join(tool.parameters_json_schema.get("properties", {}))
        lines.append(f"- {tool.name}({names}): {tool.description or ''}".rstrip())
    lines.append('To use one, answer {"tool": NAME, "arguments": {...}}.')
    if free:
        lines.append('To reply, answer {"reply": ...}. Once you know the result of a tool, reply.')
    offer = SystemPromptPart(content="\n".join(lines))
    if messages and isinstance(messages[0], ModelRequest):
        first = messages[0]
        system = [part for part in first.parts if isinstance(part, SystemPromptPart)]
        rest = [part for part in first.parts if not isinstance(part, SystemPromptPart)]
        joined = SystemPromptPart(content="\n\n".join(part.content for part in [*system, offer]))
        return [replace(first, parts=[joined, *rest]), *messages[1:]]
    return [ModelRequest(parts=[offer]), *messages]


def _without_tools(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return a conversation in which requests and results of tools are plain texts."""
    out: list[ModelMessage] = []
    for message in messages:
        if isinstance(message, ModelRequest):
            parts: list[ModelRequestPart] = [
                UserPromptPart(content=f"The result of {part.tool_name}: {part.model_response_str()}")
                if isinstance(part, ToolReturnPart)
                else part
                for part in message.parts
            ]
            out.append(replace(message, parts=parts))
        else:
            said: list[ModelResponsePart] = [
                TextPart(content=json.dumps({"tool": part.tool_name, "arguments": part.args_as_dict()}))
                if isinstance(part, ToolCallPart)
                else part
                for part in message.parts
            ]
            out.append(replace(message, parts=said))
    return out


def _parts(text: str, names: set[str]) -> list[ModelResponsePart]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise UnexpectedModelBehavior(f"the constrained answer is not JSON: {text[:200]!r}") from error
    if isinstance(said, dict) and said.get("tool") in names:
        return [ToolCallPart(tool_name=said["tool"], args=said.get("arguments") or {})]
    reply = said.get(_REPLY) if isinstance(said, dict) else said
    return [TextPart(content=reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False))]
