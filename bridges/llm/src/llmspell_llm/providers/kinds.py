"""The kinds of providers llmspell knows, and those that plugins add."""

from __future__ import annotations

import logging

from llmspell_llm.providers.provider import (
    Endpoint,
    Provider,
    ProviderConfig,
    ProviderKind,
    RemoteProvider,
    is_loopback,
)

ENTRY_POINT_GROUP = "llmspell_llm.providers"
_log = logging.getLogger(__name__)
_ACCOUNT = {"organization": ("OPENAI_ORG_ID",), "project": ("OPENAI_PROJECT_ID",)}
_ALL = frozenset({"streaming", "structured_output", "tools", "vision", "embeddings"})


def _ollama(config: ProviderConfig) -> Provider:
    url = config.base_url or ""
    if "://" not in url:
        url = f"http://{url}"
    if not url.rstrip("/").endswith("/v1"):
        url = f"{url.rstrip('/')}/v1"
    endpoint = Endpoint("ollama", url, config.api_key, config.options, direct=is_loopback(url), client=config.client)
    return RemoteProvider(config.name, "ollama", endpoint, config.model)


BUILT_IN: tuple[ProviderKind, ...] = (
    ProviderKind(
        "compatible", "Any OpenAI-compatible server", "compatible",
        key_variables=("LLMSPELL_API_KEY",), url_variables=("LLMSPELL_BASE_URL",),
        needs=frozenset({"base_url"}), rank=10, capabilities=_ALL, options={},
    ),
    ProviderKind(
        "openai", "OpenAI", "openai",
        key_variables=("OPENAI_API_KEY",), url_variables=("OPENAI_BASE_URL",),
        needs=frozenset({"api_key"}), keyless_elsewhere=True, default_model="gpt-6-luna", rank=20, prices="openai",
        capabilities=_ALL, options=_ACCOUNT, aliases=("openai-chat",),
    ),
    ProviderKind(
        "openai-responses", "OpenAI, by its Responses interface", "openai-responses",
        key_variables=("OPENAI_API_KEY",), url_variables=("OPENAI_BASE_URL",),
        needs=frozenset({"api_key"}), default_model="gpt-6-luna", prices="openai", capabilities=_ALL,
        options=_ACCOUNT,
    ),
    ProviderKind(
        "anthropic", "Anthropic", "anthropic",
        key_variables=("ANTHROPIC_API_KEY",), url_variables=("ANTHROPIC_BASE_URL",),
        needs=frozenset({"api_key"}), default_model="claude-haiku-5-5", rank=30, extra="anthropic",
        prices="anthropic", capabilities=_ALL - {"embeddings"}, options={},
    ),
    ProviderKind(
        "google", "Google Gemini", "google",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"), url_variables=("GOOGLE_GEMINI_BASE_URL",),
        needs=frozenset({"api_key"}), default_model="gemini-3.5-flash-lite", rank=40, extra="google",
        prices="google", capabilities=_ALL, options={}, aliases=("gemini", "google-gla"),
    ),
    ProviderKind(
        "vertex", "Google Vertex AI", "vertex",
        key_variables=("VERTEX_API_KEY",), url_variables=("GOOGLE_VERTEX_BASE_URL",),
        either=("api_key", "project"), default_model="gemini-3.5-flash-lite", extra="google", prices="google",
        capabilities=_ALL,
        options={
            "project": ("GOOGLE_CLOUD_PROJECT",),
            "location": ("GOOGLE_CLOUD_LOCATION",),
            "credentials_file": ("GOOGLE_APPLICATION_CREDENTIALS",),
        },
        aliases=("google-vertex", "google-cloud"),
    ),
    ProviderKind(
        "openrouter", "OpenRouter", "openrouter",
        key_variables=("OPENROUTER_API_KEY",), url_variables=("OPENROUTER_BASE_URL",),
        needs=frozenset({"api_key"}), default_model="openai/gpt-4o-mini", rank=50, prices="openrouter",
        capabilities=_ALL - {"embeddings"}, options={},
    ),
    ProviderKind(
        "ollama", "Ollama", "ollama",
        key_variables=("OLLAMA_API_KEY",), url_variables=("OLLAMA_BASE_URL", "OLLAMA_HOST"),
        needs=frozenset({"base_url"}), rank=60, capabilities=_ALL, options={}, make=_ollama,
    ),
)  # fmt: skip
"""Order does not matter; ``rank`` does."""


def discover() -> dict[str, ProviderKind]:
    """Return every kind by name and alias: ours and those of installed distributions.

    A plugin names a :class:`ProviderKind` in the entry-point group ``llmspell_llm.providers``. One that cannot be
    loaded is reported in the log and left out; it breaks nobody else.
    """
    from importlib_metadata import entry_points

    kinds = list(BUILT_IN)
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        try:
            kind = entry.load()
        except Exception:  # noqa: BLE001 - reported, with its trace
            _log.exception("the model provider %r of %s cannot be loaded", entry.name, entry.value)
            continue
        if not isinstance(kind, ProviderKind):
            _log.error("the model provider %r of %s is a %s, not a ProviderKind", entry.name, entry.value, type(kind))
            continue
        kinds.append(kind)
    return {name: kind for kind in kinds for name in (*kind.aliases, kind.name)}
