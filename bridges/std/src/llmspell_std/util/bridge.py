"""``UtilBridge``: what scripts see as ``util`` and ``utils``."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from llmspell.plugin import Bridge, BridgeContext, BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.core import digests, texts, times
from llmspell_std.data import jsontext
from llmspell_std.errors import ErrorsBridge
from llmspell_std.errors.patience import Backoff, retry
from llmspell_std.errors.shape import as_error, text_of
from llmspell_std.util import durations
from llmspell_std.util.short import ShortNames

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_KEPT_BY_DEFAULT = re.compile(r"[^\w\s.,:;!?'\"()/@+-]")


class UtilBridge(ShortNames, Bridge):
    """Small helpers, and the flat names of the original library: ``json_encode``, ``general_sleep``, ``debug_log`` ...

    Times are milliseconds.
    """

    name = "util"
    requires = ("auth", "errors", "log")

    async def open(self, context: BridgeContext) -> None:
        """Find the bridges whose settings these names share."""
        found: Any = context.bridges
        self._auth, self._errors, self._log = found["auth"], found["errors"], found["log"]

    # Texts

    @export
    def truncate_string(self, text: str, length: int, suffix: str = "...") -> str:
        """Cut a text to ``length`` characters, ``suffix`` included."""
        return texts.truncate(text, length, suffix)

    @export
    def sanitize_string(self, text: str, allowed: str | None = None) -> str:
        """Return a text without control characters and unusual signs, or with the characters of ``allowed`` only."""
        if allowed is not None:
            keep = set(allowed)
            return "".join(letter for letter in text if letter in keep)
        return _KEPT_BY_DEFAULT.sub("", text)

    @export
    def hash_string(self, text: str | bytes, algorithm: str = "sha256") -> str:
        """Return a hash in hexadecimal."""
        return digests.digest(text, algorithm)

    @export
    def generate_uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    @export
    def validate_url(self, url: str) -> bool:
        """Tell whether a text is an http or https URL with a host. Whether it is granted is another question."""
        if any(letter.isspace() or not letter.isprintable() for letter in url):
            return False
        try:
            parts = urlsplit(url)
            return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            return False

    @export
    def validate_email(self, text: str) -> bool:
        """Tell whether a text has the form of an e-mail address."""
        return _EMAIL.fullmatch(text) is not None

    @export
    def url_encode(self, text: str) -> str:
        """Encode a text as one part of a URL."""
        return quote(text, safe="")

    @export
    def url_decode(self, text: str) -> str:
        """Decode a part of a URL."""
        return unquote(text)

    # Times

    @export
    async def sleep(self, milliseconds: float) -> None:
        """Wait; the host works on meanwhile."""
        await asyncio.sleep(times.pause(milliseconds / 1000))

    @export
    def parse_human_duration(self, text: str) -> float:
        """Return the milliseconds of ``"1h30m"``, ``"2 days"`` or ``"500ms"``."""
        return durations.parse(text)

    @export
    def format_duration(self, milliseconds: float) -> str:
        """Say milliseconds as ``"1h30m"``."""
        return durations.write(milliseconds)

    # Errors

    @export
    async def is_retryable_error(self, error: Value) -> bool:
        """Tell whether trying again is likely to help."""
        return await self._errors.is_retryable(error)

    @export
    def wrap_error(self, error: Value, message: str) -> dict[str, Any]:
        """Return an error caused by another."""
        return self._errors.wrap(error, message)

    @export
    def error_to_string(self, error: Value) -> str:
        """Say an error and its causes in one line."""
        return text_of(as_error(error))

    @export
    def create_retry_config(
        self, max_retries: int = 3, multiplier: float = 2, max_delay: float = 30_000, initial_delay: float = 1_000
    ) -> dict[str, Any]:
        """Return settings for ``retry_with_backoff``."""
        return {
            "max_retries": max_retries,
            "multiplier": multiplier,
            "max_delay": max_delay,
            "initial_delay": initial_delay,
        }

    @export
    async def retry_with_backoff(
        self, call: Call, fn: ScriptFunction, retries: int | dict[str, Any] = 3, initial_delay: float = 1_000
    ) -> Value:
        """Call ``fn()``, and again up to ``retries`` times (or as a retry config says), waiting ever longer."""
        config = self.create_retry_config(retries, initial_delay=initial_delay) if isinstance(retries, int) else retries
        numbers = [config.get(name, usual) for name, usual in _RETRY.items()]
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
            raise BridgeError("a retry config holds numbers", code="invalid_argument")
        count, multiplier, longest, first = numbers
        backoff = Backoff(
            int(count) + 1, "constant" if multiplier <= 1 else "exponential", first, longest, jitter=False
        )
        errors: ErrorsBridge = self._errors
        found: Value = await retry(call, fn, backoff, errors.categories_known)
        return found

    @export
    def dump(self, value: Value) -> str:
        """Return a value as readable text."""
        return jsontext.write(jsontext.plain(value), indent=2)


_RETRY = {"max_retries": 3, "multiplier": 2, "max_delay": 30_000, "initial_delay": 1_000}
