"""Modules that a host defines: versions, dependencies, bundles, and the order to load them in."""

from __future__ import annotations

import copy
import difflib
import fnmatch
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from llmspell.engine.source import Source
from llmspell.engine.spec import Gathering
from llmspell.errors import PolicyDeniedError, ScriptModuleNotFoundError, UsageError

_REQUIREMENT = re.compile(r"\s*([A-Za-z_][\w./-]*?)\s*((?:[<>=!~]=?|===).*)?\s*")


@dataclass(frozen=True, slots=True)
class ModuleDefinition:
    """A module of the host's.

    Attributes:
        name: What scripts ``require``.
        loader: Its source, or a function that gives it; called on first use, once.
        dependencies: Other modules, with constraints: ``("text", "json>=1.2,<2")``. They may be defined later.
        profiles: Policy profiles it is for; empty for all.
        priority: Among modules that do not depend on each other, lower ones load first.
    """

    name: str
    loader: Source | Callable[[], Source]
    version: str = "1.0.0"
    description: str = ""
    dependencies: tuple[str, ...] = ()
    profiles: frozenset[str] = frozenset()
    priority: int = 50


@dataclass(frozen=True, slots=True)
class Bundle:
    """A name for several modules; requiring it requires them all."""

    name: str
    members: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Something to be loaded that is made of other modules; every name is ``name@version``, or a bundle's.

    Attributes:
        name: What it goes by, once loaded.
        first: What is loaded for it, in this order.
        same: Whose exports it has; ``""`` for a table of its members.
        members: What is in that table: keys, and names of modules.
    """

    name: str
    first: tuple[str, ...]
    same: str = ""
    members: tuple[tuple[str, str], ...] = ()

    def written(self, language: str, gathering: Gathering) -> Source:
        """Write it as a module of a language."""
        lines = [gathering.load.replace("NAME", name) for name in self.first]
        if self.same:
            lines.append(gathering.same.replace("NAME", self.same))
        else:
            members = [gathering.member.replace("KEY", key).replace("NAME", name) for key, name in self.members]
            lines.append(gathering.table.replace("MEMBERS", ", ".join(members)))
        return Source("\n".join(lines) + "\n", self.name, language)


class ModuleRegistry:
    """All modules a host defines. Several versions of one module may stand side by side.

    Args:
        profile: Policy profile the modules must be for.

    Example:
        >>> registry = ModuleRegistry()
        >>> registry.add(ModuleDefinition("report", Source("return {}"), dependencies=("text>=1",)))
        >>> registry.missing()
        ('text',)
        >>> registry.add(ModuleDefinition("text", Source("return {}"), version="1.4"))
        >>> [module.name for module in registry.order(["report"])]
        ['text', 'report']
    """

    def __init__(self, modules: Iterable[ModuleDefinition] = (), *, profile: str = "") -> None:
        self._profile = profile
        self._versions: dict[str, dict[str, ModuleDefinition]] = {}
        self._bundles: dict[str, Bundle] = {}
        self._sources: dict[tuple[str, str], Source] = {}
        self._lock = threading.RLock()
        for module in modules:
            self.add(module)

    def add(self, module: ModuleDefinition | Bundle) -> None:
        """Define a module or a bundle; what it depends on may be defined later.

        Raises:
            UsageError: The name and version are taken, or a version or dependency is unreadable.
        """
        with self._lock:
            if isinstance(module, Bundle):
                if module.name in self._bundles or module.name in self._versions:
                    raise UsageError(f"the module name {module.name!r} is taken")
                for member in module.members:
                    _parse(member)
                self._bundles[module.name] = module
                return
            _check_version(module)
            for dependency in module.dependencies:
                _parse(dependency)
            versions = self._versions.setdefault(module.name, {})
            if module.version in versions or module.name in self._bundles:
                raise UsageError(f"module {module.name!r} {module.version} is defined already")
            versions[module.version] = module

    @property
    def names(self) -> tuple[str, ...]:
        """Modules and bundles of this profile, sorted."""
        return tuple(sorted([name for name in self._versions if self._candidates(name)] + list(self._bundles)))

    def missing(self) -> tuple[str, ...]:
        """Name what is depended on and not defined."""
        wanted = {
            _parse(text)[0]
            for versions in self._versions.values()
            for module in versions.values()
            for text in module.dependencies
        } | {_parse(text)[0] for bundle in self._bundles.values() for text in bundle.members}
        return tuple(sorted(wanted - self._versions.keys() - self._bundles.keys()))

    def get(self, requirement: str) -> ModuleDefinition:
        """Return the newest version that fits: ``"json"``, ``"json>=1.2,<2"``.

        Raises:
            ScriptModuleNotFoundError: None does; the message says which there are.
        """
        name, constraint = _parse(requirement)
        return self._select(name, [(constraint, "")])

    def order(self, requirements: Iterable[str]) -> list[ModuleDefinition]:
        """Return what must be loaded for ``requirements``, dependencies first, then by priority and name.

        One version of each module is chosen, the newest that fits everybody who asked. A constraint met on the way
        stays, even if the version it came from is then not chosen.

        Raises:
            ScriptModuleNotFoundError: Something is missing, no version fits, or modules depend on each other in a
                circle, which the message names.
        """
        asked = [(text, "") for text in requirements]
        constraints: dict[str, list[tuple[str, str]]] = {}
        while True:
            chosen: dict[str, ModuleDefinition] = {}
            if self._choose(asked, constraints, chosen, ()):
                return _sorted(chosen, self._bundles)

    def load(self, requirement: str) -> Source:
        """Return a module's source, loading it if this is its first use.

        Raises:
            ScriptModuleNotFoundError: It is not defined, or its loader failed.
        """
        module = self.get(requirement)
        key = (module.name, module.version)
        with self._lock:
            source = self._sources.get(key)
            if source is None:
                source = self._sources[key] = _load(module)
            return source

    def for_profile(self, profile: str) -> ModuleRegistry:
        """Return this registry as runs under a policy profile see it; what is defined later shows in both."""
        view = copy.copy(self)
        view._profile = profile
        return view

    def find(
        self, name: str, importer: str = "", patterns: frozenset[str] = frozenset({"*"})
    ) -> Source | Gathered | None:
        """Return what a script means by ``name``, or None if no module of that name is defined.

        The source is called ``name@version``, by which a script may ask for it too. A module gets, of its
        dependencies, the version that it asks for. One with dependencies is found as something gathered, which loads
        them first.

        Args:
            importer: ``Source.name`` of who asks.
            patterns: ``Grants.modules``.

        Raises:
            PolicyDeniedError: It is not granted.
            ScriptModuleNotFoundError: It is not for this profile, or something it depends on cannot be had.
        """
        base, _, version = name.partition("@")
        if base not in self._versions and name not in self._bundles:
            return None
        if not any(fnmatch.fnmatchcase(base, pattern) for pattern in patterns):
            raise PolicyDeniedError(
                f"the policy does not grant the module {base!r}", hint="add it to the granted modules"
            )
        if version:
            return self._source(self.get(f"{base}=={version}"))
        if name in self._bundles:
            return self._gathered(self._bundles[name])
        before = self.order([self._requirement_of(importer, name)])
        module = before.pop()
        if not before:
            return self._source(module)
        exact = f"{name}@{module.version}"
        return Gathered(f"{exact}+", tuple(map(_exact, before)), exact)

    def _source(self, module: ModuleDefinition) -> Source:
        source = self.load(f"{module.name}=={module.version}")
        return Source(source.text, _exact(module), source.language, source.root)

    def _gathered(self, bundle: Bundle) -> Gathered:
        modules = self.order([bundle.name])
        chosen = {module.name: _exact(module) for module in modules}
        members = [_parse(member)[0] for member in bundle.members]
        return Gathered(
            f"{bundle.name}+",
            tuple(map(_exact, modules)),
            members=tuple((name, chosen.get(name, name)) for name in members),
        )

    def _requirement_of(self, importer: str, name: str) -> str:
        asker, _, version = importer.partition("@")
        module = self._versions.get(asker, {}).get(version)
        for text in module.dependencies if module is not None else ():
            if _parse(text)[0] == name:
                return text
        return name

    def _candidates(self, name: str) -> list[ModuleDefinition]:
        from packaging.version import Version

        found = [
            module
            for module in self._versions.get(name, {}).values()
            if not module.profiles or not self._profile or self._profile in module.profiles
        ]
        return sorted(found, key=lambda module: Version(module.version), reverse=True)

    def _select(self, name: str, constraints: list[tuple[str, str]]) -> ModuleDefinition:
        candidates = self._candidates(name)
        for module in candidates:
            if all(_fits(module.version, constraint) for constraint, _ in constraints):
                return module
        if candidates:
            asked = "; ".join(
                f"{by or 'the script'} asks for {name}{constraint}" for constraint, by in constraints if constraint
            )
            there = ", ".join(module.version for module in candidates)
            raise ScriptModuleNotFoundError(
                f"no version of module {name!r} fits: {asked}", name=name, hint=f"there is {there}"
            )
        if name in self._versions:
            raise ScriptModuleNotFoundError(f"module {name!r} is not for profile {self._profile!r}", name=name)
        by = constraints[-1][1] if constraints else ""
        close = difflib.get_close_matches(name, self.names, 1)
        raise ScriptModuleNotFoundError(
            f"module {by!r} depends on module {name!r}, which is not defined" if by else f"there is no module {name!r}",
            name=name,
            hint=f"did you mean {close[0]!r}?" if close else None,
        )

    def _choose(
        self,
        asked: Iterable[tuple[str, str]],
        constraints: dict[str, list[tuple[str, str]]],
        chosen: dict[str, ModuleDefinition],
        path: tuple[str, ...],
    ) -> bool:
        """Choose versions depth first; False: a new constraint spoilt an earlier choice, begin again."""
        for text, by in asked:
            name, constraint = _parse(text)
            if name in path:
                circle = " -> ".join([*path[path.index(name) :], name])
                raise ScriptModuleNotFoundError(f"modules depend on each other in a circle: {circle}", name=name)
            if name in self._bundles:
                members = [(member, name) for member in self._bundles[name].members]
                if not self._choose(members, constraints, chosen, (*path, name)):
                    return False
                continue
            known = constraints.setdefault(name, [])
            if (constraint, by) not in known:
                known.append((constraint, by))
            if name in chosen:
                if not _fits(chosen[name].version, constraint):
                    return False
                continue
            module = self._select(name, known)
            needs = [(dependency, name) for dependency in module.dependencies]
            if not self._choose(needs, constraints, chosen, (*path, name)):
                return False
            chosen[name] = module
        return True


def _sorted(chosen: dict[str, ModuleDefinition], bundles: dict[str, Bundle]) -> list[ModuleDefinition]:
    def needs(module: ModuleDefinition) -> set[str]:
        names: set[str] = set()
        waiting = list(module.dependencies)
        while waiting:
            name = _parse(waiting.pop())[0]
            if name in bundles:
                waiting += bundles[name].members
            else:
                names.add(name)
        return names

    out: list[ModuleDefinition] = []
    done: set[str] = set()
    left = sorted(chosen.values(), key=lambda module: (module.priority, module.name))
    while left:
        module = next(module for module in left if needs(module) <= done)
        left.remove(module)
        done.add(module.name)
        out.append(module)
    return out


def _parse(requirement: str) -> tuple[str, str]:
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise UsageError(f"{requirement!r} is no module requirement; write e.g. json or json>=1.2,<2")
    constraint = (match[2] or "").strip()
    if constraint:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            SpecifierSet(constraint)
        except InvalidSpecifier:
            raise UsageError(f"{requirement!r}: {constraint!r} is no version constraint") from None
    return match[1], constraint


def _fits(version: str, constraint: str) -> bool:
    if not constraint:
        return True
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(constraint).contains(version, prereleases=True)


def _exact(module: ModuleDefinition) -> str:
    return f"{module.name}@{module.version}"


def _check_version(module: ModuleDefinition) -> None:
    from packaging.version import InvalidVersion, Version

    try:
        Version(module.version)
    except InvalidVersion:
        raise UsageError(f"module {module.name!r}: {module.version!r} is no version") from None


def _load(module: ModuleDefinition) -> Source:
    if isinstance(module.loader, Source):
        return module.loader
    try:
        source = module.loader()
    except Exception as error:
        raise ScriptModuleNotFoundError(
            f"module {module.name!r} cannot be loaded: {type(error).__name__}: {error}", name=module.name
        ) from error
    if not isinstance(source, Source):
        raise ScriptModuleNotFoundError(
            f"module {module.name!r}: its loader gave a {type(source).__name__}, not a Source", name=module.name
        )
    return source
