"""``CoreBridge``: what scripts see as ``core``."""

from __future__ import annotations

import asyncio
import fnmatch
import secrets
import time
import uuid
from typing import Any

from llmspell.errors import PolicyDeniedError
from llmspell.plugin import Bridge, BridgeError, Call, ScriptFunction, Value, export, instants_as_text
from llmspell_std.core import digests, texts, times, wrapped
from llmspell_std.data import paths
from llmspell_std.errors.shape import Failing, failure_of
from llmspell_std.function import GivenFunction

Container = list[Any] | dict[str, Any]


class CoreBridge(Bridge):
    """Time, texts, tables, hashes and wrapped functions.

    Points in time are seconds since 1970, spans are seconds. Tables are copied: functions return the changed copy.
    """

    name = "core"

    @export
    async def sleep(self, seconds: float) -> None:
        """Wait; the host works on meanwhile."""
        await asyncio.sleep(times.pause(seconds))

    @export
    def time(self) -> float:
        """Return the seconds since 1970, with their fraction."""
        return time.time()

    now = time

    @export
    def clock(self) -> float:
        """Return seconds that only ever grow, for measuring."""
        return time.monotonic()

    @export
    def format_time(self, timestamp: float, form: str = "%Y-%m-%d %H:%M:%S", *, timezone: str = "UTC") -> str:
        """Write a point in time: ``form`` as in strftime, or ``"iso"``; ``timezone`` as ``"Europe/Rome"``."""
        return times.format_time(timestamp, form, timezone)

    @export
    def parse_time(self, text: str, form: str = "iso", *, timezone: str = "UTC") -> float:
        """Read a point in time: ``form`` as in strptime, or ``"iso"``."""
        return times.parse_time(text, form, timezone)

    @export
    def add_time(
        self,
        timestamp: float,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> float:
        """Return a point in time moved by days, hours and so on."""
        return timestamp + (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds

    @export
    def duration(self, start: float, end: float) -> times.Span:
        """Return the span between two points in time, in each unit."""
        return times.span(start, end)

    @export
    def humanize_duration(self, seconds: float) -> str:
        """Say a span in words: ``"1 day 2 hours"``."""
        return times.humanize(seconds)

    @export
    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    @export
    def random_string(self, length: int = 16, charset: str | None = None) -> str:
        """Return an unguessable text of letters and digits, or of the characters given."""
        return digests.random_text(length, charset)

    @export
    def hash(self, content: str | bytes, algorithm: str = "sha256") -> str:
        """Return a hash in hexadecimal."""
        return digests.digest(content, algorithm)

    @export
    def base64_encode(self, content: str | bytes) -> str:
        """Return base64."""
        return digests.encode64(content, url=False)

    @export
    def base64_decode(self, text: str) -> str | bytes:
        """Return what base64 stands for: a text if it is UTF-8, bytes else."""
        return digests.decode64(text, url=False)

    @export
    def base64url_encode(self, content: str | bytes) -> str:
        """Return base64 fit for URLs, without padding."""
        return digests.encode64(content, url=True)

    @export
    def base64url_decode(self, text: str) -> str | bytes:
        """Return what URL base64 stands for."""
        return digests.decode64(text, url=True)

    @export
    def template(self, call: Call, text: str, values: dict[str, Any]) -> str:
        """Fill ``{{name}}`` and ``{{user.name}}`` in a text; what has no value stays."""
        return texts.template(text, values, paths.first_index(call.language))

    @export
    def slugify(self, text: str, separator: str = "-") -> str:
        """Return a text fit for URLs: ``"creme-brulee"``."""
        return texts.slugify(text, separator)

    @export
    def truncate(self, text: str, length: int, suffix: str = "...") -> str:
        """Cut a text to ``length`` characters, ``suffix`` included."""
        return texts.truncate(text, length, suffix)

    @export
    def split(self, text: str, separator: str = " ") -> list[str]:
        """Split a text at each ``separator``, taken literally; an empty one splits into characters."""
        return text.split(separator) if separator else list(text)

    @export
    def join(self, parts: list[Any], separator: str = "") -> str:
        """Join texts and numbers."""
        parts = instants_as_text(parts)
        for part in parts:
            if isinstance(part, bool) or not isinstance(part, str | int | float):
                raise BridgeError("only texts and numbers can be joined", code="invalid_argument")
        return separator.join(map(str, parts))

    @export
    def trim(self, text: str) -> str:
        """Return a text without blanks around it."""
        return text.strip()

    @export
    def capitalize(self, text: str) -> str:
        """Make the first letter upper case."""
        return text[:1].upper() + text[1:]

    @export
    def camelcase(self, text: str) -> str:
        """Spell in camelCase."""
        return texts.camel_case(text)

    @export
    def snakecase(self, text: str) -> str:
        """Spell in snake_case."""
        return texts.snake_case(text)

    @export
    def keys(self, call: Call, table: Container) -> list[Any]:
        """Return the keys of a table, the places of a list."""
        if isinstance(table, dict):
            return list(table)
        first = paths.first_index(call.language)
        return list(range(first, first + len(table)))

    @export
    def values(self, table: Container) -> list[Any]:
        """Return the values of a table."""
        return list(table.values()) if isinstance(table, dict) else table

    @export
    def merge(self, table: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
        """Return a table with the keys of all; later ones win. See ``data.merge`` for merging in depth."""
        for other in others:
            table.update(other)
        return table

    @export
    def deep_copy(self, value: Value) -> Value:
        """Return a copy that shares nothing."""
        return value

    @export
    def is_empty(self, value: Value) -> bool:
        """Tell whether a value is nothing, or a text or table with nothing in it."""
        return value is None or (isinstance(value, str | bytes | list | dict) and not value)

    @export
    def slice(self, call: Call, items: list[Any], start: int, end: int | None = None) -> list[Any]:
        """Return the items from one place to another, both included in Lua, the last one not elsewhere.

        Negative places count from the end.
        """
        if call.language != "lua":
            return items[start:end]
        first = start - 1 if start > 0 else max(0, len(items) + start) if start < 0 else 0
        last = len(items) if end is None else end if end >= 0 else len(items) + end + 1
        return items[first : max(last, 0)]

    @export
    def reverse(self, items: list[Any]) -> list[Any]:
        """Return the items in reverse."""
        return items[::-1]

    @export
    def shuffle(self, items: list[Any]) -> list[Any]:
        """Return the items in a random order."""
        secrets.SystemRandom().shuffle(items)
        return items

    @export
    def contains(self, table: Container, value: Value) -> bool:
        """Tell whether a value is among those of a table."""
        return value in (table.values() if isinstance(table, dict) else table)

    @export
    def is_callable(self, value: Value) -> bool:
        """Tell whether a value is a function."""
        return isinstance(value, ScriptFunction | GivenFunction)

    @export
    def is_array(self, value: Value) -> bool:
        """Tell whether a value is a list."""
        return isinstance(value, list)

    @export
    def is_object(self, value: Value) -> bool:
        """Tell whether a value is a table with keys."""
        return isinstance(value, dict)

    @export
    def memoize(self, fn: ScriptFunction) -> GivenFunction:
        """Return a function that remembers the results of another."""
        return wrapped.memoized(fn)

    @export
    def debounce(self, fn: ScriptFunction, seconds: float) -> GivenFunction:
        """Return a function that runs another when no call has come for a while."""
        return wrapped.debounced(fn, times.pause(seconds))

    @export
    def throttle(self, fn: ScriptFunction, seconds: float) -> GivenFunction:
        """Return a function that runs another at most once in a while."""
        return wrapped.throttled(fn, times.pause(seconds))

    @export
    async def safe_call(self, fn: ScriptFunction, *args: Value) -> dict[str, Any]:
        """Call a function; return ``{ok = true, value}`` or ``{ok = false, error = {code, message}}``."""
        try:
            return {"ok": True, "value": await fn(*args)}
        except Failing as error:
            return {"ok": False, "error": failure_of(error)}

    @export
    async def try_(self, fn: ScriptFunction, catch: ScriptFunction | None = None) -> Any:
        """Call a function; if it fails, return what ``catch(error)`` returns, or nothing."""
        try:
            return await fn()
        except Failing as error:
            failure = failure_of(error)
            return None if catch is None else await catch(failure)

    @export
    def env(self, call: Call, name: str, default: str | None = None) -> str | None:
        """Return an environment variable that the policy grants; secrets are never returned."""
        grants = call.policy.grants
        granted = any(fnmatch.fnmatchcase(name, pattern) for pattern in grants.env)
        secret = any(fnmatch.fnmatchcase(name, pattern) for pattern in grants.secrets)
        if not granted or secret:
            raise PolicyDeniedError(
                f"the policy does not allow reading the environment variable {name!r}",
                hint=f"grant it: --allow-env {name}",
            )
        value = call.secret(name)
        return default if value is None else value
