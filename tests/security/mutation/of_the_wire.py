"""What a worker that was taken over may say, and who refuses it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from defences import Defence, Edit

from llmspell.engine import messages as m
from llmspell.errors import EngineCrashed
from llmspell.runtime.worker import hearing as heard
from llmspell.runtime.worker.frames import FrameError, FrameReader, frame
from llmspell.runtime.worker.hearing import Hearing
from llmspell.runtime.worker.protocol import Said
from llmspell.values import ValueLimits, wire
from llmspell.values.wire import encode

START = m.Start  # the message an answer belongs to does not matter here
RUN = 3


def believed(*payloads: bytes) -> bool:
    """Tell whether a host takes these frames for what an honest worker says."""
    from llmspell.engine import Source

    hearing = Hearing(RUN, ValueLimits(), lambda _: None)
    hearing.expect(START(Source("x"), {}))
    try:
        for payload in payloads:
            hearing.hear(frame(payload))
    except EngineCrashed:
        return False
    return True


def says(*messages: Any, run: int = RUN) -> Callable[[Path], bool]:
    return lambda _: believed(encode(Said(run, list(messages))))


def endless_frame(_: Path) -> bool:
    reader = FrameReader()
    reader.feed(struct.pack("!I", 2**32 - 1))
    try:
        return reader.next() is None  # it waits for four gibibytes
    except FrameError:
        return False


def millions_of_values(_: Path) -> bool:
    warning = b"\x83\xa4type\xa4emit\xa4kind\xa7warning\xa4data\x81\xa1x"
    return believed(warning + b"\xdd" + struct.pack("!I", 2_000_000) + b"\x90" * 2_000_000)


def nested(_: Path) -> bool:
    value: Any = []
    for _each in range(300):
        value = [value]
    return believed(encode(Said(RUN, [m.Done(0, [value])])))


def early_word(_: Path) -> bool:
    from llmspell.engine import Source

    hearing = Hearing(RUN, ValueLimits(), lambda _: None)
    hearing._reader.feed(frame(encode(Said(RUN, [m.Done(0, ["forged"])]))))
    try:
        hearing.expect(START(Source("x"), {}))
    except EngineCrashed:
        return False
    return True


def long_integer(_: Path) -> bool:
    import msgspec

    big = msgspec.msgpack.Ext(1, b"\x7f" * 10_000)
    done = {"type": "done", "id": 0, "values": [big]}
    return believed(msgspec.msgpack.encode({"type": "said", "run": RUN, "messages": [done]}))


DONE = m.Done(0, [])
CALL = m.Call(1, "a", "b")
CHECK, TAKE = Hearing._check, Hearing._take

DEFENCES = [
    Defence("the cap of a frame", endless_frame, (Edit(FrameReader.next, "if not 0 < size <= MAX_FRAME", "if False"),)),
    Defence("call ids that only count up", says(CALL, CALL), (Edit(CHECK, "message.id <= self._last_call", "False"),)),
    Defence("nothing after the end of a run", says(DONE, CALL), (Edit(CHECK, "if self.main is not None", "if False"),)),
    Defence("answers only to what was asked", says(m.Done(9, [])),
            (Edit(CHECK, 'raise _broken(f"it answered invocation {message.id}, which nobody made")', "return"),)),
    Defence("the number of the run", says(DONE, run=RUN - 1), (Edit(TAKE, "if word.run != self._run", "if False"),)),
    Defence("counting values before they are decoded", millions_of_values,
            (Edit(TAKE, "if not short and not nodes.within(payload, self._limits.nodes)", "if False"),
             Edit(TAKE, "self._bound(messages, short=short)", "pass"))),
    Defence("the depth of a value", nested, (Edit(TAKE, "self._bound(messages, short=short)", "pass"),)),
    Defence("nothing but values in the shortest of frames", says(m.Done(0, [{1: 1}])),
            (Edit(Hearing._bound, "if not (short and _is_flat(value))", "if not short"),)),
    Defence("kinds of events", lambda _: believed(encode(m.Emit("exec", "x"))),
            (Edit(heard._check_emit, "if word.kind not in _KINDS", "if False"),)),
    Defence("silence until spoken to", early_word, (Edit(Hearing.expect, "if not self._reader.empty", "if False"),)),
    Defence("the length of an integer", long_integer,
            (Edit(wire._ext_hook, "if len(payload) > MAX_INT_BITS // 8 + 1", "if False"),)),
]  # fmt: skip
