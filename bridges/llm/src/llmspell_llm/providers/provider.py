"""What a provider is: a name, an endpoint, and a default model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how models are reached.

    Attributes:
        dialect: The wire format: ``"openai"`` (chat completions), ``"openai-responses"``, ``"anthropic"``,
            ``"google"``, ``"vertex"``, ``"ollama"``, ``"openrouter"``, ``"compatible"`` (anybody else's chat
            completions), ``"llama.cpp"`` (the same with grammars), or ``"made"`` (``make`` builds the model).
        base_url: None for the provider's public address.
        api_key: Secret; not shown.
        options: What else the dialect needs, e.g. ``organization``, ``project``, ``location``.
        direct: Connect directly, past any proxy of the environment (servers on this machine).
        make: For ``"made"``: builds a pydantic-ai model from a model name.
        client: The HTTP client to use instead of the host's own: one that asks a policy before it connects.
    """

    dialect: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    direct: bool = False
    make: Callable[[str], Any] | None = None
    client: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """What somebody configured for a provider.

    Attributes:
        name: What scripts call it.
        model: Its default model.
        environ: The environment the provider may read further settings from.
        client: See :class:`Endpoint`.
        options: What else its kind understands.
    """

    name: str
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    model: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    client: Any = field(default=None, repr=False)

    def setting(self, name: str) -> Any:
        """Return a setting by name, or None."""
        return getattr(self, name) if name in ("api_key", "base_url", "model") else self.options.get(name)


class Provider(Protocol):
    """Somebody who serves models.

    Attributes:
        name: What scripts call it.
        kind: Name of its kind.
        default_model: None means: the first one the endpoint lists.
        free: It costs nothing, known for certain (a model on this machine).
        prices: Name of the provider in the price list, or None.
    """

    name: str
    kind: str
    default_model: str | None
    free: bool
    prices: str | None

    async def endpoint(self, model: str | None = None, *, embeddings: bool = False) -> Endpoint:
        """Return where ``model`` is reached, for text or for embeddings; starts what has to be started first."""

    async def count_tokens(self, text: str, model: str) -> int | None:
        """Return how many tokens a text has, exactly, or None if the provider cannot tell."""

    async def models(self) -> list[str] | None:
        """Return the models there are, or None to have the endpoint asked."""

    async def close(self) -> None:
        """Let go of what the provider started."""


class RemoteProvider:
    """A provider somewhere on the network, reached as its endpoint says."""

    def __init__(
        self, name: str, kind: str, endpoint: Endpoint, default_model: str | None, prices: str | None = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.default_model = default_model
        self.free = False
        self.prices = prices
        self._endpoint = endpoint

    async def endpoint(self, model: str | None = None, *, embeddings: bool = False) -> Endpoint:
        return self._endpoint

    async def count_tokens(self, text: str, model: str) -> int | None:
        return None

    async def models(self) -> list[str] | None:
        return None

    async def close(self) -> None:
        if self._endpoint.client is not None:
            await self._endpoint.client.aclose()


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """A kind of provider: how one is configured and made.

    Attributes:
        name: What people write before the colon of ``openai:gpt-5``.
        dialect: See :class:`Endpoint`.
        key_variables: Environment variables that may hold the key; the first that is set counts.
        url_variables: The same for the base address.
        needs: Which settings (``"api_key"``, ``"base_url"`` or one of ``options``) must be known for it to be usable.
        either: Settings of which one is enough.
        keyless_elsewhere: A server of one's own (any ``base_url``) may do without a key.
        default_model: None means: the first one the endpoint lists.
        rank: Where no model is named, the usable provider with the lowest rank is taken; None is never taken so.
        extra: Extra of ``llmspell-llm`` that brings its library, or ``""``.
        prices: Name of the provider in the price list, or None.
        capabilities: What its interface can do.
        options: Its further settings, each with the environment variables that may hold it; None takes any.
        aliases: Other names for it.
        make: Builds a provider; by default a :class:`RemoteProvider` from the fields above.
    """

    name: str
    title: str
    dialect: str
    key_variables: tuple[str, ...] = ()
    url_variables: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    either: tuple[str, ...] = ()
    keyless_elsewhere: bool = False
    default_model: str | None = None
    default_url: str | None = None
    rank: int | None = None
    extra: str = ""
    prices: str | None = None
    capabilities: frozenset[str] = frozenset({"streaming", "structured_output", "tools"})
    options: Mapping[str, tuple[str, ...]] | None = None
    aliases: tuple[str, ...] = ()
    make: Callable[[ProviderConfig], Provider] | None = None

    def from_environment(self, environ: Mapping[str, str], name: str | None = None) -> ProviderConfig:
        """Return what the environment configures for this kind; it may lack what the kind needs."""
        return ProviderConfig(
            name=name or self.name,
            api_key=_first(environ, self.key_variables),
            base_url=_first(environ, self.url_variables) or self.default_url,
            environ=environ,
            options={
                option: value
                for option, variables in (self.options or {}).items()
                if (value := _first(environ, variables)) is not None
            },
        )

    def missing(self, config: ProviderConfig) -> list[str]:
        """Return which needed settings are not there."""
        if self.keyless_elsewhere and config.base_url:
            return []
        absent = sorted(need for need in self.needs if not config.setting(need))
        if self.either and not any(config.setting(need) for need in self.either):
            absent.append(" or ".join(self.either))
        return absent

    def variables(self, setting: str) -> tuple[str, ...]:
        """Return the environment variables that may hold a setting."""
        own = {"api_key": self.key_variables, "base_url": self.url_variables}
        return own.get(setting) or (self.options or {}).get(setting, ())

    def create(self, config: ProviderConfig) -> Provider:
        """Make a provider. Call :meth:`missing` first."""
        if self.make is not None:
            return self.make(config)
        # A server of one's own behind OPENAI_BASE_URL serves neither OpenAI's models nor its latest interface.
        foreign = self.dialect == "openai" and config.base_url is not None and not _is_openai(config.base_url)
        endpoint = Endpoint(
            "compatible" if foreign else self.dialect,
            config.base_url,
            config.api_key,
            config.options,
            direct=is_loopback(config.base_url),
            client=config.client,
        )
        default = config.model or (None if foreign else self.default_model)
        return RemoteProvider(config.name, self.name, endpoint, default, None if foreign else self.prices)


def is_loopback(url: str | None) -> bool:
    """Tell whether an address is this machine."""
    return url is not None and (urlsplit(url).hostname or "") in ("127.0.0.1", "localhost", "::1")


def _is_openai(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := environ.get(name, "").strip())), None)
