"""Source text and where it came from."""

from __future__ import annotations

import hashlib

import msgspec


class Source(msgspec.Struct, frozen=True):
    """A script's text.

    Attributes:
        text: The source itself, as decoded UTF-8.
        name: What errors call it: a path as the user gave it, or e.g. ``"<eval>"``.
        language: Engine name or alias, ``""`` to go by the name's extension.
        root: Directory that local modules are resolved in and never outside of; ``""``: no local modules.

    Example:
        >>> Source("return 1 + 1", language="lua").name
        '<eval>'
    """

    text: str
    name: str = "<eval>"
    language: str = ""
    root: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the text, the key of program caches."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
