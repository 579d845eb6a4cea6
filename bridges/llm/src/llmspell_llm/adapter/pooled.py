"""A pool of models as one pydantic-ai model."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from llmspell_llm.adapter.connection import MEMBER, Connection
from llmspell_llm.adapter.failures import OurFailure, translated
from llmspell_llm.errors import ModelError

if TYPE_CHECKING:
    from llmspell_llm.pool import Member, Pool

_COMMON = ("supports_json_schema_output", "supports_json_object_output", "supports_tools", "supports_image_input")


class PooledModel(Model[Any]):
    """Asks the members of a pool as its strategy says.

    Args:
        pool: Who is asked in which order.
        members: The connection of each member by name.
    """

    def __init__(self, pool: Pool, members: Mapping[str, Connection]) -> None:
        self._pool = pool
        self._members = members
        profiles = [member.handle.profile for member in members.values()]
        common = {key: all(profile.get(key, key != _COMMON[0]) for profile in profiles) for key in _COMMON}
        super().__init__(profile=ModelProfile(**common))  # type: ignore[typeddict-item]

    @property
    def asks_one(self) -> bool:
        return self._pool.strategy not in ("race", "consensus")

    @property
    def model_name(self) -> str:
        return self._pool.name

    @property
    def system(self) -> str:
        return "pool"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        async def ask(member: Member) -> ModelResponse:
            connection = self._members[member.name]
            with translated(connection):
                response: ModelResponse = await connection.handle.request(
                    messages, model_settings, model_request_parameters
                )
            response.provider_details = {**(response.provider_details or {}), MEMBER: member.name}
            return response

        with _as_theirs(self._pool.name):
            match self._pool.strategy:
                case "race":
                    return await self._pool.race(ask)
                case "consensus":
                    return self._agreed(await self._pool.all(ask))
                case _:
                    return await self._pool.first(ask)

    def _agreed(self, answers: list[ModelResponse | ModelError]) -> ModelResponse:
        """Return the answer most members gave, with the usage of all of them.

        Raises:
            ModelError: Too few agree, or none answered.
        """
        given = [answer for answer in answers if isinstance(answer, ModelResponse)]
        if not given:
            raise next(answer for answer in answers if isinstance(answer, ModelError))
        votes = Counter(_voted(answer) for answer in given)
        winner, count = votes.most_common(1)[0]
        share = count / len(self._pool.members)
        if share < self._pool.settings.consensus_threshold:
            raise ModelError(
                f"the members of pool {self._pool.name!r} do not agree: {count} of {len(self._pool.members)} at most "
                "gave the same answer",
                provider=self._pool.name,
                details={"answers": [answer.text or "" for answer in given]},
            )
        chosen = next(answer for answer in given if _voted(answer) == winner)
        total = RequestUsage()
        for answer in given:
            total = total + answer.usage
        chosen.usage = total
        chosen.provider_details = {**(chosen.provider_details or {}), MEMBER: None, "agreeing": count}
        return chosen

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncIterator[StreamedResponse]:
        async with AsyncExitStack() as stack:

            async def begin(member: Member) -> StreamedResponse:
                connection = self._members[member.name]
                opened = connection.handle.request_stream(
                    messages, model_settings, model_request_parameters, run_context
                )
                with translated(connection):
                    stream: StreamedResponse = await stack.enter_async_context(opened)
                stream.provider_details = {**(stream.provider_details or {}), MEMBER: member.name}
                return stream

            with _as_theirs(self._pool.name):
                stream = await self._pool.first(begin)
            yield stream


def _voted(answer: ModelResponse) -> str:
    """Return what an answer says, without what does not matter to a vote."""
    return " ".join((answer.text or "").split()).strip(" \"'.!").casefold()


@contextmanager
def _as_theirs(pool: str) -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise OurFailure(pool, error) from error
