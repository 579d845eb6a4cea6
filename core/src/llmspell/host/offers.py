"""Who offers which name, and what happens when two offer the same."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from llmspell.bridge import BridgeSpec
from llmspell.engine import EngineSpec
from llmspell.errors import PluginConflictError, PluginError
from llmspell.host.discovery import Owner

Spec = TypeVar("Spec", EngineSpec, BridgeSpec)
Kind = Literal["engine", "bridge", "extension"]

_NAMES = {
    "engine": re.compile(r"[a-z][a-z0-9_+-]*"),
    "bridge": re.compile(r"[a-z][a-z0-9_]*"),
    "extension": re.compile(r"\.[^\s/\\]+"),
}


def check_name(kind: Kind, name: str) -> None:
    """Check that a name can be what it is offered as.

    Raises:
        ValueError: Saying what such a name looks like.
    """
    if not isinstance(name, str) or not _NAMES[kind].fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a{'n' * (kind != 'bridge')} {kind} ({_NAMES[kind].pattern})")


@dataclass(frozen=True, slots=True)
class Offer(Generic[Spec]):
    """One engine or bridge, and who offers it."""

    owner: Owner
    spec: Spec


@dataclass(slots=True)
class Resolution(Generic[Spec]):
    """What stands after conflicts are settled.

    Attributes:
        specs: By main name; aliases and extensions that belong to somebody else are taken off.
        extensions: Engines by file name ending.
        refused: What to raise for a name that is asked for, by ``"kind:name"``.
        contested: Plugins that are part of a conflict nobody settled.
    """

    specs: dict[str, Spec] = field(default_factory=dict)
    extensions: dict[str, Spec] = field(default_factory=dict)
    refused: dict[str, PluginError] = field(default_factory=dict)
    contested: dict[Owner, PluginConflictError] = field(default_factory=dict)


class Resolver(Generic[Spec]):
    """Settle who provides each name, by ``prefer``; what stays open is refused only when asked for.

    Args:
        kind: What the offers are.
        prefer: ``"engine:lua"`` or plain ``"lua"`` to the name of a distribution or plugin.
    """

    def __init__(self, kind: Literal["engine", "bridge"], prefer: Mapping[str, str]) -> None:
        self._kind: Literal["engine", "bridge"] = kind
        self._prefer = prefer
        self._out: Resolution[Spec] = Resolution()
        self._torn: dict[int, PluginConflictError] = {}
        self._taken: set[tuple[int, str]] = set()

    def resolve(self, offers: Iterable[Offer[Spec]]) -> Resolution[Spec]:
        """Settle main names, whose losers are out altogether; then aliases and extensions among the rest."""
        standing: list[Offer[Spec]] = []
        for name, rivals in _group((offer.spec.name, offer) for offer in offers).items():
            winner = self._choose(self._kind, name, rivals)
            if winner is None:
                error = self._conflict(self._kind, name, rivals)
                self._torn |= {id(rival): error for rival in rivals}
            standing += [winner] if winner is not None else rivals
        self._share(self._kind, standing, lambda spec: (spec.name, *spec.aliases))
        self._share("extension", standing, _extensions_of)
        for offer in standing:
            if id(offer) not in self._torn and not self._has_lost(offer, offer.spec.name):
                self._keep(offer)
        return self._out

    def _share(self, kind: Kind, standing: list[Offer[Spec]], names_of: Callable[[Spec], tuple[str, ...]]) -> None:
        claims = [(name, offer) for offer in standing for name in names_of(offer.spec)]
        for name, rivals in _group(claims).items():
            errors = {id(self._torn.get(id(rival))): self._torn.get(id(rival)) for rival in rivals}
            common = next(iter(errors.values())) if len(errors) == 1 else None
            winner = self._choose(kind, name, rivals)
            if common is not None:
                self._out.refused[f"{kind}:{name}"] = common
            elif winner is None:
                self._conflict(kind, name, rivals)
            elif id(winner) in self._torn:
                self._out.refused[f"{kind}:{name}"] = self._torn[id(winner)]
            self._taken |= {(id(rival), name) for rival in rivals if rival is not winner}

    def _keep(self, offer: Offer[Spec]) -> None:
        spec = offer.spec
        aliases = tuple(alias for alias in spec.aliases if not self._has_lost(offer, alias))
        spec = dataclasses.replace(spec, aliases=aliases)
        if isinstance(spec, EngineSpec):
            extensions = tuple(known for known in spec.extensions if not self._has_lost(offer, known))
            spec = dataclasses.replace(spec, extensions=extensions)
            self._out.extensions |= dict.fromkeys(extensions, spec)
        self._out.specs[spec.name] = spec

    def _has_lost(self, offer: Offer[Spec], name: str) -> bool:
        return (id(offer), name) in self._taken

    def _choose(self, kind: Kind, name: str, rivals: list[Offer[Spec]]) -> Offer[Spec] | None:
        if len(rivals) == 1:
            return rivals[0]
        wanted = self._prefer.get(f"{kind}:{name}", self._prefer.get(name))
        chosen = [rival for rival in rivals if wanted is not None and rival.owner.is_named((wanted,))]
        return chosen[0] if len(chosen) == 1 else None

    def _conflict(self, kind: Kind, name: str, rivals: list[Offer[Spec]]) -> PluginConflictError:
        owners = [rival.owner for rival in rivals]
        choice = owners[0].distribution or owners[0].plugin
        error = PluginConflictError(
            f"{kind} {name!r} is offered by {' and by '.join(str(owner) for owner in owners)}",
            plugin=owners[0].plugin,
            hint=f'choose one, e.g. prefer = {{"{kind}:{name}": "{choice}"}}, or block the other',
        )
        self._out.refused[f"{kind}:{name}"] = error
        for owner in owners:
            self._out.contested.setdefault(owner, error)
        return error


def _extensions_of(spec: EngineSpec | BridgeSpec) -> tuple[str, ...]:
    return spec.extensions if isinstance(spec, EngineSpec) else ()


def _group(claims: Iterable[tuple[str, Offer[Spec]]]) -> dict[str, list[Offer[Spec]]]:
    groups: dict[str, list[Offer[Spec]]] = {}
    for name, offer in claims:
        rivals = groups.setdefault(name, [])
        if not any(offer is rival for rival in rivals):
            rivals.append(offer)
    return groups
