"""How a place brings a guest what the host has to say."""

from __future__ import annotations

from collections.abc import Sequence

from llmspell.engine import Guest
from llmspell.engine.messages import MAIN, Delivery, Done, Failed, GuestMessage, HostMessage, Replies, Reply

MOST_REPLIES = 200
"""Replies that are brought to a guest together: enough to share the cost of the way, few enough to be stopped in."""

_ENDS = (Done, Failed)


def deliver(guest: Guest, word: Delivery) -> Sequence[GuestMessage]:
    """Have a guest hear a message, or several replies one after the other; return all it said."""
    if type(word) is not Replies:
        return guest.step(word)  # type: ignore[arg-type]
    step_all = getattr(guest, "step_all", None)
    if step_all is not None:
        return step_all(word.replies)  # type: ignore[no-any-return]
    said: list[GuestMessage] = []
    for reply in word.replies:
        said += guest.step(reply)
        if said and has_ended(said):
            break
    return said


def has_ended(said: Sequence[GuestMessage]) -> bool:
    """Tell whether the last word is the end of the run."""
    last = said[-1]
    return isinstance(last, _ENDS) and last.id == MAIN


def next_of(inbox: list[HostMessage]) -> Delivery:
    """Take the next message out of the line, or all replies until the next word of another kind."""
    first = inbox.pop(0)
    if type(first) is not Reply or not inbox or type(inbox[0]) is not Reply:
        return first
    replies = [first]
    for word in inbox[: MOST_REPLIES - 1]:
        if type(word) is not Reply:
            break
        replies.append(word)
    del inbox[: len(replies) - 1]
    return Replies(replies)
