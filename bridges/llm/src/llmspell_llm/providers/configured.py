"""Providers from settings: a configuration file's, or a script's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llmspell.errors import ConfigError
from llmspell_llm.providers.provider import ProviderConfig, ProviderKind

_TEXTS = ("api_key", "base_url", "model")
_COMMON = {*_TEXTS, "api_key_variable", "kind"}


def configure(
    name: str, kind: ProviderKind, settings: Mapping[str, Any], environ: Mapping[str, str], client: Any = None
) -> ProviderConfig:
    """Return the configuration of a provider: what ``settings`` say, over what the environment says.

    Args:
        name: What scripts call it.
        kind: Its kind.
        settings: ``api_key``, ``api_key_variable`` (the environment variable that holds it), ``base_url``, ``model``
            (its default model), and whatever else the kind understands.
        environ: The environment.
        client: The HTTP client to use instead of the host's own.

    Raises:
        ConfigError: A setting is not what it should be.
    """
    rest = {key: value for key, value in settings.items() if key != "kind"}
    found = kind.from_environment(environ, name)
    variable = rest.pop("api_key_variable", None)
    if variable is not None and not environ.get(str(variable)):
        raise ConfigError(f"provider {name!r}: the environment variable {variable} is not set")
    texts: dict[str, str | None] = {}
    for key in _TEXTS:
        value = rest.get(key)
        if value is None or (key == "model" and not isinstance(value, str)):
            continue
        if not isinstance(value, str) or not value:
            raise ConfigError(f"provider {name!r}: {key} should be a text")
        texts[key] = value
        del rest[key]
    if variable is not None:
        texts.setdefault("api_key", environ[str(variable)])
    if unknown := unknown_settings(kind, settings):
        known = ", ".join(sorted([*_COMMON, *(kind.options or ())]))
        raise ConfigError(f"provider {name!r}: {unknown[0]!r} is not a setting", hint=f"settings: {known}")
    if (url := texts.get("base_url", found.base_url)) is not None:
        _check_address(name, url)
    return ProviderConfig(
        name=name,
        api_key=texts.get("api_key", found.api_key),
        base_url=texts.get("base_url", found.base_url),
        model=texts.get("model"),
        environ=environ,
        options={**found.options, **rest},
        client=client,
    )


def unknown_settings(kind: ProviderKind, settings: Mapping[str, Any]) -> list[str]:
    """Return what a kind of provider does not understand: a misspelt key must not lie about unnoticed."""
    if kind.options is None:
        return []
    return sorted(settings.keys() - _COMMON - kind.options.keys())


def _check_address(name: str, url: str) -> None:
    """Refuse an address that holds more than an address: what else is in it could be a secret, and would be shown.

    Raises:
        ConfigError: It has a user, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError(f"provider {name!r}: base_url cannot be read") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"provider {name!r}: base_url should hold neither user information nor anything after '?' or '#'",
            hint="give the key as api_key",
        )
