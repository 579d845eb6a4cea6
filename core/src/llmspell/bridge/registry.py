"""The life of bridges: opened on first use in dependency order, closed in reverse."""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from llmspell.bridge.base import Bridge, BridgeContext, BridgeSpec
from llmspell.errors import BridgeNotFoundError, LlmspellError, PluginError, PluginLoadError, PluginVersionError

_REQUIREMENT = re.compile(r"\s*([A-Za-z_][\w-]*)\s*((?:[<>=!~]=?|===)\s*[\w.*,<>=!~ ]+)?\s*")


def load_factory(factory: Any, what: str) -> Any:
    """Import ``"module:attr"``; anything else is returned as it is.

    Raises:
        PluginLoadError: Naming ``what`` and the reason.
    """
    if not isinstance(factory, str):
        return factory
    module, _, attribute = factory.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        return found
    except Exception as error:
        raise PluginLoadError(
            f"{what} cannot be loaded from {factory!r}: {type(error).__name__}: {error}",
            plugin=what,
            hint="reinstall its distribution, or block it with --block",
        ) from error


def _satisfies(version: str, constraint: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(constraint).contains(version, prereleases=True)


class BridgeRegistry:
    """All bridges a host knows, by name and alias. Holds descriptions, not instances."""

    def __init__(self, specs: Iterable[BridgeSpec] = ()) -> None:
        self._specs: dict[str, BridgeSpec] = {}
        self._refused: dict[str, PluginError] = {}
        for spec in specs:
            self.add(spec)

    def add(self, spec: BridgeSpec) -> None:
        for name in (spec.name, *spec.aliases):
            self._specs[name] = spec

    def refuse(self, name: str, error: PluginError) -> None:
        """Keep a name from being used; ``error`` says why, when somebody asks for it."""
        self._refused[name] = error

    def remove(self, name: str) -> None:
        spec = self.get(name)
        for known in (spec.name, *spec.aliases):
            self._specs.pop(known, None)

    @property
    def names(self) -> tuple[str, ...]:
        """Names and aliases, sorted."""
        return tuple(sorted(self._specs))

    def __iter__(self) -> Any:
        return iter(sorted({spec.name: spec for spec in self._specs.values()}.values(), key=lambda s: s.name))

    def __contains__(self, name: str) -> bool:
        return name in self._specs

    def get(self, name: str) -> BridgeSpec:
        """Return a bridge's description.

        Raises:
            BridgeNotFoundError: With the nearest name there is.
            PluginError: The name was refused, e.g. because two plugins offer it.
        """
        try:
            return self._specs[name]
        except KeyError:
            if (refusal := self._refused.get(name)) is not None:
                raise type(refusal)(refusal.message, plugin=refusal.plugin, hint=refusal.hint) from None
            close = difflib.get_close_matches(name, self._specs, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"bridges: {', '.join(self.names) or 'none'}"
            raise BridgeNotFoundError(f"there is no bridge named {name!r}", name=name, hint=hint) from None

    def order(self, name: str) -> list[BridgeSpec]:
        """Return what must be opened for ``name``, dependencies first.

        Raises:
            BridgeNotFoundError: A required bridge is missing.
            PluginLoadError: Bridges require each other in a circle.
            PluginVersionError: A required bridge has an unsuitable version.
        """
        done: dict[str, BridgeSpec] = {}
        self._visit(self.get(name), [], done)
        return list(done.values())

    def _visit(self, spec: BridgeSpec, path: list[str], done: dict[str, BridgeSpec]) -> None:
        if spec.name in done:
            return
        if spec.name in path:
            circle = " -> ".join([*path[path.index(spec.name) :], spec.name])
            raise PluginLoadError(f"bridges require each other in a circle: {circle}", plugin=spec.name)
        for requirement in requirements_of(spec):
            match = _REQUIREMENT.fullmatch(requirement)
            if match is None:
                raise PluginLoadError(
                    f"bridge {spec.name!r} has an unreadable requirement {requirement!r}", plugin=spec.name
                )
            wanted, constraint = match[1], match[2]
            if wanted not in self._specs and wanted not in self._refused:
                raise BridgeNotFoundError(
                    f"bridge {spec.name!r} requires bridge {wanted!r}, which is not installed", name=wanted
                )
            needed = self.get(wanted)
            if constraint and not _satisfies(needed.version, constraint):
                raise PluginVersionError(
                    f"bridge {spec.name!r} requires {requirement}, but {needed.name} is {needed.version}",
                    plugin=spec.name,
                )
            self._visit(needed, [*path, spec.name], done)
        done[spec.name] = spec


def requirements_of(spec: BridgeSpec) -> tuple[str, ...]:
    """Return what a bridge requires: as its spec says, or its class where that is already at hand."""
    if spec.requires or isinstance(spec.factory, str):
        return spec.requires
    return tuple(getattr(spec.factory, "requires", ()))


class BridgeSet:
    """The opened bridges of one scope (a host or a session).

    Args:
        registry: Where descriptions come from.
        scope: Which bridges live here; others are asked of ``parent``.
        parent: The host's set, for a session's.
    """

    def __init__(
        self,
        registry: BridgeRegistry,
        *,
        scope: str = "host",
        parent: BridgeSet | None = None,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str] | None = None,
        services: Mapping[str, Any] | None = None,
    ) -> None:
        self._registry = registry
        self._scope = scope
        self._parent = parent
        self._config = config or {}
        self._environ = environ or {}
        self._services = services or {}
        self._open: dict[str, Bridge] = {}
        self._opening: dict[str, Any] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names and aliases of every bridge there is, open or not."""
        return self._registry.names

    def peek(self, name: str) -> Bridge | None:
        """Return a bridge if it is open."""
        bridge = self._open.get(name)
        if bridge is None and self._parent is not None:
            return self._parent.peek(name)
        return bridge

    def get(self, name: str) -> Bridge | Awaitable[Bridge]:
        """Return a bridge, opened if need be.

        A bridge whose ``open`` does nothing is returned at once; else an awaitable of it.

        Raises:
            BridgeNotFoundError, PluginLoadError, PluginVersionError: It or what it requires cannot be used.
        """
        bridge = self.peek(name)
        if bridge is not None:
            return bridge
        for spec in self._registry.order(name):
            home = self._home(spec)
            if spec.name in home._open:
                continue
            if spec.name in home._opening:
                return self._open_all(name)
            made = home._make(spec)
            if type(made).open is not Bridge.open:
                home._opening.setdefault(spec.name, made)
                return self._open_all(name)
            home._keep(spec, made)
        bridge = self.peek(name)
        assert bridge is not None
        return bridge

    async def _open_all(self, name: str) -> Bridge:
        for spec in self._registry.order(name):
            await self._home(spec)._open_one(spec, self)
        bridge = self.peek(name)
        assert bridge is not None
        return bridge

    async def _open_one(self, spec: BridgeSpec, asker: BridgeSet) -> None:
        import asyncio

        pending = self._opening.get(spec.name)
        if isinstance(pending, asyncio.Future):
            await asyncio.shield(pending)
            return
        if spec.name in self._open:
            return
        made = pending if pending is not None else self._make(spec)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opening[spec.name] = future
        context = BridgeContext(
            config=self._config.get(spec.name, {}),
            bridges={
                found.name: bridge
                for found in self._registry.order(spec.name)[:-1]
                if (bridge := asker.peek(found.name)) is not None
            },
            environ=self._environ,
            services=self._services,
        )
        try:
            await made.open(context)
        except BaseException as error:
            del self._opening[spec.name]
            if isinstance(error, Exception):
                failure = (
                    error
                    if isinstance(error, LlmspellError)
                    else PluginLoadError(
                        f"bridge {spec.name!r} cannot be opened: {type(error).__name__}: {error}",
                        plugin=spec.name,
                    )
                )
                future.set_exception(failure)
                future.exception()
                if failure is not error:
                    raise failure from error
            else:
                future.cancel()
            raise
        self._keep(spec, made)
        del self._opening[spec.name]
        future.set_result(None)

    def _home(self, spec: BridgeSpec) -> BridgeSet:
        return self if self._parent is None or spec.scope == self._scope else self._parent._home(spec)

    def _make(self, spec: BridgeSpec) -> Bridge:
        factory = load_factory(spec.factory, f"bridge {spec.name!r}")
        try:
            made = factory()
        except Exception as error:
            raise PluginLoadError(
                f"bridge {spec.name!r} cannot be made: {type(error).__name__}: {error}", plugin=spec.name
            ) from error
        if not isinstance(made, Bridge):
            raise PluginLoadError(
                f"bridge {spec.name!r}: its factory made a {type(made).__name__}, not a Bridge",
                plugin=spec.name,
            )
        return made

    def _keep(self, spec: BridgeSpec, bridge: Bridge) -> None:
        for name in (spec.name, *spec.aliases):
            self._open[name] = bridge

    async def reload(self, name: str) -> Bridge:
        """Close a bridge, and open it anew.

        Raises:
            BridgeNotFoundError: No such bridge.
        """
        spec = self._registry.get(name)
        home = self._home(spec)
        old = home._open.get(spec.name)
        for known in (spec.name, *spec.aliases):
            home._open.pop(known, None)
        if old is not None:
            await old.close()
        return await self._open_all(name)

    async def health(self) -> dict[str, dict[str, Any]]:
        """Ask every open bridge how it is; one that raises is not ok."""
        report: dict[str, dict[str, Any]] = {}
        for name, bridge in list(self._open.items()):
            try:
                report[name] = await bridge.health()
            except Exception as error:  # noqa: BLE001 - a sick bridge is the answer here, not a failure
                report[name] = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        return report

    @property
    def needs_async_close(self) -> bool:
        """Tell whether closing has anything to await."""
        return any(type(bridge).close is not Bridge.close for bridge in self._open.values())

    async def close(self) -> None:
        """Close all, last opened first.

        Raises:
            ExceptionGroup: Of what went wrong, after all were closed.
        """
        bridges = list(dict.fromkeys(self._open.values()))
        self._open.clear()
        errors: list[Exception] = []
        for bridge in reversed(bridges):
            try:
                await bridge.close()
            except Exception as error:  # noqa: BLE001 - collected and raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("bridges failed to close", errors)
