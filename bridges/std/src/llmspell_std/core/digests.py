"""Hashes, encodings and random texts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import string
from collections.abc import Callable

from llmspell.plugin import BridgeError

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s")
_LETTERS = string.ascii_letters + string.digits
_MAX_RANDOM = 65_536


def as_bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")


def digest(content: str | bytes, algorithm: str) -> str:
    """Return a hash in hexadecimal.

    Raises:
        BridgeError: ``unknown_algorithm``.
    """
    if algorithm not in ALGORITHMS:
        raise BridgeError(
            f"there is no hash {algorithm!r}; there are {', '.join(ALGORITHMS)}", code="unknown_algorithm"
        )
    return hashlib.new(algorithm, as_bytes(content), usedforsecurity=False).hexdigest()


def encode64(content: str | bytes, *, url: bool) -> str:
    """Return base64; the URL form goes without padding."""
    if url:
        return base64.urlsafe_b64encode(as_bytes(content)).rstrip(b"=").decode("ascii")
    return base64.b64encode(as_bytes(content)).decode("ascii")


def decode64(text: str, *, url: bool) -> str | bytes:
    """Return what base64 stands for: a text if it is UTF-8, bytes else.

    Raises:
        BridgeError: ``invalid_base64``.
    """
    decode: Callable[[str], bytes] = base64.urlsafe_b64decode if url else _strict
    try:
        content = decode(text + "=" * (-len(text) % 4)) if url else decode(text)
    except (binascii.Error, ValueError):
        raise BridgeError("the text is not base64", code="invalid_base64") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content


def _strict(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def random_text(length: int, charset: str | None) -> str:
    """Return an unguessable text.

    Raises:
        BridgeError: ``invalid_argument``.
    """
    letters = _LETTERS if charset is None else charset
    if not letters or not 0 <= length <= _MAX_RANDOM:
        raise BridgeError(
            f"a random text has between 0 and {_MAX_RANDOM:,} characters of a set that is not empty",
            code="invalid_argument",
        )
    return "".join(secrets.choice(letters) for _ in range(length))
