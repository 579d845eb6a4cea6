"""What can go wrong between a spell and a model.

    BridgeError
    └── ModelError                 ``provider`` and ``model`` say which
        ├── ModelUnknownError      no such provider or model, or its library is not installed
        ├── AuthenticationError    the provider refuses the key
        ├── RequestRejectedError   the provider refuses the request itself
        │   └── ContextTooLongError
        ├── RateLimitedError       too many requests; ``retry_after`` seconds if the provider said so
        ├── QuotaError             the account's credit or quota is used up
        ├── ProviderDownError      overloaded or failing (5xx)
        ├── ConnectionFailedError  it cannot be reached, or the answer broke off
        ├── ModelTimeoutError      no answer in time
        ├── BadAnswerError         what came back is not what the provider's interface promises
        ├── ContentFilteredError   the provider withheld the answer
        └── InvalidAnswerError     the answer does not fit the schema or choices, even after repair; ``path``

Each has a ``code`` that scripts can branch on.
"""

from __future__ import annotations

from typing import Any, ClassVar

from llmspell.errors import BridgeError

__all__ = [
    "AuthenticationError",
    "BadAnswerError",
    "ConnectionFailedError",
    "ContentFilteredError",
    "ContextTooLongError",
    "InvalidAnswerError",
    "ModelError",
    "ModelTimeoutError",
    "ModelUnknownError",
    "ProviderDownError",
    "QuotaError",
    "RateLimitedError",
    "RequestRejectedError",
]


class ModelError(BridgeError):
    """Base of what can go wrong between a spell and a model.

    Attributes:
        provider: Name of the provider, or ``""``.
        model: Name of the model, or ``""``.
        transient: Trying again, later or elsewhere, may help.
    """

    code: ClassVar[str] = "model_error"
    transient: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        details: dict[str, Any] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, details=details, hint=hint)
        self.provider = provider
        self.model = model


class ModelUnknownError(ModelError):
    """No such provider or model, or the library it needs is not installed."""

    code: ClassVar[str] = "model_unknown"
    exit_code: ClassVar[int] = 3


class AuthenticationError(ModelError):
    """The provider refuses the key."""

    code: ClassVar[str] = "authentication"
    exit_code: ClassVar[int] = 3


class RequestRejectedError(ModelError):
    """The provider refuses the request itself; sending it again will not help."""

    code: ClassVar[str] = "request_rejected"


class ContextTooLongError(RequestRejectedError):
    """The prompt is longer than the model's context."""

    code: ClassVar[str] = "context_too_long"


class RateLimitedError(ModelError):
    """Too many requests. ``retry_after`` is the number of seconds the provider asked to wait, or None."""

    code: ClassVar[str] = "rate_limited"
    exit_code: ClassVar[int] = 7
    transient: ClassVar[bool] = True

    def __init__(self, message: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.retry_after = retry_after


class QuotaError(ModelError):
    """The account's credit or quota is used up."""

    code: ClassVar[str] = "quota"
    exit_code: ClassVar[int] = 9


class ProviderDownError(ModelError):
    """The provider is overloaded or failing. ``retry_after`` as in :class:`RateLimitedError`."""

    code: ClassVar[str] = "provider_down"
    exit_code: ClassVar[int] = 7
    transient: ClassVar[bool] = True

    def __init__(self, message: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.retry_after = retry_after


class ConnectionFailedError(ModelError):
    """The provider cannot be reached, or its answer broke off."""

    code: ClassVar[str] = "connection"
    exit_code: ClassVar[int] = 7
    transient: ClassVar[bool] = True


class ModelTimeoutError(ModelError):
    """There was no answer in time."""

    code: ClassVar[str] = "timeout"
    exit_code: ClassVar[int] = 8
    transient: ClassVar[bool] = True


class BadAnswerError(ModelError):
    """What came back is not what the provider's interface promises."""

    code: ClassVar[str] = "bad_answer"
    exit_code: ClassVar[int] = 7


class ContentFilteredError(ModelError):
    """The provider withheld the answer."""

    code: ClassVar[str] = "content_filtered"


class InvalidAnswerError(ModelError):
    """The answer does not fit the schema or the choices, even after one repair.

    Attributes:
        path: Where in the answer, e.g. ``"$.people[2].age"``.
        answer: The model's text.
    """

    code: ClassVar[str] = "invalid_answer"
    exit_code: ClassVar[int] = 10

    def __init__(self, message: str, *, path: str = "$", answer: str = "", **more: Any) -> None:
        super().__init__(message, details={"path": path, "answer": answer}, **more)
        self.path = path
        self.answer = answer
