"""``Waits``: what a guest that cannot suspend hears while it waits in the middle of a step."""

from __future__ import annotations

from collections.abc import Callable

from llmspell.engine.messages import HOST, MAIN, Call, Cancel, Delivery, Fault, GuestMessage, Replies, Reply
from llmspell.runtime.delivery import has_ended

DEEPEST = 32
"""Steps inside steps. Each takes a part of the guest's stack; what comes in the deepest one is heard after it."""


class Waits:
    """The waits of one guest, each inside a step, and perhaps inside a step of another wait.

    Args:
        step: Has the guest take a step.
        hear: Waits for the next word of the host.
        say: Answers a word, while the step goes on.
    """

    __slots__ = ("_early", "_hear", "_kept", "_say", "_step", "_unsaid", "_wanted", "listening")

    def __init__(
        self,
        step: Callable[[Delivery], list[GuestMessage]],
        hear: Callable[[], Delivery],
        say: Callable[[list[GuestMessage]], None],
    ) -> None:
        self._step = step
        self._hear = hear
        self._say = say
        self._wanted: list[int] = []
        self._early: dict[int, Reply] = {}
        self._kept: list[Delivery] = []
        self._unsaid: list[GuestMessage] = []  # by a step inside of the one that goes on, to be said before its words
        self.listening = False  # all has been said, and the host's word is awaited

    def keep(self, word: Delivery) -> None:
        """Have a word heard after the step that is being taken."""
        self._kept.append(word)

    def forget(self) -> None:
        """Begin anew."""
        self.listening = False
        self._wanted.clear()
        self._early.clear()
        self._kept.clear()
        self._unsaid.clear()

    def take(self, word: Delivery) -> list[GuestMessage]:
        """Have a step taken, and those that what was kept meanwhile asks for; return all that is to be said."""
        said = self._step(word)
        while self._kept and not (said and has_ended(said)):
            said += self._step(self._kept.pop(0))
        return self.with_unsaid(said)

    def with_unsaid(self, said: list[GuestMessage]) -> list[GuestMessage]:
        """Return what is to be said, with what was not said before it."""
        if self._wanted:
            self._call_off(said)
        if self._unsaid:
            said, self._unsaid = self._unsaid + said, []
        return said

    def until(self, call: int, *, hears: bool) -> Reply:
        """Wait for the reply to a call.

        Args:
            call: Its id. All words said before are on their way.
            hears: The guest takes steps meanwhile; otherwise all but its reply is kept until after its step.
        """
        self._wanted.append(call)
        while call not in self._early:
            self.listening = True
            word: Delivery | None = self._hear()
            self.listening = False
            if type(word) is Cancel and word.id == MAIN:
                # Its answer is the end of the step that is going to follow.
                return self._end(Fault(word.reason, f"the run was ended ({word.reason})", fatal=True))
            word = self._sift(word)
            if word is None:
                said: list[GuestMessage] = []
            elif call in self._early or not hears or len(self._wanted) > DEEPEST:
                self._kept.append(word)
                said = []
            else:
                said = self.take(word)
                if said and has_ended(said):
                    # The step that goes on now says it once more: that is the answer.
                    return self._end(Fault("cancelled", "the run has ended", fatal=True))
            if call in self._early:
                self._unsaid = said
            else:
                self._say(said)
        self._wanted.pop()
        return self._early.pop(call)

    def _call_off(self, said: list[GuestMessage]) -> None:
        """Answer what the guest waits for and has just called off: the host will not."""
        for word in said:
            if type(word) is Call and word.target == HOST and word.method == "cancel":
                for call in word.args:
                    if call in self._wanted:
                        self._early[call] = Reply(call, None, Fault("cancelled", "the call was cancelled"))

    def _end(self, fault: Fault) -> Reply:
        return Reply(self._wanted.pop(), None, fault)

    def _sift(self, word: Delivery | None) -> Delivery | None:
        """Put aside the replies that are waited for, here or further out; return the rest."""
        found: list[Reply] = []
        if type(word) is Replies:
            found, word = word.without(self._wanted)
        elif type(word) is Reply and word.id in self._wanted:
            found, word = [word], None
        self._early.update((reply.id, reply) for reply in found)
        return word
