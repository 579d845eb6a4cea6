"""Source text and where it came from."""

from __future__ import annotations

import msgspec

from llmspell.errors import Location, ScriptSyntaxError


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
        import hashlib

        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


def decode_text(raw: bytes, name: str) -> str:
    """Decode a source. A byte-order mark is dropped; a ``#!`` line is emptied, so that lines keep their numbers.

    Raises:
        ScriptSyntaxError: It is not UTF-8, with line and column of the first wrong byte.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise ScriptSyntaxError(
            f"the source is not UTF-8: byte 0x{raw[error.start]:02x} cannot stand here",
            location=Location(name, line, column),
            hint="save the file as UTF-8",
        ) from None
    if text.startswith("#!"):
        line_end = text.find("\n")
        text = "" if line_end < 0 else text[line_end:]
    return text
