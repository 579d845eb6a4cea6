"""Asking the person at the terminal before something is done that needs a person's agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmspell.cli.frames import clean
from llmspell.cli.payload import dumps
from llmspell.cli.streams import Stream
from llmspell.errors import BridgeError

if TYPE_CHECKING:
    from llmspell.cli.terminal import Terminal

_LONGEST = 4000


class TerminalApproval:
    """Asks at the terminal whether an agent may use a tool; only ``y`` or ``yes`` says so.

    What was typed before the question was shown is no answer to it. It comes in its turn with what the spell itself
    asks, since both are answered at one keyboard.

    Args:
        terminal: Where the answer is typed.
        err: Where the question is shown.
    """

    def __init__(self, terminal: Terminal, err: Stream) -> None:
        self._terminal = terminal
        self._err = err

    async def __call__(self, request: Mapping[str, Any]) -> bool:
        """Ask, and wait for the answer. The run's deadline goes on meanwhile."""

        def show() -> None:
            if not self._err.at_line_start:
                self._err.line("")
            self._err.write(_question(request))

        try:
            said = await self._terminal.answer(show)
        except BridgeError:  # what cannot be read is not a yes
            said = None
        self._err.at_line_start = True
        return said is not None and said.strip().casefold() in ("y", "yes")


def _question(request: Mapping[str, Any]) -> str:
    arguments = dumps(request.get("arguments"), indent=2)
    if len(arguments) > _LONGEST:
        rest = len(arguments) - _LONGEST
        arguments = f"{arguments[:_LONGEST]}\n... and {rest:,} characters more that are not shown"
    agent, tool = request.get("agent", ""), request.get("tool", "")
    told = f"agent {agent!r} wants to use the tool {tool!r}: {request.get('description', '')}\n{arguments}\n"
    return clean(told) + "allow it? [y/N] "
