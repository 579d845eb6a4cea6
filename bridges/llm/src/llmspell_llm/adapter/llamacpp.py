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
_LONGEST_REQUEST = 512
"""Tokens a request for a tool may have where nobody said how many: a small model fills an open table for ever."""


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
        given: dict[str, Any] = {"max_tokens": _LONGEST_REQUEST, **(model_settings or {})}
        settings = cast(ModelSettings, {**given, "extra_body": {"json_schema": schema}})
        asked = _with_offer(_without_tools(messages), tools, free)
        response = await super().request(asked, settings, ModelRequestParameters())
        if response.finish_reason == "length":
            raise UnexpectedModelBehavior("what it said was cut off before its end; raise max_tokens")
        parts = _parts(response.text or "", {tool.name for tool in tools})
        if not (free and _repeats(parts, messages)):
            return replace(response, parts=parts)
        # A small model asks for what it was just told, again and again: then it is asked for its reply, without tools.
        without = replace(model_request_parameters, function_tools=[], output_tools=[])
        reply = await super().request(_with_results(messages), model_settings, without)
        return replace(reply, usage=response.usage + reply.usage)

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


def _repeats(parts: list[ModelResponsePart], messages: list[ModelMessage]) -> bool:
    """Tell whether a request for a tool was made, and answered, before in this turn."""
    asked = [_call(part) for part in parts if isinstance(part, ToolCallPart)]
    before: list[tuple[str, str]] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            before.extend(_call(part) for part in message.parts if isinstance(part, ToolCallPart))
        elif any(isinstance(part, UserPromptPart) for part in message.parts):
            before.clear()
    return any(call in before for call in asked)


def _call(part: ToolCallPart) -> tuple[str, str]:
    return part.tool_name, json.dumps(part.args_as_dict(), sort_keys=True)


def _with_results(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return a conversation in which what tools said stands with the question, and nobody asked for it."""
    out: list[ModelMessage] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            said = [part for part in message.parts if isinstance(part, TextPart) and part.content]
            if said:
                out.append(replace(message, parts=said))
            continue
        results = [part for part in message.parts if isinstance(part, ToolReturnPart)]
        rest: list[ModelRequestPart] = [part for part in message.parts if not isinstance(part, ToolReturnPart)]
        told = "\n".join(f"{part.tool_name} says: {part.model_response_str()}" for part in results)
        last = out[-1] if out else None
        if results and isinstance(last, ModelRequest):
            out[-1] = replace(last, parts=[*last.parts, UserPromptPart(content=told), *rest])
        elif results or rest:
            out.append(replace(message, parts=[*([UserPromptPart(content=told)] if told else []), *rest]))
    return out


def _parts(text: str, names: set[str]) -> list[ModelResponsePart]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnexpectedModelBehavior(f"the constrained answer is not JSON: {text[:200]!r}") from error
    if isinstance(said, dict) and isinstance(said.get("tool"), str) and said["tool"] in names:
        arguments = said.get("arguments") or {}
        # What is no object stays as it is: whoever uses the tool says so to the model.
        return [ToolCallPart(said["tool"], arguments if isinstance(arguments, dict) else json.dumps(arguments))]
    reply = said.get(_REPLY) if isinstance(said, dict) else said
    return [TextPart(content=reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False))]
