"""For a command that has its process to itself: nothing it does is worth tidying up object by object."""

from __future__ import annotations

import atexit
import gc
import os
import sys

_OBJECTS = 200_000


def seldom_collect() -> None:
    """Look for garbage less often: what a start makes is nearly all there to stay."""
    gc.set_threshold(_OBJECTS, 10, 10)


class Leaving:
    """Ends the process once everything that asked to be told of its end has been.

    Attributes:
        code: The exit status; None leaves the end to Python.
    """

    __slots__ = ("code",)

    def __init__(self) -> None:
        self.code: int | None = None

    def __call__(self) -> None:
        if self.code is None or sys.gettrace() is not None or sys.getprofile() is not None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            return  # Python says what is to be said of it
        os._exit(self.code & 0xFF)


def leave_quickly() -> Leaving:
    """Skip the interpreter's own teardown. To be called first: what is registered first is done last."""
    leaving = Leaving()
    atexit.register(leaving)
    return leaving
