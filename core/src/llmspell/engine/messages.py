"""The words of the conversation between a guest and the host.

The host says ``Start``, ``Load``, ``Reply``, ``Invoke`` and ``Cancel``; the guest says ``Call``, ``Emit``, ``Done`` and
``Failed``. They are frozen and hold only :data:`~llmspell.values.Value` data, so that they are at once arguments
in one process and frames between two (see :mod:`llmspell.values.wire`).

Ids: the run itself is id 0. ``Call`` ids are chosen by the guest, ``Invoke`` ids by the host, each counting
from 1 and never used twice in one run (``Load`` shares the numbers of ``Invoke``). ``Reply`` answers a ``Call``;
``Done`` and ``Failed`` answer an ``Invoke`` or a ``Load`` or, with id 0, end the run.

Values in host messages are fresh trees within the limits: nothing in them is shared or cyclic. A ``FunctionRef``
in a host message names a function of the guest itself, coming home.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Literal, TypeAlias

import msgspec

from llmspell.engine.source import Source

MAIN = 0
"""The id of the run itself, in ``Done`` and ``Failed``."""

HOST = "@host"
"""The target of calls to the host itself, which no bridge can be named; see :mod:`llmspell.runtime.system`."""


class FrameInfo(msgspec.Struct, frozen=True, array_like=True):
    """A script's call frame on the wire; becomes :class:`llmspell.errors.Frame`."""

    language: str
    file: str
    line: int = 0
    column: int = 0
    function: str = ""
    locals: dict[str, str] = {}


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """What a script may know of a host error: nothing but this.

    Attributes:
        code: Stable snake_case word.
        message: One paragraph, free of host paths, reprs and tracebacks.
        details: Plain extra data, or None.
        fatal: A limit or a cancellation. The guest must end without the script being able to catch it.
    """

    code: str
    message: str
    details: Any = None
    fatal: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run or an invocation failed, as the guest tells it.

    Attributes:
        kind: ``syntax``: the source does not parse; ``runtime``: the script raised; ``exit``: it asked to end;
            ``limit``: ``limit`` names which; ``cancelled``; ``conversion``: a value could not cross (``path``);
            ``module``: a module was not found or is circular; ``internal``: the engine itself is at fault.
        message: In the words of the language, without position prefix where ``file`` and ``line`` say it.
        code: The code of the script's error object where it has one, or of the fault it did not handle.
        fault: Id of the ``Call`` whose fault went unhandled, 0 if none: the host then chains its own
            exception as ``__cause__``.
        value: What was raised, converted, when it was more than a text.
        incomplete: For ``syntax``: more input could complete it.
        state_spent: True if the VM must not be used again (memory limit, stack overflow, ...).
        unknown: The global that the script used and that is not there, if that is what went wrong: the host knows
            whether a bridge has that name.
    """

    kind: Literal["syntax", "runtime", "exit", "limit", "cancelled", "conversion", "module", "internal"]
    message: str
    code: str = ""
    language: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    frames: tuple[FrameInfo, ...] = ()
    value: Any = None
    fault: int = 0
    limit: str = ""
    limit_value: float = 0
    path: str = "$"
    status: int = 0
    incomplete: bool = False
    state_spent: bool = False
    hint: str = ""
    unknown: str = ""


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Begin the run.

    Attributes:
        source: What to compile and run, compiled where the guest lives.
        params: The global ``params`` of the script.
        bridges: Names of the bridges this run may ``require``; lazily resolved as globals too.
        mode: ``"run"``: a spell, its result is the value of ``Done``. ``"check"``: compile only, ``Done`` with
            nothing. ``"idle"``: there is no main chunk; the guest says nothing and serves ``Load`` and ``Invoke``
            until ``Cancel``.
    """

    source: Source
    params: dict[Any, Any] = {}
    bridges: tuple[str, ...] = ()
    mode: Literal["run", "check", "idle"] = "run"


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Run a module of the guest's language, for guests of other languages.

    Answered by ``Done`` with one value, its exports: for a module that exports a table of names, a dict with
    functions as :class:`~llmspell.values.FunctionRef`. A module that the guest has already loaded (``require`` in
    its own language finds the same one, by ``source.name``) is not run again.

    Attributes:
        chain: The files whose requests led here and wait for it, in any language, by name. One of them that is asked
            for again before it is loaded closes a circle.
    """

    id: int
    source: Source
    chain: tuple[str, ...] = ()


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """Answer one call: ``fault`` is None on success."""

    id: int
    value: Any = None
    fault: Fault | None = None


class Replies(msgspec.Struct, frozen=True, tag="replies"):
    """Several replies at once, each to be heard as if it had come alone, in this order.

    Only places know it: a guest hears single replies, or all of them by its ``step_all``. What a guest says before the
    last of them is the answer to all of them.
    """

    replies: list[Reply]

    def without(self, calls: Container[int]) -> tuple[list[Reply], Replies | None]:
        """Return the replies to some calls, and what is left; None if nothing is.

        Example:
            >>> found, rest = Replies([Reply(1, "a"), Reply(2, "b")]).without({2, 3})
            >>> [reply.value for reply in found], [reply.id for reply in rest.replies]
            (['b'], [1])
        """
        found = [reply for reply in self.replies if reply.id in calls]
        rest = [reply for reply in self.replies if reply.id not in calls]
        return found, Replies(rest) if rest else None


class Invoke(msgspec.Struct, frozen=True, tag="invoke"):
    """Call a function of the script; answered by ``Done`` or ``Failed`` with the same id.

    Attributes:
        each: Call it once for each of ``args``, with that one alone, until a call returns ``false``. The one value of
            ``Done`` is then how many calls there were; there is none if all of them were made and none said
            ``false``. Said only to engines whose capabilities have ``calls_each``.
    """

    id: int
    function: int
    args: list[Any] = []
    each: bool = False


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End the run, or one invocation.

    With id 0 the guest runs its clean-up handlers under a short grace and says ``Failed``. With the id of an
    ``Invoke`` or ``Load`` only its task is cancelled, as ``task:cancel`` would; the answer still comes.
    """

    reason: str = "cancelled"
    id: int = MAIN


class Call(msgspec.Struct, frozen=True, tag="call"):
    """Ask the host for something.

    Attributes:
        target: A bridge's name, :data:`HOST`, or the id of a :class:`~llmspell.values.HostRef`.
        method: snake_case name of the export.
        args: Positional arguments. An export's keyword-only parameters are one trailing dict.
        line: Line of the script that asked, for the record and for messages; 0 if unknown.
    """

    id: int
    target: str | int
    method: str
    args: list[Any] = []
    line: int = 0


class Emit(msgspec.Struct, frozen=True, tag="emit"):
    """Say something that needs no answer.

    Attributes:
        kind: ``"output"`` (``data`` is text, written as it is), ``"error_output"``, or ``"warning"``.
    """

    kind: str
    data: Any = None


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The run or an invocation ended well. ``values`` are all its results; most languages have one."""

    id: int = MAIN
    values: list[Any] = []


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The run or an invocation failed."""

    failure: Failure
    id: int = MAIN


HostMessage: TypeAlias = Start | Load | Reply | Invoke | Cancel
Delivery: TypeAlias = HostMessage | Replies
"""What is brought to a seat: a message, or several replies."""

GuestMessage: TypeAlias = Call | Emit | Done | Failed
