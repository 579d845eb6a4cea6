"""pydantic-ai's exceptions as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from pydantic_ai import exceptions as theirs

from llmspell.errors import BridgeError, LlmspellError
from llmspell_llm import errors as ours
from llmspell_llm.adapter.connection import Connection

_LONGEST = 500
_LLAMA_TOO_LONG = "exceed_context_size_error"


class OurFailure(theirs.ModelAPIError):
    """Carries an error of ours through pydantic-ai, unchanged."""

    def __init__(self, model: str, error: ours.ModelError) -> None:
        super().__init__(model, error.message)
        self.error = error


@contextmanager
def translated(connection: Connection) -> Iterator[None]:
    """Raise what goes wrong between us and a model in our words.

    Everything is translated: a server that answers nonsense must not look like a fault of ours.

    Raises:
        ModelError: What went wrong.
        PolicyDeniedError: The policy does not allow connecting to the model's server.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - translated
        raise_translated(error, connection)


def raise_translated(error: Exception, connection: Connection) -> NoReturn:
    """Raise an error in our words, as :func:`translated` does."""
    if isinstance(error, OurFailure):
        raise error.error from error.error.__cause__
    said = error if isinstance(error, ours.ModelError) else translate(error, connection)
    if said is error:
        raise said
    raise said from error


def translate(error: Exception, connection: Connection) -> LlmspellError:
    """Return what a failure of pydantic-ai means in our words. Keys never appear in it."""
    refused = _refused_by_us(error)
    if isinstance(refused, BridgeError):
        return _of_transport(refused, connection)
    if refused is not None:
        return refused
    who: dict[str, Any] = {"provider": connection.provider.name, "model": connection.model}
    said = _said(error, connection)
    name = connection.name
    retry_after = getattr(error, "retry_after", None)
    match error:
        case theirs.ModelAuthenticationError():
            return ours.AuthenticationError(
                f"{connection.provider.name} refuses the key: {said}",
                hint="check the key and what it may be used for", **who,
            )  # fmt: skip
        case theirs.ModelContextWindowExceededError():
            return ours.ContextTooLongError(f"the prompt is too long for {name}: {said}", **who)
        case theirs.ModelRequestRejectedError() if _LLAMA_TOO_LONG in str(getattr(error, "body", "")):
            return ours.ContextTooLongError(f"the prompt is too long for {name}: {said}", **who)
        case theirs.ModelNotFoundError():
            close = getattr(error, "suggested_model_id", None)
            return ours.ModelUnknownError(
                f"{connection.provider.name} has no model {connection.model!r}: {said}",
                hint=f"did you mean {close!r}?" if close else None, **who,
            )  # fmt: skip
        case theirs.ModelQuotaExceededError():
            return ours.QuotaError(f"the account at {connection.provider.name} is used up: {said}", **who)
        case theirs.ModelRateLimitError():
            return ours.RateLimitedError(f"too many requests to {name}: {said}", retry_after=retry_after, **who)
        case theirs.ModelRequestTimeout() | theirs.ModelTimeoutError():
            return ours.ModelTimeoutError(f"{name} did not answer in time: {said}", **who)
        case theirs.ModelConnectionError():
            return ours.ConnectionFailedError(f"the connection to {name} failed: {said}", **who)
        case theirs.ModelUnavailableError() | theirs.ModelServerError():
            return ours.ProviderDownError(f"{name} is failing: {said}", retry_after=retry_after, **who)
        case theirs.ModelRequestRejectedError():
            return ours.RequestRejectedError(f"{name} refuses the request: {said}", **who)
        case theirs.ContentFilterError():
            return ours.ContentFilteredError(f"{name} withheld the answer: {said}", **who)
        case theirs.ModelAPIError() if isinstance(error.__cause__, ValueError):
            return ours.BadAnswerError(f"{name} did not answer as its interface promises: {said}", **who)
        case theirs.ModelAPIError() if "ended without a `finish_reason`" in said:
            return ours.ConnectionFailedError(f"the answer of {name} broke off", **who)
        case theirs.ModelAPIError():
            return ours.ModelError(f"the request to {name} failed: {said}", **who)
        case _ if type(error).__module__.startswith("google.auth"):
            return ours.AuthenticationError(f"{connection.provider.name} cannot sign in to Google: {said}", **who)
        case theirs.UnexpectedModelBehavior() | RecursionError():
            return ours.BadAnswerError(f"{name} did not answer as its interface promises: {said}", **who)
        case ValueError() | TypeError() | LookupError() | AttributeError():
            return ours.BadAnswerError(f"{name} did not answer as its interface promises: {said}", **who)
        case theirs.UserError():
            return ours.RequestRejectedError(f"{name} cannot be asked so: {said}", **who)
        case _:
            return _of_library(error, f"{name}: {said}", who)


def _of_library(error: Exception, said: str, who: dict[str, Any]) -> ours.ModelError:
    """Return what an error of a provider's own library means, where pydantic-ai did not stand between."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    if not isinstance(status, int):
        broken = "Connection" in type(error).__name__ or "Timeout" in type(error).__name__
        kind: type[ours.ModelError] = ours.ConnectionFailedError if broken else ours.ModelError
        return kind(f"the request failed: {type(error).__name__}: {said}", **who)
    if status in (401, 403):
        return ours.AuthenticationError(f"the key is refused by {said}", **who)
    if status == 404:
        return ours.ModelUnknownError(f"there is no such thing at {said}", **who)
    if status == 429:
        return ours.RateLimitedError(f"too many requests to {said}", **who)
    if status >= 500:
        return ours.ProviderDownError(f"the provider is failing: {said}", **who)
    return ours.RequestRejectedError(f"the request is refused by {said}", **who)


def _refused_by_us(error: BaseException) -> LlmspellError | None:
    """Find the refusal of our own transport that a model library has wrapped in its errors."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, LlmspellError) and not isinstance(seen, ours.ModelError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _of_transport(error: BridgeError, connection: Connection) -> ours.ModelError:
    who: dict[str, Any] = {"provider": connection.provider.name, "model": connection.model}
    match error.code:
        case "too_large" | "bad_response":
            return ours.BadAnswerError(f"{connection.name} did not answer as it should: {error.message}", **who)
        case "timeout":
            return ours.ModelTimeoutError(f"{connection.name} did not answer in time: {error.message}", **who)
        case _:
            return ours.ConnectionFailedError(f"the connection to {connection.name} failed: {error.message}", **who)


def _said(error: Exception, connection: Connection) -> str:
    text = _message_in(getattr(error, "body", None)) or getattr(error, "message", None) or str(error)
    key = connection.endpoint.api_key
    if key:
        text = text.replace(key, "***")
    status = getattr(error, "status_code", None)
    text = " ".join(text.split())
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return f"{text} (status {status})" if status else text


def _message_in(body: Any) -> str | None:
    """Find the sentence for people in an error's body."""
    if isinstance(body, dict):
        for key in ("message", "error", "detail"):
            found = body.get(key)
            if isinstance(found, str) and found:
                return found
            if isinstance(found, dict) and (inner := _message_in(found)):
                return inner
    return None
