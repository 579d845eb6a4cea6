"""Loggers and timers that scripts hold."""

from __future__ import annotations

import time
from typing import Any

from llmspell.plugin import Call, HostObject, ScriptFunction, export
from llmspell_std.log.book import Level, LogBook


class Logger(HostObject):
    """A named logger with a level and attributes of its own."""

    def __init__(self, book: LogBook, name: str, level: Level | None, form: str, context: dict[str, Any]) -> None:
        self._book = book
        self._name = name
        self._level = level
        self._form = form
        self._context = context

    @export
    async def log(self, call: Call, level: Level, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log at a level given by name."""
        await self._write(call, level, message, attributes)

    @export
    async def debug(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what helps to find faults."""
        await self._write(call, "debug", message, attributes)

    @export
    async def info(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what happens as it should."""
        await self._write(call, "info", message, attributes)

    @export
    async def warn(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what somebody should look at."""
        await self._write(call, "warn", message, attributes)

    @export
    async def error(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what went wrong."""
        await self._write(call, "error", message, attributes)

    err = error

    @export
    async def debug_if(
        self, call: Call, condition: bool, message: str, attributes: dict[str, Any] | None = None
    ) -> None:
        """Log for debugging if a condition holds."""
        if condition:
            await self._write(call, "debug", message, attributes)

    @export
    async def debug_component(
        self, call: Call, component: str, message: str, attributes: dict[str, Any] | None = None
    ) -> None:
        """Log for debugging, of a component that can be switched on and off."""
        await self._write(call, "debug", message, attributes, component)

    @export
    def with_context(self, attributes: dict[str, Any]) -> Logger:
        """Add attributes to every later message of this logger."""
        self._context.update(attributes)
        return self

    @export
    def child(self, attributes: dict[str, Any]) -> Logger:
        """Return another logger with this one's attributes and more."""
        return Logger(self._book, self._name, self._level, self._form, {**self._context, **attributes})

    @export
    def set_level(self, level: Level) -> None:
        """Log from this level on."""
        self._level = level

    @export
    def set_formatter(self, name: str) -> None:
        """Write messages by a registered formatter, ``"text"`` or ``"json"``."""
        self._form = name

    async def _write(
        self, call: Call, level: Level, message: str, attributes: dict[str, Any] | None, component: str = ""
    ) -> None:
        await self._book.write(
            call, level, message, {**self._context, **(attributes or {})}, logger=self._name, floor=self._level,
            form=self._form, component=component,
        )  # fmt: skip


class Timer(HostObject):
    """Measures until it is stopped, and logs that at level ``debug``."""

    def __init__(self, book: LogBook, name: str) -> None:
        self._book = book
        self._name = name
        self._start = time.monotonic()

    @export
    async def stop(self, call: Call) -> float:
        """Return the milliseconds since the timer was made."""
        taken = (time.monotonic() - self._start) * 1000
        await self._book.write(call, "debug", f"{self._name} took {taken:.1f} ms", {"duration_ms": taken})
        return taken


async def profile(book: LogBook, call: Call, name: str, fn: ScriptFunction) -> Any:
    """Run a function and log how long it took, also if it fails."""
    timer = Timer(book, name)
    try:
        return await fn()
    finally:
        await timer.stop(call)
