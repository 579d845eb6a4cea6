"""From an endpoint to a pydantic-ai model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell_llm.errors import AuthenticationError, ModelUnknownError
from llmspell_llm.providers import Endpoint, Provider

_NO_KEY = "no-key"
"""The OpenAI client insists on a key; servers that want none ignore this one."""
PUBLIC = {
    "openai": "https://api.openai.com/v1",
    "openai-responses": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Where each dialect is at home. Always said, or the libraries would look in the process's environment."""
_VERTEX_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_VERTEX_LOCATION = "us-central1"


def _chat_profile(**more: Any) -> Any:
    """Return what all chat completions have in common: a stream that just ends was cut off, and is not an answer."""
    return {"openai_chat_streaming_requires_finish_reason": True, **more}


def build_model(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    """Return the pydantic-ai model for a model name at an endpoint.

    Raises:
        ModelUnknownError: The dialect is unknown, its library is not installed, or that knows of no such model.
    """
    try:
        build = _DIALECTS[endpoint.dialect]
    except KeyError:
        raise ModelUnknownError(
            f"provider {provider.name!r} speaks {endpoint.dialect!r}, which llmspell does not",
            provider=provider.name,
            model=model,
            hint=f"dialects: {', '.join(sorted(_DIALECTS))}",
        ) from None
    from pydantic_ai.exceptions import UserError

    try:
        return build(provider, endpoint, model, client)
    except UserError as error:
        # A name that cannot be one there, or a setting that is missing.
        raise ModelUnknownError(
            f"{provider.name}:{model} cannot be asked: {error}", provider=provider.name, model=model
        ) from error
    except ImportError as error:
        extra = {"anthropic": "anthropic", "google": "google", "vertex": "google"}.get(endpoint.dialect, "")
        raise ModelUnknownError(
            f"the library for provider {provider.name!r} is not installed: {error}",
            provider=provider.name,
            model=model,
            hint=f'pip install "llmspell-llm[{extra}]"' if extra else None,
        ) from error


def openai_client(endpoint: Endpoint, client: Any) -> Any:
    from openai import AsyncOpenAI

    return AsyncOpenAI(
        base_url=endpoint.base_url or PUBLIC[endpoint.dialect],
        api_key=endpoint.api_key or _NO_KEY,
        organization=endpoint.options.get("organization"),
        project=endpoint.options.get("project"),
        http_client=client,
        max_retries=0,
    )


def _openai(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    inner = OpenAIProvider(openai_client=openai_client(endpoint, client))
    return OpenAIChatModel(model, provider=inner, profile=_chat_profile())


def _openai_responses(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIResponsesModel(model, provider=OpenAIProvider(openai_client=openai_client(endpoint, client)))


def _compatible(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel

    return OpenAIChatModel(model, provider=_compatible_provider(provider, endpoint, client), profile=_older_profile())


def _llamacpp(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from llmspell_llm.adapter.llamacpp import LlamaCppModel

    profile = _older_profile(supports_image_input=False)
    return LlamaCppModel(model, provider=_compatible_provider(provider, endpoint, client), profile=profile)


def _compatible_provider(provider: Provider, endpoint: Endpoint, client: Any) -> Any:
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    return OpenAICompatibleProvider(provider.name, openai_client=openai_client(endpoint, client))


def _older_profile(**more: Any) -> Any:
    """Return what servers have in common that know `max_tokens` only, which newer ones still take."""
    return _chat_profile(
        openai_chat_supports_max_completion_tokens=False,
        supports_json_schema_output=True,
        supports_json_object_output=True,
        **more,
    )


def _ollama(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from pydantic_ai.models.ollama import OllamaModel
    from pydantic_ai.providers.ollama import OllamaProvider

    inner = OllamaProvider(openai_client=openai_client(endpoint, client))
    return OllamaModel(model, provider=inner, profile=_chat_profile())


def _openrouter(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from pydantic_ai.models.openrouter import OpenRouterModel
    from pydantic_ai.providers.openrouter import OpenRouterProvider

    inner = openai_client(endpoint, client)
    return OpenRouterModel(model, provider=OpenRouterProvider(openai_client=inner), profile=_chat_profile())


def _anthropic(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    inner = AsyncAnthropic(
        base_url=endpoint.base_url or PUBLIC["anthropic"],
        api_key=endpoint.api_key or _NO_KEY,
        http_client=client,
        max_retries=0,
    )
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=inner))


def _google(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from google.genai.types import HttpRetryOptions
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    inner = GoogleProvider(
        api_key=endpoint.api_key or _NO_KEY,
        http_client=client,
        base_url=endpoint.base_url or PUBLIC["google"],
        retry_options=HttpRetryOptions(attempts=1),
    )
    return GoogleModel(model, provider=inner)


def _vertex(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    from google.genai.types import HttpRetryOptions
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google_cloud import GoogleCloudProvider

    key = endpoint.api_key
    inner = GoogleCloudProvider(
        api_key=key,
        credentials=None if key else _google_credentials(provider, endpoint),
        project=None if key else endpoint.options.get("project"),
        location=None if key else endpoint.options.get("location") or _VERTEX_LOCATION,
        http_client=client,
        base_url=endpoint.base_url,
        retry_options=HttpRetryOptions(attempts=1),
    )
    return GoogleModel(model, provider=inner)


def _google_credentials(provider: Provider, endpoint: Endpoint) -> Any:
    """Return the account in a file; None lets Google's library look for the one of this machine."""
    if endpoint.client is not None:
        # A script's own address must not be shown who this machine is.
        raise ModelUnknownError(f"provider {provider.name!r} needs an api_key", provider=provider.name)
    path = endpoint.options.get("credentials_file")
    if path is None:
        return None
    from google.oauth2 import service_account

    accounts: Any = service_account.Credentials
    try:
        return accounts.from_service_account_file(path, scopes=[_VERTEX_SCOPE])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not the key of a service account"
        raise AuthenticationError(
            f"provider {provider.name!r}: the credentials in {path} cannot be used: {reason}", provider=provider.name
        ) from error


def _made(provider: Provider, endpoint: Endpoint, model: str, client: Any) -> Any:
    if endpoint.make is None:
        raise ModelUnknownError(f"provider {provider.name!r} has no way to make a model", provider=provider.name)
    return endpoint.make(model)


_DIALECTS: dict[str, Callable[[Provider, Endpoint, str, Any], Any]] = {
    "openai": _openai,
    "openai-responses": _openai_responses,
    "compatible": _compatible,
    "llama.cpp": _llamacpp,
    "ollama": _ollama,
    "openrouter": _openrouter,
    "anthropic": _anthropic,
    "google": _google,
    "vertex": _vertex,
    "made": _made,
}
