"""Providers from settings: a configuration file's, or a script's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmspell.errors import ConfigError
from llmspell_llm.providers.provider import ProviderConfig, ProviderKind

_TEXTS = ("api_key", "base_url", "model")


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
    return ProviderConfig(
        name=name,
        api_key=texts.get("api_key", found.api_key),
        base_url=texts.get("base_url", found.base_url),
        model=texts.get("model"),
        environ=environ,
        options=rest,
        client=client,
    )
