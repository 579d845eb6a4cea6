"""What the gate works with and asks: the part of a run it sees, and who else may refuse a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from llmspell.bridge import Bridge, BridgeSet, HostObject, ScriptFunction
from llmspell.gate.budget import Budget
from llmspell.gate.doors import Door
from llmspell.gate.record import CallRecord, Recorder
from llmspell.policy import Policy
from llmspell.values import FunctionRef, ValueConverter
from llmspell.values.convert import Naming


class Authorizer(Protocol):
    """Asked before every call when plugins want to be; returns why it is refused, or None."""

    def __call__(self, run: GatedRun, target: str, method: str, args: list[Any], /) -> str | None: ...


class GatedRun(Protocol):
    """The part of a run that the gate works with."""

    id: str
    language: str
    naming: Naming
    ordered: bool
    session: str
    principal: str
    policy: Policy
    budget: Budget
    bridges: BridgeSet
    system: Bridge
    doors: dict[tuple[str, str], Door]
    recorder: Recorder | None
    converter: ValueConverter
    pending: int
    stopping: str
    stop_error: BaseException | None
    scrub: Callable[[str], str] | None

    @property
    def handle_doors(self) -> dict[tuple[int, str], Door]: ...
    def checkpoint(self) -> None: ...
    def object_of(self, handle: int) -> HostObject: ...
    def function_of(self, ref: FunctionRef) -> ScriptFunction: ...
    def failed(self, call: int, error: BaseException) -> None: ...
    def called(self, record: CallRecord) -> None: ...
