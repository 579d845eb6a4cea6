"""Which provider and model a name means."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmspell_llm.errors import ModelUnknownError
from llmspell_llm.providers.configured import configure
from llmspell_llm.providers.kinds import discover
from llmspell_llm.providers.provider import Provider, ProviderConfig, ProviderKind

MODEL_VARIABLE = "LLMSPELL_MODEL"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A provider and one of its models; None means its default, which has to be asked for."""

    provider: Provider
    model: str | None


class Directory:
    """The providers of a host, or of a session on top of a host's.

    Nothing is contacted and nothing started by looking something up.

    Args:
        environ: Where keys and addresses are found.
        default: What ``None`` means, e.g. ``"openai:gpt-5"``; else ``LLMSPELL_MODEL``, else the first usable kind.
        aliases: Short names for models.
        settings: Configured providers by name; ``kind`` says of which kind one is if not its name.
        parent: The host's directory, for a session's: what is not here is looked up there.

    Example:
        >>> Directory({"OPENAI_API_KEY": "k"}).resolve("openai:gpt-4o").model
        'gpt-4o'
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        default: str | None = None,
        aliases: Mapping[str, str] | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        parent: Directory | None = None,
        kinds: Mapping[str, ProviderKind] | None = None,
    ) -> None:
        self._parent = parent
        self.environ: Mapping[str, str] = environ if environ is not None else (parent.environ if parent else {})
        self._default = default
        self._aliases = aliases or {}
        self._settings = settings or {}
        self._kinds = kinds
        self._providers: dict[str, Provider] = {}

    @property
    def kinds(self) -> Mapping[str, ProviderKind]:
        """Every kind by name and alias; found on first use."""
        if self._parent is not None:
            return self._parent.kinds
        if self._kinds is None:
            self._kinds = discover()
        return self._kinds

    def kind(self, name: str) -> ProviderKind:
        """Return a kind by its name or alias.

        Raises:
            ModelUnknownError: There is none of that name.
        """
        try:
            return self.kinds[name]
        except KeyError:
            raise ModelUnknownError(
                f"there is no kind of provider named {name!r}", provider=name, hint=_near(name, self.kinds)
            ) from None

    def __iter__(self) -> Iterator[Provider]:
        """Yield the providers that were made so far, a session's own first."""
        yield from self._providers.values()
        if self._parent is not None:
            yield from (p for p in self._parent if p.name not in self._providers)

    def add(self, provider: Provider) -> None:
        self._providers[provider.name] = provider

    def remove(self, name: str) -> Provider:
        """Forget a provider of this directory and return it.

        Raises:
            ModelUnknownError: There is none of that name here.
        """
        try:
            return self._providers.pop(name)
        except KeyError:
            raise ModelUnknownError(
                f"there is no provider named {name!r}", provider=name, hint=_near(name, self._providers)
            ) from None

    def usable(self) -> list[ProviderKind]:
        """Return the kinds that the environment configures and that may be taken unnamed, the first choice first."""
        found = {
            kind.name: kind
            for kind in self.kinds.values()
            if kind.rank is not None and not kind.missing(self._configured(kind))
        }
        return sorted(found.values(), key=lambda kind: (kind.rank or 0, kind.name))

    def configured(self) -> list[str]:
        """Return the names of every provider that is configured, by settings or the environment."""
        root = self._root
        return list(dict.fromkeys([*root._settings, *(kind.name for kind in root.usable())]))

    def provider(self, name: str) -> Provider:
        """Return a provider by name: one that was added, or a kind the environment configures.

        Raises:
            ModelUnknownError: Neither; the hint says which variable to set.
        """
        found = self._lookup(name)
        if found is not None:
            return found
        home = self._root
        settings = home._settings.get(name, {})
        kind = home.kinds.get(str(settings.get("kind", name)))
        if kind is None:
            raise ModelUnknownError(
                f"there is no provider named {name!r}", provider=name, hint=_near(name, home._names())
            )
        return home.make(name if name in home._settings else kind.name, kind, settings)

    def make(
        self,
        name: str,
        kind: ProviderKind,
        settings: Mapping[str, Any],
        *,
        environ: Mapping[str, str] | None = None,
        client: Any = None,
    ) -> Provider:
        """Make a provider from settings and keep it here under ``name``.

        Args:
            name: What it goes by.
            kind: Its kind.
            settings: See :func:`configure`.
            environ: Where it finds what the settings do not say; the directory's own environment if not given.
            client: The HTTP client to use instead of the host's own.

        Raises:
            ModelUnknownError: It lacks what its kind needs.
            ConfigError: A setting is not what it should be.
        """
        config = configure(name, kind, settings, self.environ if environ is None else environ, client)
        if missing := kind.missing(config):
            raise ModelUnknownError(f"provider {name!r} is not configured", provider=name, hint=_how_to(kind, missing))
        made = kind.create(config)
        self.add(made)
        return made

    def resolve(self, name: str | None = None) -> Resolved:
        """Return what a model's name means.

        Args:
            name: ``"provider:model"``, ``"provider"`` (its default model), a model's name that the price list knows
                for a usable provider, or None for the default.

        Raises:
            ModelUnknownError: Nothing of that name is there or configured.
        """
        if not name:
            return self._resolve_default()
        name = self._root._aliases.get(name, name)
        head, colon, tail = name.partition(":")
        if self._knows(head):
            return Resolved(self.provider(head), tail or None)
        if not colon and (owner := self._owner_of(name)) is not None:
            return Resolved(self.provider(owner), name)
        raise ModelUnknownError(
            f"there is no provider {head!r} for the model {name!r}"
            if colon
            else f"no configured provider is known to serve a model {name!r}",
            model=name,
            hint=f"write provider:model; {_near(head, self._names())}",
        )

    def _resolve_default(self) -> Resolved:
        default = self._default or self._root._default or self.environ.get(MODEL_VARIABLE)
        if default:
            return self.resolve(default)
        usable = self.usable()
        if not usable:
            raise ModelUnknownError(
                "there is no model to ask",
                hint="pip install llmspell-local, or set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, "
                "OLLAMA_BASE_URL or LLMSPELL_BASE_URL",
            )
        return Resolved(self.provider(usable[0].name), None)

    def set_default(self, name: str | None) -> None:
        """Change what ``None`` means; the name is checked first.

        Raises:
            ModelUnknownError: As :meth:`resolve`.
        """
        if name:
            self.resolve(name)
        self._default = name

    @property
    def default(self) -> str | None:
        return self._default

    @property
    def _root(self) -> Directory:
        return self if self._parent is None else self._parent._root

    def _lookup(self, name: str) -> Provider | None:
        if name in self._providers:
            return self._providers[name]
        if self._parent is not None:
            return self._parent._lookup(name)
        kind = self.kinds.get(name)
        return self._providers.get(kind.name) if kind is not None else None

    def _knows(self, name: str) -> bool:
        return self._lookup(name) is not None or name in self.kinds or name in self._root._settings

    def _names(self) -> set[str]:
        return {*self.kinds, *self._root._settings, *(p.name for p in self)}

    def _configured(self, kind: ProviderKind) -> ProviderConfig:
        return configure(kind.name, kind, self._root._settings.get(kind.name, {}), self.environ)

    def _owner_of(self, model: str) -> str | None:
        from llmspell_llm.prices import providers_of

        usable = {kind.prices: kind.name for kind in reversed(self._root.usable()) if kind.prices}
        return next((usable[owner] for owner in providers_of(model) if owner in usable), None)

    async def close(self) -> None:
        """Close every provider made here, also when one fails to.

        Raises:
            ExceptionGroup: Of what went wrong.
        """
        failures: list[Exception] = []
        while self._providers:
            _, provider = self._providers.popitem()
            try:
                await provider.close()
            except Exception as error:  # noqa: BLE001 - collected and raised below
                failures.append(error)
        if failures:
            raise ExceptionGroup("model providers failed to close", failures)


def _near(name: str, known: Mapping[str, object] | set[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"providers: {', '.join(sorted(known)) or 'none'}"


def _how_to(kind: ProviderKind, missing: list[str]) -> str:
    wanted = [
        " or ".join(variable for need in entry.split(" or ") for variable in kind.variables(need) or (need,))
        for entry in missing
    ]
    return "set " + " and ".join(wanted)
