"""Run one spell for a person: output as it comes, interrupts that reach guest and host work, one outcome."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from llmspell.cli.streams import ReaderGone, Stream
from llmspell.errors import Cancelled

if TYPE_CHECKING:
    from llmspell.cli.progress import ProgressLine
    from llmspell.cli.terminal import Terminal
    from llmspell.gate import Recorder
    from llmspell.host.host import Host
    from llmspell.host.result import RunResult
    from llmspell.policy import Policy
    from llmspell.spell import Spell

_INTERRUPTED = 130
_SIGNALS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal is gone"}


class Stopper:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a cancellation of the run; the second leaves at once.

    Signals that are ignored, as ``nohup`` has it, stay ignored.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._before: dict[int, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._bell: tuple[socket.socket, socket.socket] | None = None

    def __enter__(self) -> Stopper:
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._bell is not None:
            signal.set_wakeup_fd(-1)
            for end in self._bell:
                end.close()

    def guard(self) -> None:
        """Make the running task the one to cancel."""
        self._loop = asyncio.get_running_loop()
        self._ring_on_signals(self._loop)
        self._task = asyncio.current_task()
        if self.reason:
            self.cancel()

    def _ring_on_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the loop for every signal.

        The kernel may hand a signal to a thread that runs a guest; the main thread, which alone runs Python's
        handlers, would sleep on.
        """
        reader, writer = self._bell = socket.socketpair()
        for end in self._bell:
            end.setblocking(False)
        try:
            loop.add_reader(reader, reader.recv, 4096)
        except NotImplementedError:
            return  # Windows' loop wakes for signals by itself
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def cancel(self) -> None:
        """Cancel the run; from any thread."""
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.reason:
            os._exit(_INTERRUPTED)
        self.reason = _SIGNALS[signal.Signals(number).name]
        self.cancel()


@dataclass(slots=True)
class Outcome:
    """What came of a run: a result, or an error (whose ``result`` holds what there is of one)."""

    result: RunResult | None = None
    error: Exception | None = None
    seconds: float = 0.0
    printed: list[str] = field(default_factory=list)

    @property
    def account(self) -> RunResult | None:
        """The result, also an incomplete one."""
        return self.result or getattr(self.error, "result", None)


class _Sink:
    """Receives what a spell prints, in whatever thread it prints."""

    def __init__(
        self, outcome: Outcome, stopper: Stopper, streams: dict[str, Stream] | None, progress: ProgressLine | None
    ) -> None:
        self._outcome = outcome
        self._stopper = stopper
        self._streams = streams
        self._progress = progress
        self.failure: OSError | ReaderGone | None = None

    def __call__(self, kind: str, text: str) -> None:
        self._outcome.printed.append(text)
        if self._streams is None or self.failure is not None:
            return
        try:
            if self._progress is not None:
                self._progress.clear()
            self._streams[kind].write(text)
        except (OSError, ReaderGone) as error:
            # Not raised into the engine that is printing: the run is ended from outside.
            self.failure = error
            self._stopper.cancel()


def perform(
    host: Host,
    spell: Spell,
    params: dict[str, Any],
    policy: Policy,
    *,
    recorder: Recorder | None = None,
    streams: dict[str, Stream] | None = None,
    progress: ProgressLine | None = None,
    terminal: Terminal | None = None,
) -> Outcome:
    """Run a spell to its end, whatever end that is, and close the host.

    Args:
        streams: Where output goes as it comes, by its kind; None keeps it for the outcome only.
        progress: Shows what bridges report of their work.
        terminal: Where the spell can ask the person who started it; None where it cannot.
    """
    outcome = Outcome()
    if terminal is not None:
        host.services["terminal"] = terminal
    if progress is not None:
        host.register(progress, "progress")
    began = time.monotonic()
    with Stopper() as stopper:
        sink = _Sink(outcome, stopper, streams, progress)

        async def go() -> RunResult:
            stopper.guard()
            async with host, host.session(policy, recorder=recorder, on_output=sink) as session:
                return await session.arun(spell, params)

        try:
            outcome.result = asyncio.run(go())
        except asyncio.CancelledError as error:
            outcome.error = sink.failure or _cancelled(stopper, error)
        except Exception as error:  # noqa: BLE001 - every end of a run is an outcome
            outcome.error = sink.failure or error
    if progress is not None:
        progress.clear()
    outcome.seconds = time.monotonic() - began
    return outcome


def _cancelled(stopper: Stopper, error: BaseException) -> Cancelled:
    cancelled = Cancelled(stopper.reason or "the run was cancelled")
    cancelled.result = getattr(error, "result", None)
    return cancelled
