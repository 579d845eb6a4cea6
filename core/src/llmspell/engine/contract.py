"""What an engine implements: ``ScriptEngine`` (one per language) and ``Guest`` (one VM state)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from llmspell.engine.messages import Emit, GuestMessage, HostMessage, Reply
from llmspell.engine.source import Source
from llmspell.values import DEFAULT_VALUE_LIMITS, ValueLimits


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """What the engine itself must hold a guest to.

    Attributes:
        memory: Bytes of the VM's heap, or None.
        steps: Engine steps (VM instructions or back-edges, the engine says which), or None. Asking for it may
            cost speed; without it no per-instruction hook may run.
        recursion: Depth of script calls, or None for the engine's own bound.
        value: Limits of one crossing value.
        tasks: Concurrent tasks inside the guest.
        channels: Open channels inside the guest.
        grace: Seconds that clean-up handlers get after a cancellation.
        watched: Somebody will call ``interrupt`` at the deadline, from another thread.
    """

    memory: int | None = None
    steps: int | None = None
    recursion: int | None = None
    value: ValueLimits = DEFAULT_VALUE_LIMITS
    tasks: int = 10_000
    channels: int = 10_000
    grace: float = 0.1
    watched: bool = True


@dataclass(frozen=True, slots=True)
class GuestUsage:
    """What a guest has used so far in this run. None: the engine cannot tell."""

    memory: int | None = None
    peak_memory: int | None = None
    steps: int | None = None


class Program(Protocol):
    """A source that compiled. Opaque; it belongs to the engine and process that made it."""

    @property
    def source(self) -> Source: ...


class Port(Protocol):
    """A guest's way to be heard while a step is still running."""

    def emit(self, message: Emit) -> None:
        """Pass output on at once.

        Raises:
            OutputExceeded: The policy's limit is reached; the guest must end the run with it.
        """

    def ask(self, said: list[GuestMessage], *, hears: bool = False) -> Reply:
        """Say ``said`` and block until the last of it, a call, is answered.

        Only for engines that cannot suspend (``Capabilities.suspends`` is False).

        Args:
            said: What was not said yet, the call last. Replies to other calls arrive by ``step`` as usual.
            hears: ``step`` may be called meanwhile, by this thread, with what else comes; otherwise that waits until
                the step is over. A guest that asks for a module must hear: the module may be in another language,
                and come back to this guest for modules and functions of its own. A run that ends in such a step gets
                a fatal fault here, and the step that asked says the end once more.
        """


class Guest(Protocol):
    """One VM state, used by one thread at a time (``interrupt`` excepted).

    The life of a guest: ``step(Start)``, then ``step(Reply | Invoke | Cancel)`` as often as needed until it says
    ``Done`` or ``Failed`` with id 0, then ``close``.

    A guest that can hear several replies together more cheaply than one by one also has a method
    ``step_all(replies: Sequence[Reply])``; it returns what ``step`` with each of them would, as one list.
    """

    def step(self, message: HostMessage) -> list[GuestMessage]:
        """Hear one message and run until the guest cannot go on; return what it said, in order.

        Never raises for what a script does: that is a ``Failed`` message.
        """

    def interrupt(self, reason: str) -> None:
        """Make a running step end soon; callable from any thread, any time, more than once.

        Args:
            reason: ``"deadline"``, ``"memory"``, ``"cancelled"``, or the name of another limit. The guest says
                ``Failed`` with that limit (or kind ``cancelled``). The first reason wins.
        """

    def usage(self) -> GuestUsage: ...

    def close(self) -> None:
        """Give the state back to the engine, which recycles or discards it. Idempotent.

        A state whose step has not returned (an abandoned thread) is never recycled.
        """


class ScriptEngine(Protocol):
    """One language. Stateless towards runs: caches and pools only.

    An engine that imports modules or reads files of its own only when they are first needed also has a method
    ``preload()``, which does all of it at once: workers call it before they give up their files. One that cannot know
    before it is loaded whether a running guest heeds ``interrupt`` has a text ``lacks_deadline``, empty if it does, or
    else why not: inside the host's process it is then refused under a deadline, and in a worker killed at it.
    """

    def compile(self, source: Source) -> Program:
        """Compile, through the engine's program cache.

        Raises:
            ScriptSyntaxError: With location and ``incomplete``.
        """

    def open(self, limits: GuestLimits, port: Port) -> Guest:
        """Take a fresh VM state, from the pool where the engine has one."""

    def close(self) -> None:
        """Close pools and caches. States still executing are left to their threads, not closed under them."""
