"""Launch what forks workers before anything else is imported, so that both get ready at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell.runtime.worker.launch import Launch

_RUNNING = ("run", "exec")
_NEEDS_NONE = ("--help", "-h", "--level=minimal")


def wants_worker(arguments: Sequence[str]) -> bool:
    """Guess from a command line that is not parsed yet whether a worker is going to be needed.

    A wrong guess costs some time, and nothing else.
    """
    words = [word for word in arguments if not word.startswith("-")]
    if not any(word in _RUNNING for word in words[:2]):
        return False
    pairs = pairwise(arguments)
    return not any(word in _NEEDS_NONE for word in arguments) and ("--level", "minimal") not in pairs


@contextmanager
def launched(arguments: Sequence[str]) -> Iterator[Launch | None]:
    """Launch a zygote if a command line seems to need one, and end it at the end, whoever has used it."""
    launch: Launch | None = None
    if wants_worker(arguments):
        from llmspell.runtime.worker.launch import Launch, no_zygote

        if no_zygote() is None:
            try:
                launch = Launch()
            except OSError:
                launch = None  # the run is going to need one and say why there is none
    try:
        yield launch
    finally:
        if launch is not None:
            launch.close()
