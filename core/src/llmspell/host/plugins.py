"""The plugins of one host: loaded, checked, and asked by hook; no process-wide state."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pluggy

from llmspell.bridge import BridgeRegistry, BridgeSpec
from llmspell.bridge.base import API_VERSION as BRIDGE_API_VERSION
from llmspell.engine import API_VERSION, EngineSpec
from llmspell.errors import EngineNotFoundError, PluginError, PluginLoadError, PluginVersionError
from llmspell.host.discovery import Found, Owner, find
from llmspell.host.hooks import Hooks, check_hooks, say
from llmspell.host.hookspecs import PROJECT, CallRequest, Denial, Event, LlmspellSpecs, RunRequest
from llmspell.host.installed import normalize
from llmspell.host.offers import Kind, Offer, Resolution, Resolver, check_name
from llmspell.host.reports import PluginReport
from llmspell.policy import Policy, PolicyPreset
from llmspell.policy.policy import PROFILES
from llmspell.values import ConverterSpec

if TYPE_CHECKING:
    import click

SLOW_IMPORT = 1.0
"""Seconds after which a plugin's import earns a warning: more than a whole cold start should take."""

_log = logging.getLogger("llmspell.plugins")


@dataclass(slots=True)
class _Plugin:
    """A plugin that is in use, and what it offers."""

    owner: Owner
    target: object
    seconds: float = 0.0
    engines: tuple[EngineSpec, ...] = ()
    bridges: tuple[BridgeSpec, ...] = ()
    converters: tuple[ConverterSpec, ...] = ()
    policies: tuple[PolicyPreset, ...] = ()
    warnings: list[str] = field(default_factory=list)


