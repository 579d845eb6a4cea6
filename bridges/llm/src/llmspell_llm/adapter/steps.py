"""One step of an agent: a conversation with tools goes out, an answer or requests for tools come back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_ai import messages as theirs
from pydantic_ai.tools import ToolDefinition

from llmspell_llm.adapter.connection import Connection
from llmspell_llm.adapter.hearing import Gauge, Receiver, response_to
from llmspell_llm.adapter.translate import ANSWER_TOOL, answer_from, constrain, messages_for, settings_for
from llmspell_llm.conversation import Answer, Message, Settings, estimate
from llmspell_llm.structured import Constraint


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool as a model sees it."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A model asks for a tool. ``arguments`` is None where it did not write an object."""

    id: str
    name: str
    arguments: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a request for a tool."""

    request: ToolRequest
    content: Any
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What a model said: an answer, and the tools it asks for before that is final.

    Attributes:
        is_cut: Its receiver wanted no more: the answer is what it was given, and final.
    """

    answer: Answer
    requests: tuple[ToolRequest, ...]
    is_cut: bool = False


class History:
    """A conversation with tool calls in it. It can be written down and read again."""

    def __init__(self, messages: Sequence[Message] = ()) -> None:
        self._messages: list[theirs.ModelMessage] = messages_for(messages)
        self.tokens = sum(estimate(message.content) for message in messages)
        """About how long it is."""

    def say(self, message: Message) -> None:
        """Add a message of the user."""
        self._messages.extend(messages_for([message]))
        self.tokens += estimate(message.content)

    def extend(self, messages: Sequence[Message]) -> None:
        """Add messages of any role."""
        self._messages.extend(messages_for(messages))
        self.tokens += sum(estimate(message.content) for message in messages)

    def answered(self, results: Sequence[ToolResult]) -> None:
        """Add what came of the tools that were asked for."""
        parts: list[theirs.ModelRequestPart] = [
            theirs.ToolReturnPart(
                tool_name=result.request.name,
                content=result.content,
                tool_call_id=result.request.id,
                outcome="failed" if result.failed else "success",
            )
            for result in results
        ]
        self._messages.append(theirs.ModelRequest(parts=parts))
        self.tokens += sum(estimate(str(result.content)) for result in results)

    def copy(self) -> History:
        made = History()
        made._messages, made.tokens = list(self._messages), self.tokens
        return made

    def with_system(self, system: str | None) -> list[theirs.ModelMessage]:
        """Return the messages with a system prompt before them."""
        if not system:
            return list(self._messages)
        first = theirs.ModelRequest(parts=[theirs.SystemPromptPart(content=system)])
        if self._messages and isinstance(self._messages[0], theirs.ModelRequest):
            head = self._messages[0]
            return [replace(head, parts=[*first.parts, *head.parts]), *self._messages[1:]]
        return [first, *self._messages]

    def add(self, response: theirs.ModelResponse) -> None:
        """Add what the model said."""
        self._messages.append(response)
        self.tokens += estimate(response.text or "")

    def dump(self) -> list[Any]:
        """Return it as plain data."""
        data: list[Any] = theirs.ModelMessagesTypeAdapter.dump_python(self._messages, mode="json")
        return data

    @classmethod
    def load(cls, data: Sequence[Any]) -> History:
        """Return a conversation from what :meth:`dump` gave.

        Raises:
            ValueError: It is no such data.
        """
        made = cls()
        made._messages = theirs.ModelMessagesTypeAdapter.validate_python(list(data))
        made.tokens = sum(estimate(message["content"]) for message in made.plain())
        return made

    def plain(self) -> list[dict[str, Any]]:
        """Return it as scripts see it: ``{role, content}`` each, with ``tool_calls`` and results of tools."""
        out: list[dict[str, Any]] = []
        for message in self._messages:
            if isinstance(message, theirs.ModelResponse):
                calls = [_request(part) for part in message.parts if isinstance(part, theirs.ToolCallPart)]
                said: dict[str, Any] = {"role": "assistant", "content": message.text or ""}
                if calls:
                    said["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in calls]
                out.append(said)
                continue
            for part in message.parts:
                if isinstance(part, theirs.ToolReturnPart):
                    out.append({"role": "tool", "name": part.tool_name, "content": part.model_response_str()})
                elif isinstance(part, theirs.UserPromptPart | theirs.SystemPromptPart):
                    role = "user" if isinstance(part, theirs.UserPromptPart) else "system"
                    out.append({"role": role, "content": part.content if isinstance(part.content, str) else ""})
        return out

    def __len__(self) -> int:
        return len(self._messages)


async def take_step(
    connection: Connection,
    history: History,
    settings: Settings,
    *,
    system: str | None = None,
    tools: Sequence[ToolOffer] = (),
    constraint: Constraint | None = None,
    receive: Receiver | None = None,
    gauge: Gauge | None = None,
) -> Step:
    """Ask a model what to do next, and add what it says to the history.

    Args:
        connection: Which model.
        history: The conversation so far.
        settings: How it should answer.
        system: How it should behave.
        tools: What it may ask for.
        constraint: What its final answer must look like.
        receive: Draws the text as it comes, and may end it.
        gauge: Hears everything the model writes, and may break it off.

    Raises:
        ModelError: It cannot be asked. The history is then as it was.
    """
    chosen, ignored = settings_for(settings, connection)
    _, chosen, parameters = constrain(constraint, connection, (), chosen, tools=bool(tools))
    parameters = replace(
        parameters,
        function_tools=[
            ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.schema)
            for tool in tools
        ],
    )
    sent = history.with_system(system)

    def asked() -> str:
        return prompt_of(history, system, tools)

    timeout = settings.timeout
    heard = await response_to(sent, connection, chosen, parameters, timeout, asked, gauge=gauge, receive=receive)
    response = heard.response
    answer = answer_from(response, connection, asked, ignored)
    if heard.said is not None:
        assert heard.usage is not None
        history.add(replace(response, parts=[theirs.TextPart(content=heard.said)]))
        return Step(replace(answer, text=heard.said, usage=heard.usage, finish_reason="stopped"), (), is_cut=True)
    history.add(response)
    requests = tuple(
        _request(part)
        for part in response.parts
        if isinstance(part, theirs.ToolCallPart) and part.tool_name != ANSWER_TOOL
    )
    return Step(answer, requests)


def prompt_of(history: History, system: str | None, tools: Sequence[ToolOffer]) -> str:
    """Return all that a model reads in one step, to be measured."""
    said = [str(message.get("content", "")) for message in history.plain()]
    offered = [f"{tool.name}{tool.description}{json.dumps(tool.schema)}" for tool in tools]
    return "".join([system or "", *said, *offered])


def _request(part: theirs.ToolCallPart) -> ToolRequest:
    try:
        arguments = part.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError):
        arguments = None
    return ToolRequest(part.tool_call_id, part.tool_name, arguments)
