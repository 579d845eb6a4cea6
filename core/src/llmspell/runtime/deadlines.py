"""The deadlines of runs: a warning when most of the time is used, and the end of the run when all of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell.runtime.seat import SOFT
from llmspell.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from llmspell.runtime.conversation import Conversation


class Deadlines:
    """Hold conversations to the deadlines of their runs.

    Args:
        watchdog: What calls back when a deadline passes, from a thread of its own.
    """

    __slots__ = ("_watchdog",)

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog

    def watch(self, conversation: Conversation) -> None:
        """Warn at 80 % of the time, and stop the run at its end."""
        run, watchdog = conversation.run, self._watchdog
        deadline = run.deadline
        if deadline is None:
            return

        def warn() -> None:
            conversation.watch = watchdog.watch(deadline, expire)
            if conversation.over:
                watchdog.unwatch(conversation.watch)
                return
            total = deadline - run.started
            run.event_aside("warning", {"limit": "time", "value": total, "used": SOFT * total})

        def expire() -> None:
            # While a person is asked and nothing else goes on, time stands still: the answer sets a new deadline.
            if run.deadline == deadline and not conversation.over and not conversation.only_asks:
                conversation.stop("deadline")

        conversation.watch = watchdog.watch(run.started + SOFT * (deadline - run.started), warn)

    def rewatch(self, conversation: Conversation) -> None:
        """Watch a run whose deadline has moved."""
        self._watchdog.unwatch(conversation.watch)
        if not conversation.over:
            self.watch(conversation)

    def unwatch(self, conversation: Conversation) -> None:
        """Let a run that is over be."""
        conversation.over = True
        self._watchdog.unwatch(conversation.watch)
