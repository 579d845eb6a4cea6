"""``AuthConfig``: credentials that can be applied to a request."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, Literal

from llmspell.plugin import BridgeError, Call, Value, export
from llmspell_std.auth import sealing, tokens
from llmspell_std.handle import Handle

Kind = Literal["api_key", "bearer", "basic", "oauth2", "custom"]
KINDS: tuple[Kind, ...] = ("api_key", "bearer", "basic", "oauth2", "custom")
_NEEDED: dict[str, tuple[str, ...]] = {
    "api_key": ("key",),
    "bearer": ("token",),
    "basic": ("username", "password"),
    "oauth2": (),
    "custom": ("headers",),
}
_SECRETS = frozenset({"key", "token", "password", "access_token", "refresh_token", "client_secret", "headers"})
_TEXTS = _SECRETS | {"username", "header", "query", "prefix", "token_url", "client_id"}
MASK = "****"


class AuthConfig(Handle):
    """Credentials of one kind.

    Args:
        kind: How they are sent.
        data: ``{key, header | query, prefix}``, ``{token}``, ``{username, password}``, ``{headers}``, or
            ``{access_token, refresh_token, token_url, client_id, client_secret, scopes, expires_at}``.
        hidden: They are the host's: the script may use them and never see them.
    """

    def __init__(self, kind: Kind, data: Mapping[str, Any], *, hidden: bool = False) -> None:
        self._kind = kind
        self._data = dict(data)
        self._hidden = hidden

    def attach(self, headers: dict[str, str], query: dict[str, str]) -> None:
        """Put the credentials into a request that the host sends.

        Raises:
            BridgeError: ``invalid_credentials``.
        """
        problems = self.problems()
        if problems:
            raise BridgeError(f"the credentials cannot be used: {problems[0]}", code="invalid_credentials")
        data = self._data
        if self._kind == "api_key" and data.get("query"):
            query[data["query"]] = data["key"]
        elif self._kind == "api_key":
            headers[data.get("header", "X-API-Key")] = data.get("prefix", "") + data["key"]
        elif self._kind == "basic":
            pair = f"{data['username']}:{data['password']}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
        elif self._kind == "custom":
            headers.update(data["headers"])
        else:
            headers["Authorization"] = "Bearer " + data["access_token" if self._kind == "oauth2" else "token"]

    def remember(self, refresh_token: str) -> None:
        """Take another refresh token."""
        self._data["refresh_token"] = refresh_token

    def problems(self) -> list[str]:
        """Return what is wrong with the credentials."""
        data = self._data
        found = [f"{name} is missing" for name in _NEEDED[self._kind] if not data.get(name)]
        for name, value in data.items():
            if name == "headers":
                texts = isinstance(value, dict) and all(isinstance(each, str) for each in (*value, *value.values()))
                if not texts:
                    found.append("headers should be a table of texts")
            elif name in _TEXTS and not isinstance(value, str):
                found.append(f"{name} should be a text")
        if self._kind == "oauth2":
            if not data.get("access_token"):
                found.append("access_token is missing")
            elif self.is_expired(0):
                found.append("the access token has expired")
        return found

    def is_expired(self, before: float) -> bool:
        """Tell whether the credentials end within so many seconds."""
        expires = self._data.get("expires_at")
        return isinstance(expires, int | float) and expires - before <= time.time()

    @export
    def kind(self) -> str:
        """Return how the credentials are sent."""
        return self._kind

    @export
    def describe(self) -> dict[str, Any]:
        """Return what is set, secrets masked."""
        shown = {name: MASK if name in _SECRETS else value for name, value in self._data.items()}
        return {"type": self._kind, "hidden": self._hidden, **({} if self._hidden else shown)}

    @export
    def validate(self) -> dict[str, Any]:
        """Return ``{valid, errors}``."""
        problems = self.problems()
        return {"valid": not problems, "errors": problems}

    @export
    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a request ``{url, headers, params}`` with the credentials in it."""
        self._must_be_open()
        headers, query = dict(request.get("headers") or {}), dict(request.get("params") or {})
        self.attach(headers, query)
        return {**request, "headers": headers} | ({"params": query} if query else {})

    @export
    def apply_to_headers(self, headers: dict[str, str] | None = None) -> dict[str, str]:
        """Return headers with the credentials in them."""
        self._must_be_open()
        found = dict(headers or {})
        self.attach(found, {})
        return found

    @export
    def mask(self, text: str) -> str:
        """Return a text in which every secret of these credentials is masked."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    @export(blocking=True)
    def serialize(self, key: str | None = None) -> str:
        """Return the credentials as a text, encrypted under ``key`` if one is given."""
        self._must_be_open()
        return sealing.seal({"type": self._kind, "data": self._data}, key)

    @export
    async def refresh(self, call: Call) -> AuthConfig:
        """Get a new access token of an oauth2 config from its ``token_url``; return this config."""
        if self._kind != "oauth2":
            raise BridgeError(f"{self._kind} credentials cannot be refreshed", code="invalid_credentials")
        self._data.update(await tokens.refresh(call, self._data))
        return self

    @export
    async def ensure_fresh(self, call: Call, before: float = 300) -> AuthConfig:
        """Refresh an oauth2 config that ends within ``before`` seconds; return this config."""
        if self._kind == "oauth2" and (self.is_expired(before) or not self._data.get("access_token")):
            await self.refresh(call)
        return self

    def _must_be_open(self) -> None:
        if self._hidden:
            raise BridgeError(
                "these credentials are the host's and are not shown to scripts; pass them to http.request as auth",
                code="secret",
            )

    def _secrets(self) -> set[str]:
        found: set[str] = set()
        for name, value in self._data.items():
            if name in _SECRETS:
                found.update([value] if isinstance(value, str) else map(str, value.values()))
        headers: dict[str, str] = {}
        if not self.problems():
            self.attach(headers, headers)
            found.update(part for text in headers.values() for part in text.split(" ")[-1:])
        return {secret for secret in found if len(secret) >= 4}


def make(kind: Kind, credentials: Value) -> AuthConfig:
    """Make credentials as a script gives them: a table, or for ``api_key`` and ``bearer`` just the text.

    Raises:
        BridgeError: ``invalid_credentials``.
    """
    if isinstance(credentials, str) and kind in ("api_key", "bearer"):
        credentials = {"key" if kind == "api_key" else "token": credentials}
    if not isinstance(credentials, dict):
        raise BridgeError("credentials should be a table", code="invalid_credentials")
    return AuthConfig(kind, credentials)


def detect(config: Mapping[str, Any]) -> Kind | None:
    """Tell the kind of credentials from what is set."""
    named = config.get("type")
    for kind in KINDS:
        if named == kind:
            return kind
    keys = config.keys()
    if keys & {"token_url", "client_id", "refresh_token", "access_token"}:
        return "oauth2"
    if {"username", "password"} <= keys:
        return "basic"
    if keys & {"token", "bearer"}:
        return "bearer"
    if keys & {"key", "api_key"}:
        return "api_key"
    return "custom" if "headers" in keys else None
