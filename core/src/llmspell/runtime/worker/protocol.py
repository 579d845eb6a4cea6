"""What host, zygote and worker say to each other around the conversation itself.

Between host and worker the messages of :mod:`llmspell.engine.messages` travel unchanged. ``Open``
stands before them, and everything a guest says in answer to one message comes back as ``Said``. A worker says
``Ready`` once, and from then on nothing but ``Said`` and ``Emit``.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from llmspell.engine.contract import GuestLimits, GuestUsage
from llmspell.engine.messages import Call, Cancel, Done, Emit, Failed, Invoke, Load, Replies, Reply, Start
from llmspell.runtime.hardening.plan import Hardening, State

# Host and worker


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Take a fresh VM state for run number ``run`` of this worker, and drop the last one. Not answered."""

    run: int
    limits: GuestLimits


class Said(msgspec.Struct, frozen=True, tag="said"):
    """What the guest said in answer to one message.

    Attributes:
        run: The run it belongs to.
        messages: In order.
        last: False if another frame carries on with the same answer.
        usage: What the guest has used so far.
    """

    run: int
    messages: list[Call | Emit | Done | Failed]
    last: bool = True
    usage: GuestUsage | None = None


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker is hardened; no guest has been opened yet."""

    states: tuple[State, ...]


ToWorker = Open | Start | Load | Reply | Replies | Invoke | Cancel
FromWorker = Said | Emit

INTERRUPT = struct.Struct("!I32s")
"""On the control socket: run number and reason, padded with zero bytes. Fixed, so that it arrives whole."""

OUT_OF_MEMORY = 77
"""Exit status of a worker that could not even say so."""

# Host and zygote


class EngineOrder(msgspec.Struct, frozen=True):
    """An engine, by what it takes to make it in another process."""

    name: str
    factory: str
    options: dict[str, Any] = {}


class Order(msgspec.Struct, frozen=True, tag="order"):
    """Fork a worker. Its two sockets, data and control, come along. Answered by ``Born``.

    Attributes:
        number: Chosen by the host, never used twice.
        engine_files: Whether the files the engine was loaded from may be read, on top of the plan.
    """

    number: int
    engine: EngineOrder
    plan: Hardening
    engine_files: bool = False


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Ask how a worker ended. Answered by ``Ended``."""

    number: int


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The zygote is there. ``failure`` says what kept it from living, if something did."""

    failure: str = ""


class Born(msgspec.Struct, frozen=True, tag="born"):
    """A worker is there; a pidfd of it comes along where the system has such a thing.

    Attributes:
        pid: As the zygote sees it.
        failure: Why there is no worker.
        blame: ``"engine"`` if the engine could not be loaded, ``"system"`` if the fork failed.
    """

    number: int
    pid: int = 0
    failure: str = ""
    blame: str = ""


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """How a worker ended: its exit status, negative for a signal; None if it is not known to have ended."""

    number: int
    status: int | None = None


ToZygote = Order | Ask
FromZygote = Hello | Born | Ended
