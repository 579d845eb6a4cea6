"""``Refused``: a source that parses and still cannot be run."""

from __future__ import annotations


class Refused(Exception):
    """A source cannot be run as it stands, whatever the engine would say of it.

    Attributes:
        offset: The byte where the reason stands.
        incomplete: It may only go on.
    """

    def __init__(self, message: str, offset: int, *, incomplete: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.incomplete = incomplete
