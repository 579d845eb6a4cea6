"""What the parts of the ``llm`` bridge share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmspell.plugin import Bridge, BridgeContext, Call
from llmspell_llm.bridges.modelinfo import ModelInfoBridge
from llmspell_llm.bridges.structured import StructuredBridge
from llmspell_llm.conversation import Answer, Message, Usage
from llmspell_llm.llm.asking import Asking
from llmspell_llm.llm.metrics import ProviderMetrics
from llmspell_llm.llm.options import constraint_from, settings_from
from llmspell_llm.llm.paying import RunAccount
from llmspell_llm.llm.pictures import with_pictures
from llmspell_llm.llm.streaming import AnswerStream, SaidStream
from llmspell_llm.neighbours import fire, hooked
from llmspell_llm.providers import Directory
from llmspell_llm.structured import Constraint, Shape


class LlmBase(Bridge):
    """Asks, with the session's defaults, and counts."""

    def __init__(self) -> None:
        self._asking: Asking | None = None
        self._structured: StructuredBridge | None = None
        self.defaults: dict[str, Any] = {}
        self.metrics: dict[str, ProviderMetrics] = {}
        self.fallbacks: list[str] = []

    async def open(self, context: BridgeContext) -> None:
        """Stand on the host's models and the session's schemas."""
        hub, structured = context.bridges["modelinfo"], context.bridges["structured"]
        assert isinstance(hub, ModelInfoBridge)
        assert isinstance(structured, StructuredBridge)
        self._asking = Asking(Directory(parent=hub.directory), hub.connections)
        self._structured = structured

    async def close(self) -> None:
        """Close the session's own providers."""
        if self._asking is not None:
            await self._asking.directory.close()

    @property
    def asking(self) -> Asking:
        """What asks; other bridges of the family stand on it."""
        assert self._asking is not None, "the bridge is not open"
        return self._asking

    @property
    def structured(self) -> StructuredBridge:
        assert self._structured is not None, "the bridge is not open"
        return self._structured

    def account(self, call: Call) -> RunAccount:
        """Return what pays for the requests of a call."""
        return RunAccount(call, self.metrics)

    def model(self, given: str | None) -> str | None:
        return given or self.defaults.get("model")

    def system(self, given: str | None) -> str | None:
        return given or self.defaults.get("system")

    def constraint(self, choices: Sequence[Any] | None, schema: Any) -> Constraint | None:
        """Return what the answer must look like; a schema may be a name, a JSON Schema or a short description."""
        if schema is None or choices is not None:
            return constraint_from(choices, schema)
        return Shape(self.structured.schema_of(schema))

    async def ask(
        self,
        call: Call,
        conversation: Sequence[Message],
        given: Mapping[str, Any],
        constraint: Constraint | None = None,
        model: str | None = None,
    ) -> Answer:
        """Ask a model with the options a script gave, as the session's hooks allow and change it."""
        conversation, said = await self._before(call, await with_pictures(call, conversation))
        if said is not None:
            answer = Answer(said, "hook", "hook", Usage())
        else:
            answer = await self.asking.complete(
                conversation,
                settings_from(given, self.defaults),
                model=self.model(model),
                constraint=constraint,
                account=self.account(call),
            )
        return await self._after(call, conversation, answer)

    async def begin(
        self, call: Call, conversation: Sequence[Message], given: Mapping[str, Any], model: str | None = None
    ) -> AnswerStream:
        """Begin an answer that arrives piece by piece, as the session's hooks allow and change the question."""
        conversation, said = await self._before(call, await with_pictures(call, conversation))
        if said is not None:
            return SaidStream(Answer(said, "hook", "hook", Usage()))
        return await self.asking.stream(
            conversation,
            settings_from(given, self.defaults),
            model=self.model(model),
            account=self.account(call),
        )

    async def finish(self, call: Call, stream: AnswerStream) -> Answer:
        """Return the whole of an answer that has arrived, as the session's hooks change it."""
        assert stream.answer is not None
        return await self._after(call, stream.messages, stream.answer)

    async def _before(self, call: Call, conversation: Sequence[Message]) -> tuple[Sequence[Message], str | None]:
        """Let hooks change the prompt, or answer in the model's place (``skip_generation`` and ``response``)."""
        if not hooked(call, "before_generate"):
            return conversation, None
        messages = [{"role": message.role, "content": message.content} for message in conversation]
        context = {"prompt": conversation[-1].content, "messages": messages, "metadata": {}}
        changed = await fire(call, "before_generate", context)
        if changed.get("skip_generation"):
            return conversation, str(changed.get("response", ""))
        prompt = changed.get("prompt")
        if isinstance(prompt, str) and prompt != conversation[-1].content:
            conversation = [*conversation[:-1], replace(conversation[-1], content=prompt)]
        return conversation, None

    async def _after(self, call: Call, conversation: Sequence[Message], answer: Answer) -> Answer:
        """Let hooks change the answer's text."""
        if not hooked(call, "after_generate"):
            return answer
        prompt = conversation[-1].content if conversation else ""
        context = {"prompt": prompt, "response": answer.text, "metadata": {"model": answer.model}}
        response = (await fire(call, "after_generate", context)).get("response")
        return replace(answer, text=response) if isinstance(response, str) else answer


def message_of(answer: Answer) -> dict[str, Any]:
    """Return an answer as a message that can be appended to a conversation."""
    return {
        "role": "assistant",
        "content": answer.text,
        "model": answer.model,
        "provider": answer.provider,
        "finish_reason": answer.finish_reason,
        "usage": answer.usage.as_value(),
    }
