"""The ``terminal`` bridge: asking the person who started the spell."""

from __future__ import annotations

from typing import Protocol

from llmspell.errors import ArgumentError
from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call, export

_YES, _NO = ("y", "yes"), ("n", "no")
_TRIES = 3


class Asker(Protocol):
    """Whoever asks people: what a host offers as its service ``terminal``.

    Attributes:
        interactive: A person is there to answer.
    """

    interactive: bool

    async def read_line(self, prompt: str = "") -> str | None:
        """Ask, and return the answer; None when there is nobody (any more)."""


class TerminalBridge(Bridge):
    """Ask the person who started the spell.

    There is somebody to ask where the spell was started on a command line, or where the application that runs it
    offers its service ``terminal``; everywhere else each question is refused. The run's time stands still while it
    waits for an answer and does nothing else.
    """

    name = "terminal"

    def __init__(self) -> None:
        self._asker: Asker | None = None

    async def open(self, context: BridgeContext) -> None:
        """See whether this host has a terminal."""
        self._asker = context.services.get("terminal")

    @export
    async def read_line(self, call: Call, prompt: str = "") -> str | None:
        """Return the next line of input, without its end; null when nothing more comes.

        Args:
            prompt: Shown before, if a person is there to see it; not where input was piped in.
        """
        asker = self._asker
        if asker is None:
            raise BridgeError(
                "there is no terminal to ask at: this spell runs where nobody answers",
                code="no_terminal",
                hint="start it with `llmspell run FILE`",
            )
        with call.waiting_for_person():
            return await asker.read_line(prompt)

    @export
    async def confirm(self, call: Call, question: str, default: bool = False) -> bool:
        """Ask a question that is answered with yes or no; an empty answer is the default, and so is none."""
        hint = "[Y/n]" if default else "[y/N]"
        for _ in range(_TRIES):
            answer = await self.read_line(call, f"{question} {hint} ")
            word = (answer or "").strip().lower()
            if word in _YES or word in _NO:
                return word in _YES
            if not word:
                return default
        raise BridgeError(f"{question!r} was not answered with yes or no", code="invalid_answer")

    @export
    async def choose(self, call: Call, question: str, options: list[str]) -> str:
        """Ask which of several; the answer is the text of one, or its number."""
        if not options:
            raise ArgumentError("options should name at least one answer", parameter="options", position=2)
        lines = [f"  {number}. {option}" for number, option in enumerate(options, 1)]
        prompt = "\n".join([question, *lines, "> "])
        for _ in range(_TRIES):
            answer = await self.read_line(call, prompt)
            if answer is None:
                break
            word = answer.strip()
            if word in options:
                return word
            if word.isdecimal() and 1 <= int(word[:9]) <= len(options):
                return options[int(word) - 1]
            prompt = f"one of 1 to {len(options)}, please: "
        raise BridgeError(f"{question!r} was not answered with one of the options", code="invalid_answer")

    @export
    def interactive(self) -> bool:
        """Tell whether a person is there to answer; false also where nobody can be asked at all."""
        return self._asker is not None and self._asker.interactive
