"""What a bridge does when a run ends: drop the script functions it was lent."""

from __future__ import annotations

from collections.abc import Callable

from llmspell.plugin import Call, HostObject


class _Ending(HostObject):
    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action

    def close(self) -> None:
        self._action()


def at_end(call: Call, action: Callable[[], object]) -> None:
    """Do something when the run of this call ends. Script functions are of no use from then on."""
    call.run.make_handle(_Ending(action))
