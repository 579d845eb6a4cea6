"""``Run``: everything one run knows of itself, and what exports see of it."""

from __future__ import annotations

import difflib
import inspect
import itertools
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from llmspell.bridge import Bridge, HostObject, ScriptFunction
from llmspell.bridge.function import Feeder, Invoker, Relayer
from llmspell.errors import (
    BudgetExceeded,
    Cancelled,
    DeadlineExceeded,
    OutputExceeded,
    PolicyDeniedError,
    SessionClosedError,
)
from llmspell.gate.budget import Budget
from llmspell.gate.doors import Door
from llmspell.gate.record import CallRecord, Recorder
from llmspell.policy import Policy, how_to_grant
from llmspell.runtime.handles import Handles, unknown
from llmspell.runtime.services import RunServices
from llmspell.runtime.stream import HostFunction, HostStream
from llmspell.values import FunctionRef, HostRef, size_of
from llmspell.values.convert import Naming

if TYPE_CHECKING:
    from llmspell.guards import FilesGuard, NetGuard, ProgramsGuard

_LEAST_WARNING = 256  # bytes that even an empty warning takes here

_PROCESS = secrets.token_hex(6)
_numbers = itertools.count(1)


class Run:
    """One run under way. Created by a session, driven by a conversation, seen by exports through ``Call``.

    Attributes:
        id: Unique, also across processes.
        asking: How many questions to a person are open.
        stopping: Why the run is being stopped, ``""`` while it is not: ``"deadline"``, ``"cancelled"``, or a limit.
    """

    __slots__ = (
        "__weakref__",  # bridges forget with a run what they keep for it
        "_files",
        "_handles",
        "_net",
        "_output",
        "_output_size",
        "_stood_since",
        "asking",
        "bridges",
        "budget",
        "causes",
        "conversation",
        "converter",
        "deadline",
        "depth",
        "doors",
        "drop",
        "feeder",
        "home",
        "id",
        "invoker",
        "language",
        "naming",
        "neighbours",
        "ordered",
        "parent",
        "pending",
        "policy",
        "principal",
        "recorder",
        "relay",
        "root",
        "scrub",
        "services",
        "session",
        "source_name",
        "started",
        "stop_error",
        "stopping",
        "system",
        "warnings",
    )

    def __init__(
        self,
        services: RunServices,
        policy: Policy,
        language: str,
        naming: Naming,
        system: Bridge,
        *,
        recorder: Recorder | None = None,
        parent: Run | None = None,
        root: str = "",
        source_name: str = "",
        ordered: bool = True,
        instants: bool = False,
    ) -> None:
        self.id = f"{_PROCESS}-{next(_numbers):x}"
        self.services = services
        self.session = services.session
        self.principal = services.principal
        self.bridges = services.bridges
        self.doors = services.doors
        self.scrub = services.scrub
        self.policy = policy
        self.language = language
        self.naming: Naming = naming
        self.system = system
        self.root = root
        self.source_name = source_name
        self.ordered = ordered
        self.home = self
        self.neighbours: dict[str, Any] = {}
        self.recorder = recorder
        self.budget: Budget = Budget(policy.limits, parent.budget if parent is not None else None)
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.started = time.monotonic()
        limits = policy.limits
        self.deadline = None if limits.time is None else self.started + limits.time
        if parent is not None and parent.deadline is not None:
            self.deadline = min(self.deadline or parent.deadline, parent.deadline)
        self.asking = 0
        self._stood_since = 0.0
        self.stopping = ""
        self.stop_error: BaseException | None = None
        self.pending = 0
        self.causes: dict[int, BaseException] = {}
        self.warnings: list[dict[str, Any]] = []
        self.invoker: Invoker = _no_guest
        self.relay: Relayer | None = None
        self.feeder: Feeder | None = None
        self.drop: Callable[[int], None] = _nothing_to_drop
        self.parent = parent
        self.conversation: Any = None
        self.converter = services.converter.bound(self.make_handle, services.value_limits, instants=instants)
        self._handles: Handles | None = None  # most runs need none
        self._output: list[str] = []
        self._output_size = 0
        self._files: FilesGuard | None = None
        self._net: NetGuard | None = None

    # What exports see

    @property
    def files(self) -> FilesGuard:
        if self._files is None:
            from llmspell.guards import FilesGuard

            self._files = FilesGuard(self.policy.grants)
        return self._files

    @property
    def net(self) -> NetGuard:
        if self._net is None:
            from llmspell.guards import NetGuard

            self._net = NetGuard(self.policy.grants)
        return self._net

    @property
    def programs(self) -> ProgramsGuard:
        from llmspell.guards import ProgramsGuard

        return ProgramsGuard(self.policy.grants, self.services.environ, self.files)

    def checkpoint(self) -> None:
        """Raise if the run is being stopped or is over its deadline."""
        if self.stopping and self.stopping != "deadline":
            raise self.stop_error or Cancelled("the run was cancelled")
        if self.stopping or (self.deadline is not None and time.monotonic() > self.deadline):
            raise self.over_deadline()

    @contextmanager
    def waiting_for_person(self) -> Iterator[None]:
        """Wait for a person: until there is an answer, the time of the run and of its parents stands still.

        It stands still only for a run that does nothing else meanwhile: one that goes on working is stopped at its
        deadline, question or not.
        """
        family = [self]
        while family[-1].parent is not None:
            family.append(family[-1].parent)
        for run in family:
            if run.asking == 0:
                run._stood_since = time.monotonic()
            run.asking += 1
        try:
            yield
        finally:
            for run in family:
                run.asking -= 1
                if run.asking == 0 and run.deadline is not None and not run.stopping:
                    run.deadline += time.monotonic() - run._stood_since
                    if run.conversation is not None:
                        run.services.rewatch(run.conversation)

    def over_deadline(self) -> DeadlineExceeded:
        limit = self.policy.limits.time
        return DeadlineExceeded(
            f"the run took longer than its limit of {limit:g} s" if limit is not None else "the run's time is up",
            limit="time",
            value=limit,
        )

    def output(self, text: str, kind: str = "output") -> None:
        """Write to the run's output.

        Raises:
            OutputExceeded: What fits is kept.
        """
        limit = self.policy.limits.output
        if self.scrub is not None:
            text = self.scrub(text)
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        over = limit is not None and self._output_size + size > limit
        if over:
            assert limit is not None
            room = max(0, limit - self._output_size)
            text = text.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore")
            size = room
        self._output_size += size
        if self.parent is not None:
            self.parent.output(text, kind)
        else:
            self._output.append(text)
            if self.services.on_output is not None and text:
                self.services.on_output(kind, text)
        if over:
            raise OutputExceeded(f"the script printed more than {limit:,} bytes", limit="output", value=limit)

    @property
    def printed(self) -> str:
        return "".join(self._output)

    def event(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "warning":
            self.warnings.append(data)
        if self.services.event is not None:
            self.services.event(kind, self.id, data)

    def warned(self, kind: str, data: dict[str, Any]) -> None:
        """Take an event that the guest says, which counts as output: it is kept, and observers are told of it.

        Raises:
            OutputExceeded: There has been enough.
        """
        limit = self.policy.limits.output
        if limit is not None:
            self._output_size += max(_LEAST_WARNING, size_of(data, limit))
            if self._output_size > limit:
                raise OutputExceeded(
                    f"the script printed and warned more than {limit:,} bytes", limit="output", value=limit
                )
        self.event(kind, data)

    def event_aside(self, kind: str, data: dict[str, Any]) -> None:
        """As :meth:`event`, for a thread that cannot wait for observers: they are told in one of their own."""
        if kind == "warning":
            self.warnings.append(data)
        tell = self.services.event
        if tell is not None:
            thread = threading.Thread(target=tell, args=(kind, self.id, data), name="llmspell-observers", daemon=True)
            with suppress(RuntimeError):  # no thread is to be had: the warning stands in the result all the same
                thread.start()

    def warned_of(self, limit: str) -> bool:
        """Tell whether a limit is known to be near."""
        return any(warning.get("limit") == limit for warning in self.warnings)

    def spend(self, usage: dict[str, Any]) -> None:
        try:
            self.budget.settle(**usage)
        except BudgetExceeded as error:
            self.stop_error = error
            raise

    def secret(self, name: str) -> str | None:
        grants = self.policy.grants
        if any(_covers(patterns, name) for patterns in (grants.secrets, grants.env)):
            return self.services.environ.get(name)
        return None

    def admit(self, bridge: str, method: str, args: list[Any]) -> None:
        """Check a call that one export makes to another on the script's behalf, as the gate checks the script's own.

        Raises:
            PolicyDeniedError: The policy does not grant it, or a plugin refuses it.
        """
        if not self.policy.grants.allows_call(bridge, method):
            raise PolicyDeniedError(
                f"{bridge}.{method} is not granted by the policy",
                hint=how_to_grant(bridge),
            )
        authorize = self.services.authorize
        reason = None if authorize is None else authorize(self, bridge, method, args)
        if reason is not None:
            raise PolicyDeniedError(f"{bridge}.{method} is refused: {reason}")

    def nearest_bridge(self, name: str) -> str | None:
        """Return the bridge that ``name`` may have meant."""
        return next(iter(difflib.get_close_matches(name, self.bridges.names, 1)), None)

    # What the gate needs

    def failed(self, call: int, error: BaseException) -> None:
        """Remember why a call failed, to chain it if the script lets it pass."""
        if len(self.causes) >= 256:
            del self.causes[next(iter(self.causes))]
        self.causes[call] = error

    def called(self, record: CallRecord) -> None:
        if self.recorder is not None:
            self.recorder.record(record)

    def make_handle(self, item: Any) -> HostRef | FunctionRef | None:
        """Give a live object a handle, the same one each time; None if it is not one.

        A function of this run's own guest goes home as what it is there.
        """
        if inspect.isasyncgen(item):
            item = HostStream(cast("AsyncGenerator[Any, None]", item))
        elif not isinstance(item, HostObject):
            if isinstance(item, ScriptFunction):
                if item.lives_in(self.invoker):
                    return item.ref
                if item.host is None:
                    item.host = HostFunction(item.name, item)
                return self.make_handle(item.host)
            return None
        if self._handles is None:
            self._handles = Handles()
        return self._handles.of(item)

    def object_of(self, handle: int) -> HostObject:
        if self._handles is None:
            raise unknown(handle)
        return self._handles.object_of(handle)

    @property
    def handle_doors(self) -> dict[tuple[int, str], Door]:
        """The doors that calls to handles have found so far."""
        return {} if self._handles is None else self._handles.doors

    def function_of(self, ref: FunctionRef) -> ScriptFunction:
        return ScriptFunction(ref, self.invoker, self.relay, self.feeder)

    def end(self) -> list[HostObject]:
        """Make every handle useless and return the objects, to be closed."""
        self.invoker = _no_guest
        self.relay = self.feeder = None
        self.drop = _nothing_to_drop
        # What points back at us goes now, or only the garbage collector ends it: 20 objects a run.
        self.converter = self.services.converter
        self.conversation = None
        objects: list[Any] = list(self.neighbours.values())
        self.neighbours = {}
        if self._handles is not None:
            objects += self._handles.objects()
            self._handles = None
        return objects


def _nothing_to_drop(call: int) -> None:
    """Without a conversation no call is pending."""


async def _no_guest(ref: FunctionRef, args: list[Any]) -> list[Any]:
    raise SessionClosedError(f"the script function {ref.name or ref.id} is gone: its run has ended")


def _covers(patterns: frozenset[str], name: str) -> bool:
    import fnmatch

    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
