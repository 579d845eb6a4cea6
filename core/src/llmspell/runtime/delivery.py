"""How a place brings a guest what the host has to say."""

from __future__ import annotations

from collections.abc import Sequence

from llmspell.engine import Guest
from llmspell.engine.messages import MAIN, Delivery, Done, Failed, GuestMessage, Replies


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
    return isinstance(last, Done | Failed) and last.id == MAIN
