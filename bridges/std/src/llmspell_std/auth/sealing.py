"""Credentials as texts, and passwords as hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from llmspell.plugin import BridgeError
from llmspell_std.data import jsontext

_PLAIN, _SEALED = "plain1", "sealed1"
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
_MEMORY = 64 * 1024 * 1024
_ALGORITHM = "scrypt"


def seal(content: dict[str, Any], key: str | None) -> str:
    """Write a table as a text: readable without a key, else encrypted (scrypt, then JWE with A256GCM)."""
    text = jsontext.write(content)
    if key is None:
        return f"{_PLAIN}.{_encode(text.encode())}"
    from joserfc import jwe

    salt = secrets.token_bytes(16)
    sealed = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, text.encode(), _key(key, salt))
    return f"{_SEALED}.{_encode(salt)}.{sealed}"


def unseal(text: str, key: str | None) -> dict[str, Any]:
    """Read what :func:`seal` wrote.

    Raises:
        BridgeError: ``invalid_credentials``: it is something else, damaged, or the key is wrong or missing.
    """
    form, _, rest = text.partition(".")
    if form == _PLAIN:
        content = _decode(rest)
    elif form == _SEALED and key is not None:
        from joserfc import jwe
        from joserfc.errors import JoseError

        salt, _, sealed = rest.partition(".")
        try:
            found = jwe.decrypt_compact(sealed, _key(key, _decode(salt)), algorithms=["dir", "A256GCM"])
        except (JoseError, ValueError):
            raise BridgeError("the key is wrong, or the text was changed", code="invalid_credentials") from None
        content = found.plaintext or b""
    else:
        reason = "a key is needed to read it" if form == _SEALED else "it is something else"
        raise BridgeError(f"the text holds no credentials that can be read: {reason}", code="invalid_credentials")
    try:
        value = jsontext.parse(content.decode())
    except (BridgeError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        raise BridgeError("the text holds no credentials", code="invalid_credentials")
    return value


def _key(key: str, salt: bytes) -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(hashlib.scrypt(key.encode(), salt=salt, maxmem=_MEMORY, dklen=32, **_SCRYPT))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise BridgeError("the text is damaged", code="invalid_credentials") from None


def hash_password(password: str, salt: str | None) -> dict[str, str]:
    """Return ``{hash, salt, algorithm}``; the hash alone is enough to verify.

    Raises:
        BridgeError: ``invalid_argument``: the salt is not hexadecimal.
    """
    try:
        grain = bytes.fromhex(salt) if salt is not None else secrets.token_bytes(16)
    except ValueError:
        raise BridgeError("salt should be hexadecimal", code="invalid_argument") from None
    digest = hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=grain, maxmem=_MEMORY, **_SCRYPT)
    return {"hash": f"{_ALGORITHM}${grain.hex()}${digest.hex()}", "salt": grain.hex(), "algorithm": _ALGORITHM}


def verify_password(password: str, hashed: str) -> bool:
    """Tell whether a password made a hash, in a time that tells nothing.

    Raises:
        BridgeError: ``invalid_argument``: it is no hash of :func:`hash_password`.
    """
    algorithm, _, rest = hashed.partition("$")
    salt, _, digest = rest.partition("$")
    if algorithm != _ALGORITHM or not digest:
        raise BridgeError("the text is no hash of auth.hash_password", code="invalid_argument")
    return hmac.compare_digest(hash_password(password, salt)["hash"], f"{_ALGORITHM}${salt}${digest}")


def decode_basic(text: str) -> tuple[str, str]:
    """Return user name and password of a Basic header's value.

    Raises:
        BridgeError: ``invalid_credentials``.
    """
    try:
        user, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except ValueError:
        user, colon, password = "", "", ""
    if not colon:
        raise BridgeError("the header is no Basic authorization", code="invalid_credentials")
    return user, password
