"""One thread that calls back when a deadline passes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from llmspell.errors import EngineCrashed

_log = logging.getLogger("llmspell.runtime")


class Watchdog:
    """Watch deadlines.

    Adding and removing are a dictionary operation each: the thread sleeps until the earliest deadline it knew
    of when it last looked, and is woken only for an earlier one.
    """

    def __init__(self) -> None:
        self._watched: dict[int, tuple[float, Callable[[], None]]] = {}
        self._wake = threading.Condition()
        self._next = float("inf")
        self._thread: threading.Thread | None = None
        self._closed = False
        self._ids = 0

    def watch(self, deadline: float, on_passed: Callable[[], None]) -> int:
        """Call ``on_passed`` once, from the watchdog's thread, after ``deadline`` (``time.monotonic``).

        Returns:
            A token for :meth:`unwatch`.

        Raises:
            EngineCrashed: There is no thread to be had; nothing is watched then.
        """
        self._ids = token = self._ids + 1
        self._watched[token] = (deadline, on_passed)
        if deadline < self._next:
            with self._wake:
                self._next = min(self._next, deadline)
                if self._thread is None and not self._closed:
                    self._start(token)
                self._wake.notify()
        return token

    def _start(self, token: int) -> None:
        thread = threading.Thread(target=self._run, name="llmspell-watchdog", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._next = float("inf")
            del self._watched[token]
            raise EngineCrashed(
                f"deadlines cannot be watched: {error}", hint="this process can start no more threads"
            ) from error
        self._thread = thread

    def unwatch(self, token: int) -> None:
        """Forget a deadline; harmless if it has passed."""
        self._watched.pop(token, None)

    def close(self) -> None:
        """End the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def _is_closed(self) -> bool:
        return self._closed

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._closed:
                    return
                wait = self._next - time.monotonic()
                if wait > 0:
                    self._wake.wait(None if wait == float("inf") else min(wait, threading.TIMEOUT_MAX))
                    if self._is_closed():
                        return
                now = time.monotonic()
                if self._next > now:
                    continue
                self._next = float("inf")
            watched = list(self._watched.items())
            passed = [token for token, (deadline, _) in watched if deadline <= now]
            earliest = min((deadline for _, (deadline, _) in watched if deadline > now), default=float("inf"))
            for token in passed:
                entry = self._watched.pop(token, None)
                if entry is not None:
                    _call(entry[1])
            with self._wake:
                self._next = min(self._next, earliest)


def _call(on_passed: Callable[[], None]) -> None:
    """Call back; what that raises must not keep the deadlines of others from being watched."""
    try:
        on_passed()
    except Exception:  # noqa: BLE001 - see above
        _log.exception("what was to happen at a deadline failed")
