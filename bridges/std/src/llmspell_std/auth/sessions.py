"""Sessions of a script's own users: made, checked, prolonged, ended."""

from __future__ import annotations

import secrets
import time
from typing import Any

from llmspell.plugin import BridgeError, export
from llmspell_std.auth.config import AuthConfig
from llmspell_std.handle import Handle


class AuthSession(Handle):
    """Credentials that are good for a while.

    Args:
        ttl: Seconds from now.
    """

    def __init__(self, config: AuthConfig, name: str | None, ttl: float, metadata: dict[str, Any]) -> None:
        if not 0 < ttl <= 10 * 366 * 86_400:
            raise BridgeError("ttl should be a positive number of seconds", code="invalid_argument")
        self.session_id = name or secrets.token_urlsafe(16)
        self._config = config
        self._metadata = metadata
        self._created = self._last_used = time.time()
        self._expires = self._created + ttl
        self._ended = False

    @export
    def id(self) -> str:
        """Return the id."""
        return self.session_id

    @export
    def config(self) -> AuthConfig:
        """Return the credentials."""
        return self._config

    @export
    def validate(self) -> dict[str, Any]:
        """Return ``{valid, reason}``."""
        reason = ""
        if self._ended:
            reason = "the session was ended"
        elif time.time() >= self._expires:
            reason = "the session has expired"
        elif problems := self._config.problems():
            reason = problems[0]
        else:
            self._last_used = time.time()
        return {"valid": not reason, "reason": reason}

    @export
    def refresh(self, ttl: float = 3_600) -> None:
        """Have the session last ``ttl`` seconds from now."""
        if self._ended:
            raise BridgeError("the session was ended", code="session_ended")
        self._expires = time.time() + ttl

    @export
    def destroy(self) -> None:
        """End the session."""
        self._ended = True

    @export
    def describe(self) -> dict[str, Any]:
        """Return everything but the credentials."""
        return {
            "id": self.session_id,
            "created_at": self._created,
            "last_used": self._last_used,
            "expires_at": self._expires,
            "metadata": self._metadata,
        }
