"""The ``providers`` bridge."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

from llmspell.errors import ArgumentError, BridgeError, ConfigError, PolicyDeniedError
from llmspell.plugin import Bridge, BridgeContext, Call, Secret, export
from llmspell_llm.bridges.llm import LlmBridge
from llmspell_llm.errors import ModelError
from llmspell_llm.names import snake_keys
from llmspell_llm.pool import Member, Pool, PoolProvider, PoolSettings
from llmspell_llm.providers.configured import configure, unknown_settings
from llmspell_llm.providers.directory import Directory
from llmspell_llm.providers.provider import Provider, ProviderKind

_TOGETHER = {"primary": "primary", "fastest": "race", "consensus": "consensus"}
Config = Annotated[dict[str, Any], Secret()]


class ProvidersBridge(Bridge):
    """Who serves models: the kinds there are, those that are configured, and a session's own.

    A provider made here is known to ``llm``, ``pool`` and ``agent`` of the same session by its name, and nobody else.
    """

    name = "providers"
    requires = ("llm",)
    permissions = ("net",)

    async def open(self, context: BridgeContext) -> None:
        """Stand on the session's ``llm``."""
        llm = context.bridges["llm"]
        assert isinstance(llm, LlmBridge)
        self._llm = llm
        self._settings: dict[str, dict[str, Any]] = {}
        self._metadata: dict[str, dict[str, Any]] = {}

    @property
    def _directory(self) -> Directory:
        return self._llm.asking.directory

    @export
    def kinds(self) -> list[dict[str, Any]]:
        """List the kinds of providers: ``{kind, title, required, optional, default_model, capabilities, ...}``."""
        kinds = {kind.name: kind for kind in self._directory.kinds.values()}
        return [_kind_value(kinds[name], self._directory) for name in sorted(kinds)]

    @export
    def kind(self, name: str) -> dict[str, Any]:
        """Tell what one kind of provider needs and can do."""
        return _kind_value(self._directory.kind(name), self._directory)

    @export
    async def create(self, call: Call, name: str, config: Config) -> dict[str, Any]:
        """Make a provider and give it a name.

        Args:
            name: What ``model = "name:model"`` will say.
            config: ``kind`` (the name by default), ``api_key`` or ``api_key_variable``, ``base_url``, ``model`` (its
                default), and what else the kind understands. With a ``base_url`` of its own a provider gets no key
                from the environment, and the policy must grant its host.
        """
        self._check_name(name)
        kind = self._directory.kind(str(config.get("kind", name)))
        settings = snake_keys(config)
        if "credentials_file" in settings:
            raise PolicyDeniedError("a spell does not name files that hold credentials; the host's environment does")
        if (variable := settings.pop("api_key_variable", None)) is not None:
            settings["api_key"] = _granted_secret(call, str(variable))
        client = None
        environ: Mapping[str, str] | None = None
        if settings.get("base_url") is not None:
            client = _guarded_client(call, settings["base_url"], settings.get("api_key"))
            # The host's keys are for the host's addresses: a script must not have them sent to its own.
            environ = {}
        elif settings.get("api_key") is not None:
            environ = {}
        provider = self._directory.make(name, kind, settings, environ=environ, client=client)
        self._settings[name] = {key: value for key, value in snake_keys(config).items() if key != "api_key"}
        return self._value(provider)

    @export
    def from_environment(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """Make a provider of a kind from the host's environment, under a name of its own if one is given."""
        found = self._directory.kind(kind)
        if name is None or name == found.name:
            return self._value(self._directory.provider(found.name))
        self._check_name(name)
        provider = self._directory.make(name, found, {})
        self._settings[name] = {"kind": found.name}
        return self._value(provider)

    @export
    def fake(self, name: str, replies: list[Any], *, patterns: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a provider that gives scripted replies in order, for tests.

        Args:
            name: What it goes by.
            replies: Texts, or tables with ``text``, ``chunks``, ``tool_calls``, ``error``, ``status``, ...
            patterns: Replies by regular expression, tried first.
        """
        self._check_name(name)
        settings = {"kind": "fake", "replies": replies, "patterns": patterns or {}}
        provider = self._directory.make(name, self._directory.kind("fake"), settings)
        self._settings[name] = settings
        return self._value(provider)

    @export
    def multi(
        self,
        name: str,
        providers: list[str | dict[str, Any]],
        strategy: str = "primary",
        *,
        consensus_threshold: float | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Make one provider of several.

        Args:
            name: What it goes by.
            providers: Models, ``"provider:model"`` or ``{provider, weight, primary}`` each.
            strategy: ``primary`` (the first that works), ``fastest`` (all at once, the first answer counts) or
                ``consensus`` (all at once, what most of them say counts).
            consensus_threshold: Share of the members that must agree; half by default.
            timeout: Milliseconds each has for its answer.
        """
        self._check_name(name)
        if strategy not in _TOGETHER:
            known = ", ".join(_TOGETHER)
            raise ArgumentError(f"there is no strategy {strategy!r}; strategies: {known}", parameter="strategy")
        changes = {"consensus_threshold": consensus_threshold, "timeout": timeout}
        settings = PoolSettings(max_retries=0).changed({k: v for k, v in changes.items() if v is not None})
        pool = Pool(name, members_from(providers, self._directory), _TOGETHER[strategy], settings)
        provider = PoolProvider(pool, self._directory, self._llm.asking.connections)
        self._directory.add(provider)
        self._settings[name] = {"kind": "multi", "providers": providers, "strategy": strategy}
        return self._value(provider)

    @export
    def configure_multi(self, name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Change settings of a multi-provider: ``consensus_threshold``, ``timeout``, ``max_retries``, ..."""
        provider = self._directory.provider(name)
        if not isinstance(provider, PoolProvider):
            raise ArgumentError(f"provider {name!r} is not one of several", parameter="name")
        provider.pool.settings = provider.pool.settings.changed(snake_keys(config))
        return self._value(provider)

    @export
    def get(self, name: str) -> dict[str, Any]:
        """Tell about a provider: ``{name, kind, model, capabilities, metadata, ...}``. Keys are never told."""
        return self._value(self._directory.provider(name))

    @export(name="list")
    def list_(self) -> list[dict[str, Any]]:
        """List every provider that can be asked: the configured ones and the session's own."""
        names = dict.fromkeys([*self._directory.configured(), *(provider.name for provider in self._directory)])
        return [self._value(self._directory.provider(name)) for name in names]

    @export
    async def remove(self, name: str) -> None:
        """Forget a provider of the session. Configured ones stay."""
        provider = self._directory.remove(name)
        self._settings.pop(name, None)
        self._metadata.pop(name, None)
        self._llm.asking.connections.forget(provider)
        await provider.close()

    @export
    def validate(self, kind: str, config: Config) -> dict[str, Any]:
        """Check a configuration without making anything: ``{valid, errors}``."""
        errors: list[str] = []
        try:
            found = self._directory.kind(kind)
            settings = snake_keys(config)
            unknown = unknown_settings(found, settings)
            errors.extend(f"{option!r} is not a setting" for option in unknown)
            if settings.pop("api_key_variable", None) is not None:
                settings["api_key"] = "from a variable"
            checked = configure(kind, found, {k: v for k, v in settings.items() if k not in unknown}, {})
            errors.extend(f"{need} is missing" for need in found.missing(checked))
        except (ConfigError, ModelError) as error:
            errors.append(error.message)
        return {"valid": not errors, "errors": errors}

    @export
    async def test(self, name: str) -> dict[str, Any]:
        """Find out whether a provider answers: ``{ok, provider, seconds, models, error}``. Costs nothing."""
        began = time.perf_counter()
        models: list[str] = []
        error: ModelError | None = None
        try:
            provider = self._directory.provider(name)
            if isinstance(provider, PoolProvider):
                await self._llm.asking.connect(name)
                models = [member.name for member in provider.pool.members]
            else:
                models = await self._llm.asking.connections.list_models(provider)
        except ModelError as failure:
            error = failure
        return {
            "ok": error is None,
            "provider": name,
            "seconds": time.perf_counter() - began,
            "models": models,
            "error": None if error is None else {"code": error.code, "message": error.message},
        }

    @export
    def capabilities(self, name: str) -> list[str]:
        """Tell what a provider's interface can do: ``streaming``, ``tools``, ``structured_output``, ..."""
        return _capabilities(self._directory.provider(name), self._directory)

    @export
    def by_capability(self, capability: str) -> list[str]:
        """Return the names of the providers that can do something."""
        return [entry["name"] for entry in self.list_() if capability in entry["capabilities"]]

    @export
    def set_metadata(self, name: str, metadata: dict[str, Any]) -> None:
        """Keep notes about a provider."""
        self._directory.provider(name)
        self._metadata[name] = metadata

    @export
    def get_metadata(self, name: str) -> dict[str, Any]:
        """Return the notes about a provider."""
        self._directory.provider(name)
        return self._metadata.get(name, {})

    @export(name="export")
    def export_(self) -> dict[str, Any]:
        """Return the session's own providers as data that ``import`` takes. It holds no keys."""
        return {
            "version": 1,
            "providers": [
                {"name": name, "config": settings, "metadata": self._metadata.get(name, {})}
                for name, settings in self._settings.items()
            ],
        }

    @export(name="import")
    async def import_(self, call: Call, config: Config) -> list[str]:
        """Make the providers of an export; return their names."""
        entries = config.get("providers")
        if not isinstance(entries, list) or not all(isinstance(e, dict) and "name" in e for e in entries):
            raise ArgumentError("this is no export of providers", parameter="config")
        names = []
        for entry in entries:
            name, settings = str(entry["name"]), dict(entry.get("config") or {})
            if settings.get("kind") == "multi":
                self.multi(name, settings["providers"], settings["strategy"])
            elif settings.get("kind") == "fake":
                self.fake(name, settings.get("replies", []), patterns=settings.get("patterns"))
            elif set(settings) == {"kind"}:
                self.from_environment(settings["kind"], name)
            else:
                await self.create(call, name, settings)
            if entry.get("metadata"):
                self._metadata[name] = entry["metadata"]
            names.append(name)
        return names

    def _check_name(self, name: str) -> None:
        if not name or ":" in name or not name.replace("-", "_").replace(".", "_").isidentifier():
            raise ArgumentError(f"{name!r} is no name for a provider: use letters, digits, '-', '_'", parameter="name")
        if name in self._directory.kinds or name in self._directory.configured():
            raise BridgeError(f"{name!r} is the name of a provider of the host", code="name_taken")
        if name in self._settings:
            raise BridgeError(f"there is a provider {name!r} already; remove it first", code="name_taken")

    def _value(self, provider: Provider) -> dict[str, Any]:
        value: dict[str, Any] = {
            "name": provider.name,
            "kind": provider.kind,
            "model": provider.default_model,
            "capabilities": _capabilities(provider, self._directory),
            "metadata": self._metadata.get(provider.name, {}),
            "own": provider.name in self._settings,
        }
        if isinstance(provider, PoolProvider):
            value["strategy"] = provider.pool.strategy
            value["providers"] = [member.name for member in provider.pool.members]
        return value


def members_from(given: list[str | dict[str, Any]], directory: Directory) -> list[Member]:
    """Return the members that a script names; a primary one first.

    Raises:
        ArgumentError: An entry makes no sense.
        ModelUnknownError: It names no provider.
    """
    members: list[tuple[bool, Member]] = []
    for entry in given:
        table = {"provider": entry} if isinstance(entry, str) else entry
        name, weight = table.get("provider"), table.get("weight", 1.0)
        if not isinstance(name, str):
            raise ArgumentError("a member is a model's name or {provider, weight}", parameter="providers")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            raise ArgumentError(f"the weight of {name!r} should not be negative", parameter="providers")
        directory.resolve(name)
        if any(member.name == name for _, member in members):
            raise ArgumentError(f"{name!r} stands in the list twice", parameter="providers")
        members.append((not table.get("primary"), Member(name, float(weight))))
    return [member for _, member in sorted(members, key=lambda each: each[0])]


def _kind_value(kind: ProviderKind, directory: Directory) -> dict[str, Any]:
    settings = ["api_key", "base_url", *(kind.options or ())]
    return {
        "kind": kind.name,
        "title": kind.title,
        "required": [*sorted(kind.needs), *([" or ".join(kind.either)] if kind.either else [])],
        "optional": sorted(set(settings) - kind.needs - set(kind.either)),
        "variables": {name: list(found) for name in settings if (found := kind.variables(name))},
        "default_model": kind.default_model,
        "capabilities": sorted(kind.capabilities),
        "aliases": list(kind.aliases),
        "extra": kind.extra or None,
        "configured": kind.name in directory.configured(),
    }


def _capabilities(provider: Provider, directory: Directory) -> list[str]:
    kind = directory.kinds.get(provider.kind)
    return sorted(kind.capabilities) if kind is not None else ["streaming", "structured_output", "tools"]


def _granted_secret(call: Call, variable: str) -> str:
    value = call.secret(variable)
    if value is None:
        raise BridgeError(
            f"the environment variable {variable} is not set, or not granted to this spell", code="denied"
        )
    return value


def _guarded_client(call: Call, url: Any, key: Any) -> Any:
    from llmspell_llm.adapter.http import make_guarded_client

    if not isinstance(url, str):
        raise ArgumentError("base_url should be a text", parameter="config")
    call.net.check_url(url)
    return make_guarded_client(call.net, key if isinstance(key, str) else None)
