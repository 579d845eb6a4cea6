"""``Seat``: where one guest sits for one run, and the only thing the driver of a conversation sees of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from llmspell.engine import GuestUsage
from llmspell.engine.messages import Delivery, GuestMessage

Told: TypeAlias = Callable[[Sequence[GuestMessage], "BaseException | None"], None]
"""Is told what the guest said, or why it says nothing more."""

SOFT = 0.8
"""Share of a limit whose use earns a warning."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What really holds a run, as reported in its result.

    Attributes:
        placement: ``"inline"``, ``"worker"`` or ``"hardened"``.
        enforced: Each limit by name and by what enforces it, e.g. ``{"deadline": "kill"}``.
        applied: Pieces of hardening that are in force.
        missing: Pieces that are not, each with the reason.
    """

    placement: str = "inline"
    enforced: dict[str, str] = field(default_factory=dict)
    applied: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


class Seat(Protocol):
    """A guest in its place.

    Exactly one answer for every delivery: ``step`` brings one and returns what the guest said until it could
    not go on (perhaps nothing). Output passes by at once, through the port the seat was made with. A guest that
    asks while it blocks (``port.ask``) ends the step with that ``Call`` as the last message; the step that brings
    its ``Reply`` goes on from there, and messages that arrive in between are heard by the guest if it hears
    meanwhile, or else kept for it and answered with nothing.

    ``step`` raises :class:`~llmspell.errors.EngineCrashed` when the guest is lost, and a
    :class:`~llmspell.errors.ResourceExhausted` when it was killed for a limit; ``begin`` raises them, or tells them.
    """

    @property
    def isolation(self) -> Isolation: ...

    def step(self, word: Delivery) -> Sequence[GuestMessage]:
        """Bring a message, or several replies, from a thread that may block."""

    def begin(self, word: Delivery, told: Told) -> None:
        """Bring a message, or several replies, from an event loop, which a busy guest does not block.

        Args:
            told: Called on the loop, once, after this has returned. Nothing is to be brought before.
        """

    def leave(self) -> None:
        """Let go of the event loop; called on it after the last ``begin``, answered or not. Idempotent."""

    def interrupt(self, reason: str) -> None:
        """Ask a busy guest to end; from any thread, any time."""

    def kill(self, reason: str) -> None:
        """End it for good. A step under way raises soon after, in whatever thread it runs."""

    def usage(self) -> GuestUsage: ...

    def close(self) -> None:
        """Give the place back; never blocks. A spent or busy guest is not used again."""
