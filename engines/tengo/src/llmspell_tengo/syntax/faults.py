"""What the front end raises. The engine turns these into the errors of llmspell at its border."""

from __future__ import annotations

from llmspell.errors import Location

TOO_DEEP = "nesting too deep"
"""Said where a program nests deeper than we can follow; the reference has no such limit but its stack."""


class Fault(Exception):
    """A program that cannot be run, in the reference's words.

    Attributes:
        detail: The bare message, without prefix and position.
        location: Where, with columns counted in bytes as the reference does.
        incomplete: True if more input could complete the program.
    """

    stage = ""

    def __init__(self, detail: str, location: Location, *, incomplete: bool = False, more: int = 0) -> None:
        self.detail = detail
        self.location = location
        self.incomplete = incomplete
        text = f"{self.stage} Error: {detail}\n\tat {location}"
        if more:
            text += f" (and {more} more errors)"
        super().__init__(text)


class ParseFault(Fault):
    stage = "Parse"


class CompileFault(Fault):
    stage = "Compile"
