"""The hooks a plugin may implement. All are plain functions; ``async def`` is refused at registration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from llmspell.bridge import BridgeSpec
    from llmspell.engine import EngineSpec
    from llmspell.policy import Policy, PolicyPreset
    from llmspell.values import ConverterSpec

PROJECT = "llmspell"
F = TypeVar("F", bound="Callable[..., Any]")

_hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


def hookimpl(function: F) -> F:
    """Mark a function or method as an implementation of a llmspell hook."""
    return _hookimpl(function)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call is refused; ``reason`` is shown to the script."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What ``llmspell_authorize`` is asked about.

    Attributes:
        bridge: Name of the bridge, or the type of a handle's object.
        method: Name of the export.
        args: The arguments as the script gave them. Treat as read-only.
        run_id, session, principal, language: Who asks.
    """

    bridge: str
    method: str
    args: tuple[Any, ...]
    run_id: str
    session: str
    principal: str
    language: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What ``llmspell_narrow_policy`` is asked about: a run that is about to begin."""

    source: str
    language: str
    policy: Policy
    session: str
    principal: str


@dataclass(frozen=True, slots=True)
class Event:
    """What observers are told. ``data`` is plain and redacted.

    Kinds: ``run_started``, ``run_finished``, ``call``, ``warning``, ``progress``, ``bridge_opened``, ``plugin_failed``.
    """

    kind: str
    time: float
    run_id: str
    data: dict[str, Any]


class LlmspellSpecs:
    """Every hook of llmspell. Implement any of them in a module, class or object and register it."""

    @_hookspec
    def llmspell_engines(self) -> Iterable[EngineSpec]:  # type: ignore[empty-body]
        """Offer script engines."""

    @_hookspec
    def llmspell_bridges(self) -> Iterable[BridgeSpec]:  # type: ignore[empty-body]
        """Offer bridges."""

    @_hookspec
    def llmspell_converters(self) -> Iterable[ConverterSpec]:  # type: ignore[empty-body]
        """Offer converters from Python types to values."""

    @_hookspec
    def llmspell_policies(self) -> Iterable[PolicyPreset]:  # type: ignore[empty-body]
        """Offer named policies."""

    @_hookspec
    def llmspell_authorize(self, call: CallRequest) -> Denial | None:
        """Refuse a host call by returning a :class:`Denial`. Any denial wins; an exception is a denial."""

    @_hookspec
    def llmspell_narrow_policy(self, request: RunRequest) -> Policy | None:
        """Return a policy to intersect the run's with, or None."""

    @_hookspec
    def llmspell_on_event(self, event: Event) -> None:
        """Observe. What it raises is reported as a ``plugin_failed`` warning and changes nothing."""

    @_hookspec
    def llmspell_commands(self, cli: click.Group) -> None:
        """Add subcommands to the command line."""
