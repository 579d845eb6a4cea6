"""Asking a provider which models it serves."""

from __future__ import annotations

from typing import Any

import httpx2

from llmspell_llm.adapter.build import PUBLIC, build_model
from llmspell_llm.errors import AuthenticationError, BadAnswerError, ConnectionFailedError, ModelUnknownError
from llmspell_llm.providers import Endpoint, Provider

_SECONDS = 20.0


async def list_models(provider: Provider, endpoint: Endpoint, client: httpx2.AsyncClient) -> list[str]:
    """Return the names of a provider's models.

    Raises:
        ModelError: It cannot be reached, refuses, or answers something else.
    """
    own = await provider.models()
    if own is not None:
        return own
    if endpoint.dialect == "vertex":
        return await _of_vertex(provider, endpoint, client)
    base = (endpoint.base_url or PUBLIC.get(endpoint.dialect, "")).rstrip("/")
    if not base:
        raise ModelUnknownError(f"provider {provider.name!r} cannot list its models", provider=provider.name)
    url, headers = _request(endpoint, base)
    try:
        answer = await client.get(url, headers=headers, timeout=_SECONDS)
    except httpx2.HTTPError as error:
        raise ConnectionFailedError(
            f"provider {provider.name!r} cannot be reached at {base}: {error or type(error).__name__}",
            provider=provider.name,
        ) from error
    if answer.status_code in (401, 403):
        raise AuthenticationError(f"provider {provider.name!r} refuses the key", provider=provider.name)
    try:
        body: Any = answer.json()
        entries = body["models"] if endpoint.dialect == "google" else body["data"]
        names = [str(entry.get("id") or entry["name"]).removeprefix("models/") for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadAnswerError(
            f"provider {provider.name!r} does not list its models at {url} (status {answer.status_code})",
            provider=provider.name,
        ) from error
    return names


async def _of_vertex(provider: Provider, endpoint: Endpoint, client: httpx2.AsyncClient) -> list[str]:
    """Ask by Google's library, which knows how to sign in."""
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    model = build_model(provider, endpoint, provider.default_model or "", client)
    who: dict[str, Any] = {"provider": provider.name}
    try:
        pager = await model.client.aio.models.list(config={"query_base": True})
        return [str(found.name).rpartition("/")[2] async for found in pager]
    except GoogleAuthError as error:
        raise AuthenticationError(f"provider {provider.name!r} cannot sign in to Google", **who) from error
    except APIError as error:
        if error.code in (401, 403):
            raise AuthenticationError(f"provider {provider.name!r} refuses the key", **who) from error
        raise BadAnswerError(
            f"provider {provider.name!r} does not list its models (status {error.code})", **who
        ) from error
    except (httpx2.HTTPError, ValueError) as error:
        raise ConnectionFailedError(f"provider {provider.name!r} cannot be reached", **who) from error


async def first_model(provider: Provider, endpoint: Endpoint, client: httpx2.AsyncClient) -> str:
    """Return the first model a provider lists, for providers without a default.

    Raises:
        ModelUnknownError: It lists none.
        ModelError: As :func:`list_models`.
    """
    names = await list_models(provider, endpoint, client)
    if not names:
        raise ModelUnknownError(
            f"provider {provider.name!r} serves no model", provider=provider.name, hint="name one: provider:model"
        )
    return names[0]


def _request(endpoint: Endpoint, base: str) -> tuple[str, dict[str, str]]:
    key = endpoint.api_key or ""
    if endpoint.dialect == "anthropic":
        return f"{base}/v1/models", {"x-api-key": key, "anthropic-version": "2023-06-01"}
    if endpoint.dialect == "google":
        return f"{base}/v1beta/models", {"x-goog-api-key": key}
    return f"{base}/models", {"Authorization": f"Bearer {key}"} if key else {}
