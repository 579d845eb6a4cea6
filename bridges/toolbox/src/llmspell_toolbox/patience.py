"""A time limit for a library's own Python code, in the thread it runs in."""

from __future__ import annotations

import _weakrefset
import math
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from llmspell.plugin import BridgeError

SECONDS = 5.0
"""What reading, selecting and converting may take: hundred times what honest input needs."""


_CALLED_BACK = frozenset(
    (file, name) for file in (_weakrefset.__file__, weakref.__file__) for name in ("_remove", "remove", "__call__")
)

_thread = threading.local()


class _OverdueError(BaseException):
    """Not an ``Exception``, so that no library swallows it."""


@contextmanager
def patient(doing: str, seconds: float = SECONDS) -> Iterator[None]:
    """End Python code that takes too long, as hostile queries and documents make it.

    The interpreter tells of every call in this thread, and one that comes too late is not made. What runs in C
    cannot be ended so; it needs bounds of its own.

    Args:
        doing: For the message: ``"selecting"``.
        seconds: Of the processor, in this thread: a busy machine ends nothing sooner. Within another limit the
            earlier end counts.

    Raises:
        BridgeError: ``too_slow``; ``too_deep`` where the code ran out of stack.
    """
    outer = getattr(_thread, "end", math.inf)
    end = _thread.end = min(outer, time.thread_time() + seconds)
    before = sys.getprofile()

    def look(frame: FrameType, event: str, arg: Any) -> None:
        if time.thread_time() > end and not _goes_unheard(frame):
            raise _OverdueError

    sys.setprofile(look)
    try:
        yield
    except _OverdueError:
        raise BridgeError(f"{doing} took longer than {seconds:g} s", code="too_slow") from None
    except RecursionError:
        raise BridgeError(f"{doing} failed: it is nested too deep", code="too_deep") from None
    finally:
        sys.setprofile(before)
        _thread.end = outer


def _goes_unheard(frame: FrameType | None) -> bool:
    """Tell whether nobody hears what is raised here: inside of what is called as something dies.

    The interpreter would drop the error, and the watch along with it.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or (code.co_filename, code.co_name) in _CALLED_BACK:
            return True
        frame = frame.f_back
    return False
