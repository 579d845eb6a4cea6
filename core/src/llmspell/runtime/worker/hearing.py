"""Hear a worker out, one answer at a time, and believe nothing of it.

A frame must decode to a word that a worker may say, in an order it may be said in. Whatever else arrives is a
:class:`~llmspell.errors.EngineCrashed`, and the seat then kills the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from llmspell.engine import GuestUsage
from llmspell.engine.messages import MAIN, Call, Cancel, Delivery, Done, Emit, Failed, GuestMessage, Invoke, Load
from llmspell.errors import ConversionError, EngineCrashed, ResourceExhausted
from llmspell.runtime.worker import nodes
from llmspell.runtime.worker.frames import MAX_FRAME, FrameError, FrameReader, only_payload
from llmspell.runtime.worker.protocol import FromWorker
from llmspell.values import ValueLimits, check_value
from llmspell.values.wire import decoder

_ANSWER_MAX = 8 * MAX_FRAME
"""Bytes one answer may take, over all its frames."""

_MESSAGES_MAX = 200_000
"""Messages one answer may hold: twice the calls that a run may make unless its policy says otherwise."""

_BESIDES_NODES = 10_000
_BESIDES_DEPTH = 16
_FLAT = 256
"""Bytes below which a frame is too short for any limit of a value, if it is flat."""

_SCALARS = frozenset({type(None), bool, int, float, str, bytes})

_KINDS = frozenset({"output", "error_output", "warning"})
_SAFE_TO_REUSE = frozenset({"syntax", "runtime", "exit", "conversion", "module"})
_decode: Callable[[Any], FromWorker] = decoder(FromWorker).decode


class Hearing:
    """What one worker says in one run.

    Args:
        run: Number of the run in that worker.
        limits: What one value may be; a worker that keeps to them comes nowhere near what is refused here.
        emit: Receives output as it comes; raises ``ResourceExhausted`` when there has been enough of it.
    """

    __slots__ = (
        "_answer", "_dismissed", "_emit", "_invocations", "_last_call", "_limits", "_open", "_reader", "_run", "_size",
        "main", "over", "usage",
    )  # fmt: skip

    def __init__(self, run: int, limits: ValueLimits, emit: Callable[[Emit], None]) -> None:
        self._run = run
        self._limits = ValueLimits(limits.depth + _BESIDES_DEPTH, limits.nodes + _BESIDES_NODES, 2 * MAX_FRAME)
        self._emit = emit
        self._reader = FrameReader()
        self._answer: list[GuestMessage] = []
        self._size = 0
        self._open = False
        self._last_call = 0
        self._invocations: set[int] = set()
        self._dismissed = False
        self.main: Done | Failed | None = None
        self.over: ResourceExhausted | None = None
        self.usage = GuestUsage()

    @property
    def wants(self) -> int:
        """How many bytes to read next."""
        return self._reader.wants

    @property
    def clean(self) -> bool:
        """Tell whether the run came to an end after which the worker can serve another."""
        main = self.main
        if main is None or self._open or self._invocations or not self._reader.empty or self.over is not None:
            return False
        if type(main) is Failed:
            failure = main.failure
            safe = failure.kind in _SAFE_TO_REUSE or (self._dismissed and failure.kind == "cancelled")
            return safe and not failure.state_spent
        return True

    def expect(self, message: Delivery) -> None:
        """Expect the answer to what is about to be said."""
        if not self._reader.empty:
            raise _broken("it spoke before it was spoken to")
        if isinstance(message, Invoke | Load):
            self._invocations.add(message.id)
        # A guest that does nothing is told to end: nothing was cut short in its worker.
        self._dismissed = type(message) is Cancel and message.id == MAIN and not self._invocations
        self._open = True
        self._size = 0
        self._answer = []

    def hear(self, data: bytes) -> list[GuestMessage] | None:
        """Take what was read; return the answer once all of it is there.

        Raises:
            EngineCrashed: It is not what an honest worker says.
        """
        reader = self._reader
        if reader.empty and (whole := only_payload(data)) is not None:
            if not self._take(whole):
                return None
            self._open = False
            return self._answer
        reader.feed(data)
        try:
            while (payload := reader.next()) is not None:
                if self._take(payload):
                    self._open = False
                    if not reader.empty:
                        raise _broken("it went on after its answer")
                    return self._answer
        except FrameError as error:
            raise _broken(str(error)) from None
        return None

    def _take(self, payload: memoryview) -> bool:
        """Take one frame; tell whether the answer is complete."""
        size = len(payload)
        short = size <= _FLAT
        if not short and not nodes.within(payload, self._limits.nodes):
            raise _broken(f"a frame holds more than {self._limits.nodes:,} values")
        try:
            word = _decode(payload)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, OverflowError, ConversionError) as error:
            raise _broken(f"a frame does not decode: {type(error).__name__}: {str(error)[:200]}") from None
        messages = (word,) if isinstance(word, Emit) else word.messages
        self._bound(messages, short=short)
        if isinstance(word, Emit):
            self._emitted(word)
            return False
        answer = self._answer
        if word.run != self._run:
            raise _broken(f"it spoke of run {word.run} in run {self._run}")
        self._size += size
        if self._size > _ANSWER_MAX:
            raise _broken(f"one answer takes more than {_ANSWER_MAX:,} bytes")
        if len(answer) + len(messages) > _MESSAGES_MAX:
            raise _broken(f"one answer holds more than {_MESSAGES_MAX:,} messages")
        for message in messages:
            self._check(message)
        answer += word.messages
        if word.usage is not None:
            self.usage = word.usage
        return word.last

    def _bound(self, messages: Sequence[GuestMessage], *, short: bool) -> None:
        """Hold the free values of messages to what a value is, and to the limits: nobody who walks them later has to.

        A decoder makes more than values of what it reads: a key of anything that has a hash.
        """
        try:
            for message in messages:
                value = _free_value(message)
                if not (short and _is_flat(value)):
                    check_value(value, self._limits)
        except ConversionError as error:
            raise _broken(error.message) from None

    def _emitted(self, word: Emit) -> None:
        _check_emit(word)
        if self.over is not None or self.main is not None:
            return
        try:
            self._emit(word)
        except ResourceExhausted as error:
            self.over = error

    def _check(self, message: GuestMessage) -> None:
        if self.main is not None:
            raise _broken("it went on after the end of the run")
        if isinstance(message, Call):
            # Counting up makes every id unique without a memory of those used.
            if message.id <= self._last_call:
                raise _broken(f"call {message.id} came after call {self._last_call}")
            self._last_call = message.id
        elif isinstance(message, Emit):
            _check_emit(message)
        elif message.id == MAIN:
            self.main = message
        elif message.id in self._invocations:
            self._invocations.discard(message.id)
        else:
            raise _broken(f"it answered invocation {message.id}, which nobody made")


def _is_flat(value: Any) -> bool:
    """Tell whether a value is a scalar or a list of nothing else, as nearly every short one is."""
    kind = type(value)
    return kind in _SCALARS or (kind is list and _SCALARS.issuperset(map(type, value)))


def _free_value(message: GuestMessage) -> Any:
    """Return the part of a message that may be anything."""
    if isinstance(message, Call):
        return message.args
    if isinstance(message, Done):
        return message.values
    return message.failure.value if isinstance(message, Failed) else message.data


def _check_emit(word: Emit) -> None:
    if word.kind not in _KINDS:
        raise _broken(f"an event of kind {word.kind[:40]!r}")
    if type(word.data) is not (dict if word.kind == "warning" else str):
        raise _broken(f"{word.kind} of type {type(word.data).__name__}")


def _broken(how: str) -> EngineCrashed:
    return EngineCrashed(f"the worker broke the protocol: {how}")
