"""A worker's life: hear a message, let the guest step, say what it said; one run after the other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from llmspell.engine.contract import Guest, GuestUsage, ScriptEngine
from llmspell.engine.messages import Delivery, Emit, Failed, Failure, GuestMessage, Reply
from llmspell.runtime.delivery import deliver, has_ended
from llmspell.runtime.waits import Waits
from llmspell.runtime.worker.frames import MAX_FRAME, FrameReader, frame
from llmspell.runtime.worker.outgrown import fit
from llmspell.runtime.worker.protocol import INTERRUPT, OUT_OF_MEMORY, Open, Said, ToWorker
from llmspell.runtime.worker.waiting import Alert
from llmspell.values.wire import decoder, encode

_CONTROL_STACK = 256 * 1024
_PIECE = MAX_FRAME // 16
"""Characters of output in one frame: four bytes each at most, with room to spare."""


class _HostGone(BaseException):
    """The host closed the connection. Not an ``Exception``: no engine may swallow it."""


class Server:
    """Serve runs on two descriptors until the host hangs up.

    Args:
        engine: Loaded in the zygote.
        data: Frames, both ways.
        control: Interrupts, one way. A thread of its own reads it, so that they arrive while a guest is busy.
        read: As ``os.read``, for both.
        write: As ``os.write``, for the first.
    """

    def __init__(
        self,
        engine: ScriptEngine,
        data: int,
        control: int,
        read: Callable[[int, int], bytes] = os.read,
        write: Callable[[int, Any], int] = os.write,
    ) -> None:
        self._engine = engine
        self._data = data
        self._control = control
        self._get = read
        self._put = write
        self._reader = FrameReader()
        self._alert = Alert(data)
        self._decode: Callable[[Any], ToWorker] = decoder(ToWorker).decode
        self._lock = threading.Lock()
        self._run = 0
        self._guest: Guest | None = None
        self._interrupted = (0, "")
        self._failure: Failed | None = None
        self._waits = Waits(self._step, self._word, lambda said: self._say(said, None))

    def live(self) -> int:
        """Serve until the host hangs up; return the exit status."""
        previous = threading.stack_size(_CONTROL_STACK)
        threading.Thread(target=self._listen, name="llmspell-control", daemon=True).start()
        threading.stack_size(previous)
        try:
            while True:
                word = self._hear()
                if type(word) is Open:
                    self._open(word)
                else:
                    self._answer(word)  # type: ignore[arg-type]
        except _HostGone:
            return 0
        except MemoryError:
            return OUT_OF_MEMORY

    # The control thread

    def _listen(self) -> None:
        data = b""
        while part := self._hear_control(INTERRUPT.size - len(data)):
            data += part
            if len(data) == INTERRUPT.size:
                run, reason = INTERRUPT.unpack(data)
                data = b""
                with self._lock:
                    self._interrupted = (run, reason.rstrip(b"\0").decode("ascii", "replace"))
                    if run == self._run and self._guest is not None:
                        self._guest.interrupt(self._interrupted[1])
        # Nobody is going to hear what a busy guest has still to say.
        os._exit(0)

    def _hear_control(self, size: int) -> bytes:
        try:
            return self._get(self._control, size)
        except OSError:
            return b""

    # Runs

    def _open(self, word: Open) -> None:
        self._close()
        try:
            guest = self._engine.open(word.limits, self)
        except Exception as error:  # noqa: BLE001 - said as a failure of the run
            self._run = word.run
            self._failure = _internal(error)
            return
        with self._lock:
            self._run = word.run
            self._guest = guest
            run, reason = self._interrupted
            if run == word.run:
                guest.interrupt(reason)

    def _close(self) -> None:
        self._failure = None
        self._waits.forget()
        with self._lock:
            guest, self._guest = self._guest, None
        if guest is not None:
            guest.close()

    def _answer(self, message: Delivery) -> None:
        guest = self._guest
        said: list[Any]
        if guest is None:
            said = [self._failure] if self._failure is not None else []
            self._failure = None
            self._say(said, None)
            return
        try:
            said = self._waits.take(message)
            usage = guest.usage()
        except MemoryError:
            said, usage = [_out_of_memory()], None
        except Exception as error:  # noqa: BLE001 - a guest must not raise; if it does, the run tells
            said, usage = [_internal(error)], None
        if self._waits.listening:
            # The guest gave up asking, by an exception. What it asked is still going to be answered, and what it
            # says now is the answer to that.
            self._hear()
        self._say(said, usage)
        if said and has_ended(said):
            self._close()

    def _step(self, word: Delivery) -> list[Any]:
        """Step, and answer on the spot what has grown too large to be asked of the host."""
        guest = self._guest
        assert guest is not None
        said: list[Any] = []
        todo: list[Delivery] = [word]
        while todo:
            for message in deliver(guest, todo.pop(0)):
                fitting = fit(message)
                if type(fitting) is Reply:
                    todo.append(fitting)
                else:
                    said.append(fitting)
        return said

    # The guest's port

    def emit(self, message: Emit) -> None:
        text = message.data
        if type(text) is not str:
            self._write(encode(fit(message)))
            return
        for start in range(0, len(text) or 1, _PIECE):
            self._write(encode(Emit(message.kind, text[start : start + _PIECE])))

    def ask(self, said: list[GuestMessage], *, hears: bool = False) -> Reply:
        wanted = said[-1].id  # type: ignore[union-attr]
        fitting = [fit(message) for message in self._waits.with_unsaid(said)]
        told = [message for message in fitting if type(message) is not Reply]
        answered = fitting[-1]
        for message in fitting[:-1]:
            if type(message) is Reply:
                self._waits.keep(message)
        if type(answered) is Reply:
            if told:
                self._say(told, None, last=False)
            return answered
        self._say(told, None)
        return self._waits.until(wanted, hears=hears)

    def _word(self) -> Delivery:
        """Hear what comes in the middle of a run."""
        word = self._hear()
        if isinstance(word, Open):
            raise _HostGone
        return word

    # The wire

    def _hear(self) -> ToWorker:
        reader = self._reader
        while (payload := reader.next()) is None:
            self._alert.stay()
            data = self._get(self._data, reader.wants)
            if not data:
                raise _HostGone
            reader.feed(data)
        return self._decode(payload)

    def _say(self, messages: list[Any], usage: GuestUsage | None, *, last: bool = True) -> None:
        payload = encode(Said(self._run, messages, last, usage))
        if len(payload) <= MAX_FRAME:
            self._write(payload)
            return
        # Each of them fits, all of them do not: one frame each.
        for index, message in enumerate(messages):
            is_last = last and index == len(messages) - 1
            self._write(encode(Said(self._run, [message], is_last, usage if is_last else None)))

    def _write(self, payload: bytes) -> None:
        data = memoryview(frame(payload))
        try:
            while data:
                data = data[self._put(self._data, data) :]
        except OSError:
            raise _HostGone from None


def _internal(error: Exception) -> Failed:
    text = f"{type(error).__name__}: {error}"
    return Failed(Failure(kind="internal", message=f"the engine failed: {text[:2000]}", state_spent=True))


def _out_of_memory() -> Failed:
    return Failed(Failure(kind="limit", limit="memory", message="the worker ran out of memory", state_spent=True))
