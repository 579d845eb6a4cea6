"""Somebody between the host and a worker or zygote, who at one frame of the conversation does something to it.

A real connection: two pairs of sockets and a thread for each direction, so that what either side sees of the other is
what the kernel shows of one that died, stalled or lies. ``Failing`` is for what only the host's own kernel can do.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from llmspell.runtime.worker.frames import HEADER, MAX_FRAME

Meddle = Callable[[int, bytes], tuple[list[bytes], bool]]
"""Told number and text of a frame, header included; returns what goes on instead, and whether the connection does."""


def pass_on(number: int, text: bytes) -> tuple[list[bytes], bool]:
    return [text], True


class Between:
    """Stand on a connection.

    Args:
        inner: The socket that led to the other side so far; owned from here on.
        up: Meddles with what comes from there.
        down: Meddles with what goes there.

    Attributes:
        outer: What the host is to use instead; the host's to close.
    """

    def __init__(self, inner: socket.socket, up: Meddle = pass_on, down: Meddle = pass_on) -> None:
        self.outer, self._ours = socket.socketpair()
        self._inner = inner
        ways = ((inner, self._ours, up), (self._ours, inner, down))
        self._threads = [threading.Thread(target=_pump, args=way, name="meddler") for way in ways]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for end in (self._inner, self._ours):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._inner.close()
        self._ours.close()


def _pump(source: socket.socket, sink: socket.socket, meddle: Meddle) -> None:
    number, goes_on = 0, True
    with suppress(OSError):
        while goes_on and (got := _frame(source)) is not None:
            text, descriptors = got
            try:
                parts, goes_on = meddle(number, text)
                if data := b"".join(parts):
                    sink.sendall(data[socket.send_fds(sink, [data], descriptors) :])
            finally:
                for each in descriptors:
                    os.close(each)
            number += 1
    for end in (sink, source):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _frame(source: socket.socket) -> tuple[bytes, list[int]] | None:
    """Read one frame, header included, and the descriptors that come along; None at the end."""
    data = b""
    descriptors: list[int] = []
    wanted = HEADER.size
    while len(data) < wanted:
        part, more, _, _ = socket.recv_fds(source, wanted - len(data), 4)
        descriptors += more
        if not part:
            return None
        data += part
        if len(data) == HEADER.size:
            wanted += HEADER.unpack(data)[0]
    return data, descriptors


LIES: dict[str, Callable[[bytes, bytes], tuple[list[bytes], bool]]] = {
    "garbage": lambda text, _: ([text[:4], b"\xc1" * (len(text) - 4)], True),
    "noise": lambda text, _: ([b"\xff" * len(text)], True),
    "truncate": lambda text, _: ([text[: len(text) // 2]], False),
    "oversize": lambda text, _: ([HEADER.pack(MAX_FRAME + 1), text[4:]], True),
    "zero": lambda text, _: ([bytes(4), text], True),
    "replay": lambda text, _: ([text, text], True),
    "stale": lambda text, before: ([before or text], True),
    "drop": lambda text, _: ([], True),
    "eof": lambda text, _: ([], False),
}
"""What comes instead of a frame: told the frame and the one before it (empty if there was none)."""


class Fault:
    """A meddler that does one thing at one frame.

    Args:
        name: A lie, ``"reorder"``, or what ``acts`` can do besides passing the frame on.
        at: Number of the frame.
        acts: Things to do, by name.
        then: Called after it was done.
    """

    def __init__(
        self, name: str, at: int, acts: dict[str, Callable[[], object]], then: Callable[[], object] = lambda: None
    ) -> None:
        self.name, self.at, self._acts, self._then = name, at, acts, then
        self.done = False
        self._before = self._kept = b""

    def __call__(self, number: int, text: bytes) -> tuple[list[bytes], bool]:
        before, self._before = self._before, text
        if number != self.at:
            kept, self._kept = self._kept, b""
            return [text, kept], True
        self.done = True
        try:
            if self.name in LIES:
                return LIES[self.name](text, before)
            if self.name == "reorder":
                self._kept = text
                return [], True
            self._acts[self.name]()
            return [text], True
        finally:
            self._then()


class Failing:
    """A socket whose nth sending or receiving fails, once."""

    def __init__(self, inner: socket.socket, method: str, at: int, error: BaseException) -> None:
        self._inner = inner
        self._method = method
        self._left = at
        self._error = error
        self.done = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counted(found) if name.startswith(self._method) else found

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self._left -= 1
            if self._left == -1:
                self.done = True
                raise self._error
            return method(*args)

        return call
