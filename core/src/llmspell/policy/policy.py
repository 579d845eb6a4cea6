"""``Policy``: one immutable answer to "what may this run do, and who makes sure?"."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from llmspell.errors import ConfigError, NotFoundError, PolicyError
from llmspell.fields import FieldError, Problem, names_of, read, settle
from llmspell.policy.grants import Grants
from llmspell.policy.limits import Limits

Level = Literal["minimal", "standard", "strict", "custom"]
Placement = Literal["inline", "worker", "hardened"]
LEVELS: tuple[Level, ...] = ("minimal", "standard", "strict", "custom")

_MB = 1024 * 1024
_OF_LEVEL = cast("Placement", "")  # settled when the level is known
_LIMITS, _GRANTS = Limits(), Grants()
NOTHING = Grants(modules=frozenset())
"""Not even local modules."""

_EVERYTHING = Grants(
    bridges=frozenset({"*"}),
    read=frozenset({"/"}),
    write=frozenset({"/"}),
    net=frozenset({"*"}),
    env=frozenset({"*"}),
    # No variable is a secret unless somebody says so: what is one is redacted wherever it appears.
    subprocess=frozenset({"*"}),
)
PURE_BRIDGES = frozenset(
    {"core", "data", "log", "errors", "util", "json", "async", "promise", "channel", "stream", "spell", "params",
     "state", "events", "hooks", "modelinfo", "structured", "schema", "fs", "llm", "providers", "pool", "agent",
     "tools", "toolbox", "workflow", "testing"}
)  # fmt: skip
"""Bridges that reach nothing of the world by themselves: files and hosts they touch are granted apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a run may do and use, and how strongly that is enforced.

    Levels preset *and* validate: a policy a placement or engine cannot honour is refused before the script
    runs, with the missing piece named; it is never silently weakened. ``narrow`` and ``intersect`` only tighten.

    Attributes:
        level: ``minimal``: code you wrote yourself, in this process, deadline cooperative. ``standard``: a worker
            process with hard limits. ``strict``: a kernel-hardened worker. ``custom``: as ``minimal``, ``standard``
            or ``strict`` by ``placement``, with nothing preset.
        name: Profile it came from, for messages.

    Example:
        >>> policy = Policy.standard().narrow(time=2.0, memory="16MB")
        >>> policy.limits.time
        2.0
    """

    level: Level = "standard"
    name: str = ""
    placement: Placement = _OF_LEVEL
    limits: Limits = _LIMITS
    grants: Grants = _GRANTS
    libraries: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.placement == _OF_LEVEL:
            object.__setattr__(self, "placement", _PRESET.get(str(self.level), "worker"))
        settle(self)
        least = _LEAST.get(self.level)
        if least is not None and _STRENGTH[self.placement] < _STRENGTH[least]:
            raise FieldError([Problem((), f"level {self.level} needs placement {least}, not {self.placement}")])

    @classmethod
    def minimal(cls) -> Policy:
        """For code you wrote yourself: everything granted, in this process, deadline cooperative."""
        return cls(
            level="minimal",
            name="minimal",
            placement="inline",
            limits=Limits(time=300, memory=512 * _MB),
            grants=_EVERYTHING,
        )

    @classmethod
    def standard(cls) -> Policy:
        """For code you did not read line by line: a worker process, pure bridges and models."""
        return cls(level="standard", name="standard", grants=Grants(bridges=PURE_BRIDGES))

    @classmethod
    def strict(cls) -> Policy:
        """For hostile code: a kernel-hardened worker, tighter limits, pure bridges."""
        return cls(
            level="strict",
            name="strict",
            placement="hardened",
            limits=Limits(time=10, memory=32 * _MB, output=_MB, result=4 * _MB, calls=10_000, tokens=50_000),
            grants=Grants(bridges=PURE_BRIDGES),
        )

    @classmethod
    def profile(cls, name: str) -> Policy:
        """Return a named profile: ``sandbox`` (the command line's default), ``development``, ``production``.

        Raises:
            NotFoundError: No such profile; the message names those there are.
        """
        try:
            return PROFILES[name]()
        except KeyError:
            raise NotFoundError(
                f"there is no profile named {name!r}", name=name, hint=_near("profiles", name, sorted(PROFILES))
            ) from None

    @classmethod
    def at_level(cls, level: str) -> Policy:
        """Return the preset of a level by its name.

        Raises:
            NotFoundError: No such level.
        """
        presets: dict[str, Callable[[], Policy]] = {
            "minimal": cls.minimal, "standard": cls.standard, "strict": cls.strict,
        }  # fmt: skip
        if level not in presets:
            raise NotFoundError(
                f"there is no level named {level!r}", name=level, hint=_near("levels", level, list(presets))
            )
        return presets[level]()

    def narrow(self, *, grants: Grants | None = None, level: Level | None = None, **limits: Any) -> Policy:
        """Tighten: every limit becomes the smaller of both, grants the intersection, the level the stricter.

        Args:
            grants: Intersected with this policy's.
            level: Taken if it is stricter than this one.
            limits: Any of :class:`Limits`, e.g. ``time=2.0``, ``memory="256MB"``.

        Raises:
            ConfigError: A limit that is unknown or impossible.
        """
        try:
            tighter = self.limits.narrow(**limits) if limits else self.limits
        except FieldError as error:
            raise ConfigError(f"the policy cannot be narrowed so: {error.message}", hint=error.hint) from None
        changes: dict[str, Any] = {"limits": tighter}
        if grants is not None:
            changes["grants"] = self.grants.intersect(grants)
        if level is not None and _ORDER[level] > _ORDER[self.level]:
            changes |= {"level": level, "placement": _stronger(self.placement, _PLACEMENT[level])}
        return dataclasses.replace(self, **changes)

    def intersect(self, other: Policy) -> Policy:
        """Return what both policies allow, enforced as the stricter one asks."""
        stricter = self if _ORDER[self.level] >= _ORDER[other.level] else other
        libraries = (
            self.libraries
            if other.libraries is None
            else other.libraries
            if self.libraries is None
            else self.libraries & other.libraries
        )
        return dataclasses.replace(
            self,
            level=stricter.level,
            placement=_stronger(self.placement, other.placement),
            limits=self.limits.intersect(other.limits),
            grants=self.grants.intersect(other.grants),
            libraries=libraries,
        )

    def grant(self, **more: str | frozenset[str] | set[str] | list[str] | tuple[str, ...]) -> Policy:
        """Return a wider policy, as only the person who owns the policy may make it.

        Args:
            more: Fields of :class:`Grants` and what to add to each: one name, or several.

        Raises:
            PolicyError: At ``strict``, where subprocesses are never granted.
            ConfigError: A grant that is unknown or impossible.
        """
        if self.level == "strict" and more.get("subprocess"):
            raise PolicyError("level strict never grants subprocesses", hint="use level standard")
        merged = {
            name: getattr(self.grants, name, frozenset()) | ({added} if isinstance(added, str) else frozenset(added))
            for name, added in more.items()
        }
        try:
            grants = read(Grants, {name: getattr(self.grants, name) for name in names_of(Grants)} | merged)
        except FieldError as error:
            raise ConfigError(f"that cannot be granted: {error.message}", hint=error.hint) from None
        return dataclasses.replace(self, grants=grants)


def _near(what: str, name: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(str(name), known, 1)
    return f"{f'did you mean {close[0]!r}? ' if close else ''}{what}: {', '.join(known)}"


@dataclass(frozen=True, slots=True)
class PolicyPreset:
    """A named policy that a plugin offers: ``PolicyPreset("lab", lambda: Policy.strict())``."""

    name: str
    factory: Callable[[], Policy]
    description: str = ""


def _sandbox() -> Policy:
    return Policy(
        name="sandbox",
        limits=Limits(time=120, tokens=200_000, cost=1.0),
        # Whoever starts a spell by hand may be asked by it: what they answer is theirs to give.
        grants=Grants(bridges=PURE_BRIDGES | {"terminal"}),
    )


def _development() -> Policy:
    return Policy(
        name="development",
        limits=Limits(time=300, memory=256 * _MB, cost=10.0),
        grants=Grants(
            bridges=frozenset({"*"}),
            read=frozenset({"."}),
            write=frozenset({"."}),
            net=frozenset({"*"}),
            env=frozenset({"*"}),
        ),
    )


def _production() -> Policy:
    return Policy(
        name="production",
        limits=Limits(time=60, memory=512 * _MB, tokens=1_000_000, cost=10.0),
        grants=Grants(bridges=frozenset({"*"}), net=frozenset({"*"})),
    )


PROFILES: dict[str, Callable[[], Policy]] = {
    "sandbox": _sandbox,
    "development": _development,
    "production": _production,
}
_ORDER: dict[str, int] = {"custom": 0, "minimal": 0, "standard": 1, "strict": 2}
_PRESET: dict[str, Placement] = {"minimal": "inline", "strict": "hardened"}
_PLACEMENT: dict[str, Placement] = {
    "custom": "inline",
    "minimal": "inline",
    "standard": "worker",
    "strict": "hardened",
}
_LEAST: dict[str, Placement] = {"standard": "worker", "strict": "hardened"}
_STRENGTH = {"inline": 0, "worker": 1, "hardened": 2}


def _stronger(one: Placement, other: Placement) -> Placement:
    return one if _STRENGTH[one] >= _STRENGTH[other] else other
