"""A worker that was not forked but started: it loads its engine itself, hardens itself, and serves."""

from __future__ import annotations

import base64
import gc
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from llmspell.runtime.hardening.apply import harden
from llmspell.runtime.worker.frames import HEADER, frame
from llmspell.runtime.worker.loading import load_engine, one_arena, plan_of
from llmspell.runtime.worker.protocol import Born, Order, Ready
from llmspell.runtime.worker.serve import Server
from llmspell.values.wire import decoder, encode


def launch(given: int, host: int) -> NoReturn:
    """Be a worker.

    Args:
        given: Where the second frame comes from: the two sockets, as :func:`~.spawner.hand_over` says them.
        host: The host's process id.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    one_arena()
    data, control = _take_over(json.loads(_exactly(os.read, given, _size(os.read, given))))
    os._exit(_live(data, control, host))


def _live(data: Any, control: Any, host: int) -> int:
    read, write = _means(data, control)
    number = data.fileno()

    def say(message: Any) -> None:
        rest = memoryview(frame(encode(message)))
        while rest:
            rest = rest[write(number, rest) :]

    decode: Callable[[bytes], Order] = decoder(Order).decode
    order = decode(_exactly(read, number, _size(read, number)))
    try:
        engine = load_engine(order.engine)
    except BaseException:  # noqa: BLE001 - a plugin may raise anything; it is told to the host
        say(Born(order.number, failure=traceback.format_exc(limit=-8), blame="engine"))
        return 1
    say(Born(order.number, os.getpid()))
    plan = plan_of(order)
    gc.enable()
    applied = harden(plan, keep=(number, control.fileno()), parent=host)
    say(Ready(applied.states))
    if applied.missing(plan):
        return 1
    return Server(engine, number, control.fileno(), read, write).live()


def _take_over(said: list[Any]) -> list[socket.socket]:
    """Make sockets of what the host handed over: descriptors that were inherited, or Windows' own notes on them."""
    if sys.platform == "win32":
        return [socket.fromshare(base64.b64decode(note)) for note in said]
    return [socket.socket(fileno=number) for number in said]


def _means(*sockets: socket.socket) -> tuple[Callable[[int, int], bytes], Callable[[int, Any], int]]:
    """Return what reads and writes a socket by its number. Windows' sockets are no files."""
    if sys.platform == "win32":
        by_number = {each.fileno(): each for each in sockets}
        return (lambda number, size: by_number[number].recv(size)), (lambda number, what: by_number[number].send(what))
    return os.read, os.write


def _size(read: Callable[[int, int], bytes], descriptor: int) -> int:
    (size,) = HEADER.unpack(_exactly(read, descriptor, HEADER.size))
    return int(size)


def _exactly(read: Callable[[int, int], bytes], descriptor: int, size: int) -> bytes:
    said = b""
    while len(said) < size:
        part = read(descriptor, size - len(said))
        if not part:
            raise SystemExit("the host is gone")
        said += part
    return said