class PluginHost:
    """Load plugins, and hold what they offer.

    Args:
        allow: Names of plugins or distributions to use; None for all that are installed, ``()`` for none.
        block: Names never to load; wins over ``allow``.
        prefer: Who provides a contested name: ``{"engine:lua": "llmspell-lua"}`` or ``{"lua": ...}``.
        slow: Seconds of import time that earn a warning.

    Example:
        >>> from llmspell.plugin import Bridge, BridgeSpec, hookimpl
        >>> class Notes:
        ...     @hookimpl
        ...     def llmspell_bridges(self):
        ...         yield BridgeSpec("notes", factory=Bridge)
        >>> plugins = PluginHost(allow=())
        >>> plugins.register(Notes(), name="notes")
        'notes'
        >>> [spec.name for spec in plugins.bridges]
        ['notes']
    """

    def __init__(
        self,
        allow: Iterable[str] | None = None,
        block: Iterable[str] = (),
        prefer: Mapping[str, str] | None = None,
        *,
        slow: float = SLOW_IMPORT,
    ) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(LlmspellSpecs)
        self._prefer = dict(prefer or {})
        self._slow = slow
        self._plugins: list[_Plugin] = []
        self._gone: list[PluginReport] = []
        self._versions: dict[str, PluginVersionError] = {}
        self._hooks = Hooks(self._manager, self._warn)
        self.has_authorizers = False
        self.has_observers = False
        self.has_narrowers = False
        self.has_narrowers = False
        self._discover(None if allow is None else tuple(allow), tuple(block))

    def _discover(self, allow: tuple[str, ...] | None, block: tuple[str, ...]) -> None:
        if allow is not None and not allow:
            return
        known: set[str] = set()
        for found in find():
            owner = found.owner
            known |= {normalize(owner.plugin), normalize(owner.distribution)}
            if allow is not None and not owner.is_named(allow):
                continue
            if owner.is_named(block):
                self._gone.append(PluginReport(owner.plugin, owner.distribution, owner.version, "blocked"))
            else:
                self._load(found)
        for name in allow or ():
            if normalize(name) not in known:
                close = difflib.get_close_matches(name, known - {""}, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                self._gone.append(PluginReport(name, status="failed", error=f"it is not installed{hint}"))

    def _load(self, found: Found) -> None:
        loaded = found.load()
        error: BaseException | None = loaded.error
        if error is None:
            try:
                self._add(_Plugin(loaded.owner, loaded.target, loaded.seconds))
                return
            except PluginError as refusal:
                error = refusal
        owner = loaded.owner
        text = error.message if isinstance(error, PluginError) else say(error)
        self._gone.append(
            PluginReport(owner.plugin, owner.distribution, owner.version, "failed", text, round(loaded.seconds, 4))
        )
        _log.warning("plugin %s cannot be used: %s", owner, text)

    def register(self, plugin: object, name: str | None = None) -> str:
        """Add a plugin object of the program's own: a module, an instance, or a class to make one of.

        Returns:
            Its name, as reports and messages use it.

        Raises:
            PluginLoadError: It has an ``async`` or unknown hook, or offers something that is not a description.
            PluginVersionError: It offers something written for another version of the contract.
        """
        target = plugin() if isinstance(plugin, type) else plugin
        name = name or getattr(target, "__name__", None) or type(target).__name__
        self._add(_Plugin(Owner(name), target))
        return name

    def _add(self, plugin: _Plugin) -> None:
        """Check a plugin, ask it what it offers, and take it in; on any failure nothing of it stays."""
        owner, target = plugin.owner, plugin.target
        key = f"{owner.distribution}:{owner.plugin}"
        check_hooks(self._manager, owner, target)
        try:
            self._manager.register(target, name=key)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginLoadError(
                f"plugin {owner} cannot be registered: {str(error).splitlines()[0]}", plugin=owner.plugin
            ) from error
        try:
            plugin.engines = self._offered(owner, "llmspell_engines", EngineSpec)
            plugin.bridges = self._offered(owner, "llmspell_bridges", BridgeSpec)
            plugin.converters = self._offered(owner, "llmspell_converters", ConverterSpec)
            plugin.policies = self._offered(owner, "llmspell_policies", PolicyPreset)
            self._check_specs(plugin)
        except BaseException:
            self._manager.unregister(name=key)
            raise
        if plugin.seconds > self._slow:
            plugin.warnings.append(f"its import took {plugin.seconds:.1f} s")
            _log.warning("plugin %s is slow to import: %.1f s", owner, plugin.seconds)
        self._plugins.append(plugin)
        self.has_authorizers = bool(self._hooks.implementations("llmspell_authorize"))
        self.has_observers = bool(self._hooks.implementations("llmspell_on_event"))
        self.has_narrowers = bool(self._hooks.implementations("llmspell_narrow_policy"))
        self.has_narrowers = bool(self._hooks.implementations("llmspell_narrow_policy"))
        for cached in ("_engine_table", "_bridge_table", "policies"):
            self.__dict__.pop(cached, None)

    def _offered(self, owner: Owner, hook: str, kind: type[Any]) -> tuple[Any, ...]:
        """Call one plugin's hook and lay its answer out, so that what a generator raises is that plugin's."""
        key = f"{owner.distribution}:{owner.plugin}"
        found: list[Any] = []
        for implementation in self._hooks.implementations(hook):
            if implementation.plugin_name != key:
                continue
            try:
                answer: Any = implementation.function()
                found.extend(() if answer is None else answer)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise PluginLoadError(f"plugin {owner} failed in {hook}: {say(error)}", plugin=owner.plugin) from error
        for item in found:
            if not isinstance(item, kind):
                raise PluginLoadError(
                    f"plugin {owner}: {hook} gave a {type(item).__name__}, not {kind.__name__} objects",
                    plugin=owner.plugin,
                )
        return tuple(found)

    def _check_specs(self, plugin: _Plugin) -> None:
        offers: list[tuple[Kind, EngineSpec | BridgeSpec, int]] = [
            *(("engine", spec, API_VERSION) for spec in plugin.engines),
            *(("bridge", spec, BRIDGE_API_VERSION) for spec in plugin.bridges),
        ]
        seen: set[tuple[str, str]] = set()
        for kind, spec, api in offers:
            if spec.api != api:
                raise self._wrong_version(plugin.owner, kind, spec, api)
            names: list[tuple[Kind, str]] = [(kind, name) for name in (spec.name, *spec.aliases)]
            if isinstance(spec, EngineSpec):
                names += [("extension", extension) for extension in spec.extensions]
            for sort, name in names:
                try:
                    check_name(sort, name)
                except ValueError as error:
                    raise PluginLoadError(f"plugin {plugin.owner}: {error}", plugin=plugin.owner.plugin) from None
                if (sort, name) in seen:
                    raise PluginLoadError(
                        f"plugin {plugin.owner} offers {sort} {name!r} twice", plugin=plugin.owner.plugin
                    )
                seen.add((sort, name))

    def _wrong_version(self, owner: Owner, kind: Kind, spec: EngineSpec | BridgeSpec, api: int) -> PluginVersionError:
        what = owner.distribution or f"plugin {owner.plugin!r}"
        remedy = f"upgrade {what}" if spec.api < api else "upgrade llmspell"
        error = PluginVersionError(
            f"{kind} {spec.name!r} of {owner} was written for version {spec.api} of the plugin contract; "
            f"this llmspell speaks version {api}",
            plugin=owner.plugin,
            hint=f"{remedy}, or block the plugin",
        )
        for name in (spec.name, *spec.aliases):
            self._versions[f"{kind}:{name}"] = error
        return error

    @cached_property
    def _engine_table(self) -> Resolution[EngineSpec]:
        offers = [Offer(plugin.owner, spec) for plugin in self._plugins for spec in plugin.engines]
        return Resolver[EngineSpec]("engine", self._prefer).resolve(offers)

    @cached_property
    def _bridge_table(self) -> Resolution[BridgeSpec]:
        offers = [Offer(plugin.owner, spec) for plugin in self._plugins for spec in plugin.bridges]
        return Resolver[BridgeSpec]("bridge", self._prefer).resolve(offers)

    @property
    def engines(self) -> dict[str, EngineSpec]:
        """The engines that can be used, by name; contested ones are absent, and raise in :meth:`engine`."""
        return dict(self._engine_table.specs)

    @property
    def bridges(self) -> tuple[BridgeSpec, ...]:
        """The bridges that can be used; contested ones are absent."""
        return tuple(self._bridge_table.specs.values())

    @property
    def converters(self) -> tuple[ConverterSpec, ...]:
        """All converters, in the order plugins were loaded; later ones win."""
        return tuple(spec for plugin in self._plugins for spec in plugin.converters)

    @cached_property
    def policies(self) -> dict[str, PolicyPreset]:
        """Policies that plugins offer, by name. A built-in profile cannot be replaced."""
        found: dict[str, PolicyPreset] = {}
        for plugin in self._plugins:
            for preset in plugin.policies:
                if preset.name in PROFILES or preset.name in found:
                    plugin.warnings.append(f"its policy {preset.name!r} is not used: the name is taken")
                else:
                    found[preset.name] = preset
        return found

    def bridge_registry(self) -> BridgeRegistry:
        """Return a registry of all bridges, which raises for a contested name when it is asked for."""
        registry = BridgeRegistry(self.bridges)
        for key, error in {**self._versions, **self._bridge_table.refused}.items():
            kind, _, name = key.partition(":")
            if kind == "bridge" and name not in registry:
                registry.refuse(name, error)
        return registry

    def engine(self, name: str) -> EngineSpec:
        """Return an engine by name or alias.

        Raises:
            EngineNotFoundError: With the nearest name, or the plugins that failed to load.
            PluginConflictError, PluginVersionError: The name is contested, or written for another contract.
        """
        spec = self._engine_table.specs.get(name)
        for other in () if spec is not None else self._engine_table.specs.values():
            if name in other.aliases:
                return other
        if spec is not None:
            return spec
        self._refuse("engine", name)
        names = [known for other in self._engine_table.specs.values() for known in (other.name, *other.aliases)]
        raise EngineNotFoundError(f"there is no engine named {name!r}", name=name, hint=self._engine_hint(name, names))

    def engine_for(self, filename: str) -> EngineSpec:
        """Return the engine for a file by the ending of its name; the longest ending wins.

        Raises:
            EngineNotFoundError: No engine takes such files.
            PluginConflictError: More than one does.
        """
        table = self._engine_table
        endings = {*table.extensions, *(key.partition(":")[2] for key in table.refused if key.startswith("extension:"))}
        lower = filename.lower()
        for ending in sorted(endings, key=len, reverse=True):
            if lower.endswith(ending.lower()):
                self._refuse("extension", ending)
                return table.extensions[ending]
        known = sorted(table.extensions)
        raise EngineNotFoundError(
            f"no engine takes files like {filename!r}",
            name=filename,
            hint=f"name the engine, or use one of the endings {', '.join(known)}"
            if known
            else self._engine_hint("", []),
        )

    def _refuse(self, kind: Kind, name: str) -> None:
        key = f"{kind}:{name}"
        table = self._bridge_table if kind == "bridge" else self._engine_table
        error = table.refused.get(key) or self._versions.get(key)
        if error is not None:
            raise type(error)(error.message, plugin=error.plugin, hint=error.hint)

    def _engine_hint(self, name: str, names: list[str]) -> str:
        if close := difflib.get_close_matches(name, names, 1):
            return f"did you mean {close[0]!r}?"
        failed = [report.name for report in self._gone if report.status == "failed"]
        if failed:
            return f"these plugins failed to load: {', '.join(failed)}; see llmspell plugins"
        if names:
            return f"engines: {', '.join(sorted(self._engine_table.specs))}"
        return 'no engine is installed; try: pip install "llmspell[all]"'

    def authorize(self, call: CallRequest) -> Denial | None:
        """Ask every plugin about a host call; any denial wins, and a failure is a denial."""
        return self._hooks.authorize(call)

    def narrow_policy(self, request: RunRequest) -> list[Policy]:
        """Ask every plugin which policies the run's is to be intersected with.

        Raises:
            PolicyDeniedError: A plugin failed to answer, so the run cannot be known to be allowed.
        """
        return self._hooks.narrow_policy(request)

    def emit(self, event: Event) -> None:
        """Tell every observer; what one raises is reported once per plugin and changes nothing."""
        self._hooks.emit(event)

    def commands(self, cli: click.Group, reserved: Collection[str] = ()) -> None:
        """Let plugins add subcommands; none can replace one that is there or ``reserved``."""
        self._hooks.commands(cli, reserved)

    def _warn(self, target: object, text: str) -> None:
        for plugin in self._plugins:
            if plugin.target is target:
                plugin.warnings.append(text)

    def reports(self) -> list[PluginReport]:
        """Tell what became of every plugin, by distribution and name."""
        _ = self.policies
        contested: dict[Owner, PluginError] = {**self._engine_table.contested, **self._bridge_table.contested}
        reports = list(self._gone)
        for plugin in self._plugins:
            owner = plugin.owner
            report = PluginReport(
                owner.plugin,
                owner.distribution,
                owner.version,
                load_seconds=round(plugin.seconds, 4),
                engines=tuple(spec.name for spec in plugin.engines),
                bridges=tuple(spec.name for spec in plugin.bridges),
                warnings=tuple(plugin.warnings),
            )
            if owner in contested:
                report = replace(report, status="conflict", error=contested[owner].message)
            reports.append(report)
        return sorted(reports, key=lambda report: (normalize(report.distribution), report.name))
