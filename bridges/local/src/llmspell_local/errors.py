"""What can go wrong with the embedded model.

BridgeError
└── LocalModelError
    ├── WeightsError     there are no weights, they cannot be fetched, or they are not what they should be
    └── ServerError      the server in this process does not start or answer
"""

from __future__ import annotations

from typing import ClassVar

from llmspell.errors import BridgeError

__all__ = ["LocalModelError", "ServerError", "WeightsError"]


class LocalModelError(BridgeError):
    """Base of what can go wrong with the embedded model."""

    code: ClassVar[str] = "local_model"
    exit_code: ClassVar[int] = 11


class WeightsError(LocalModelError):
    """There are no usable weights. ``hint`` says how to get some."""

    code: ClassVar[str] = "local_weights"


class ServerError(LocalModelError):
    """The server in this process does not start, has been closed, or gives no answer."""

    code: ClassVar[str] = "local_server"
