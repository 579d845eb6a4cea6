"""``Line``: a worker's data socket on an event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from llmspell.engine.messages import GuestMessage
from llmspell.errors import EngineCrashed
from llmspell.runtime.seat import Told
from llmspell.runtime.worker.waiting import Alert


class Line:
    """Say something and hear the answer, time after time, without a task or a future for each.

    It reads only while an answer is awaited: what a worker says unasked stays in the socket. The socket itself stays
    a blocking one, for steps from threads. Where no other line awaits anything, it stays awake for the answer, in a
    turn of the loop of its own: everybody else who is ready goes first.

    Args:
        alert: Looks at the socket.
        awaiting: The lines of this host that await an answer.
        heard: Takes what was read, nothing once the other side is gone; returns the answer when it is complete.
        wants: How many bytes to read next.
    """

    __slots__ = (
        "_alert", "_awaiting", "_data", "_descriptor", "_heard", "_listens", "_loop", "_rest", "_told", "_wants",
    )  # fmt: skip

    def __init__(
        self,
        data: socket.socket,
        alert: Alert,
        awaiting: set[Line],
        heard: Callable[[bytes], list[GuestMessage] | None],
        wants: Callable[[], int],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._data = data
        self._descriptor = data.fileno()
        self._alert = alert
        self._awaiting = awaiting
        self._heard = heard
        self._wants = wants
        self._told: Told | None = None
        self._rest: memoryview | None = None
        self._listens = False

    def say(self, outgoing: bytes, told: Told) -> None:
        """Send; ``told`` is called when the answer is there, or with what ``heard`` raised."""
        self._told = told
        self._awaiting.add(self)
        if not self._listens:
            self._listens = True
            self._loop.add_reader(self._descriptor, self._receive)
        try:
            sent = self._data.send(outgoing, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._loop.call_soon(self._failed, error)
            return
        if sent < len(outgoing):
            self._rest = memoryview(outgoing)[sent:]
            self._loop.add_writer(self._descriptor, self._send)
        elif len(self._awaiting) == 1:
            self._loop.call_soon(self._look)

    def close(self) -> None:
        """Let go of the loop. Nobody is told anything any more."""
        self._told = None
        self._awaiting.discard(self)
        self._end_send()
        if self._listens:
            self._listens = False
            self._loop.remove_reader(self._descriptor)

    def _send(self) -> None:
        rest = self._rest
        assert rest is not None
        try:
            self._rest = rest = rest[self._data.send(rest, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        if not rest:
            self._end_send()

    def _end_send(self) -> None:
        if self._rest is not None:
            self._rest = None
            self._loop.remove_writer(self._descriptor)

    def _look(self) -> None:
        if self._told is not None and len(self._awaiting) == 1:
            self._alert.stay()
            self._receive()

    def _receive(self) -> None:
        if self._told is None:
            self._listens = False
            self._loop.remove_reader(self._descriptor)
            return
        try:
            data = received(self._data, self._wants(), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 - carried over to whoever waits
            self._tell((), error)
            return
        self._hear(data)

    def _failed(self, error: OSError) -> None:
        """Take note that something could not be sent."""
        failure = unspoken(error)
        if failure is None:
            self._hear(b"")
        else:
            self._tell((), failure)

    def _hear(self, data: bytes) -> None:
        if self._told is None:
            return
        failure: Exception | None = None
        answer: list[GuestMessage] | None = None
        try:
            answer = self._heard(data)
        except Exception as error:  # noqa: BLE001 - carried over to whoever waits
            failure = error
        if answer is None and failure is None:
            return
        self._tell(answer or (), failure)

    def _tell(self, answer: Sequence[GuestMessage], failure: Exception | None) -> None:
        told, self._told = self._told, None
        self._awaiting.discard(self)
        self._end_send()
        if told is not None:
            told(answer, failure)


_GONE = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN, errno.ESHUTDOWN, errno.EBADF})
"""What the other side's end looks like here. EBADF: another thread has closed the socket because of it."""


def unspoken(error: OSError) -> EngineCrashed | None:
    """Return the error of a worker that cannot be spoken to for a reason of our own; None if it is just gone."""
    return None if error.errno in _GONE else EngineCrashed(f"the worker cannot be spoken to: {error.strerror}")


def no_memory() -> EngineCrashed:
    """Return the error of a host that has no memory left for what its worker says."""
    return EngineCrashed("this process has no memory left for its worker, which was killed")


def received(data: socket.socket, size: int, flags: int) -> bytes:
    """Read what is there; nothing once the other side is gone, in whatever way it went.

    Raises:
        BlockingIOError: By ``MSG_DONTWAIT``: there is nothing yet.
        EngineCrashed: This side is at fault: it lacks memory, say.
    """
    try:
        return data.recv(size, flags)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in _GONE:
            return b""
        raise EngineCrashed(f"the worker cannot be heard: {error.strerror}") from error


def watches_sockets(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop can watch a socket, and a blocking socket be used without blocking. Not so on Windows."""
    cannot = getattr(type(loop), "add_reader", None) in (None, asyncio.AbstractEventLoop.add_reader)
    return not cannot and hasattr(socket, "MSG_DONTWAIT")
