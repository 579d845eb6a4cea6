"""What every error is made of: its base, and places in scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a script. Lines and columns count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        text = self.file
        if self.line:
            text += f":{self.line}"
            if self.column:
                text += f":{self.column}"
        return text


@dataclass(frozen=True, slots=True)
class Frame:
    """One call frame of a script, innermost first in a list of frames.

    Attributes:
        language: Engine name, e.g. ``"lua"``.
        location: Where the frame stood.
        function: Name of the function, or ``""`` for the main chunk.
        locals: Local variables rendered as short text, where the engine can tell them.
    """

    language: str
    location: Location
    function: str = ""
    locals: dict[str, str] = field(default_factory=dict)


class LlmspellError(Exception):
    """Base of every error llmspell raises.

    Args:
        message: What happened, where, in one paragraph.
        hint: What to do next.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    result: Any = None
    """What there is of the run's result (output, usage), if it happened in one."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
