"""``LogBridge``: what scripts see as ``log``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from llmspell.plugin import Bridge, BridgeError, Call, ScriptFunction, Value, export
from llmspell_std.data import jsontext
from llmspell_std.ending import at_end
from llmspell_std.errors.shape import Failing, failure_of
from llmspell_std.log.book import LEVELS, Entry, Level, LogBook, Target
from llmspell_std.log.logger import Logger, Timer, profile


class LogBridge(Bridge):
    """Log with levels ``debug``, ``info``, ``warn`` and ``error``, attributes and named loggers.

    Messages go to Python's logger ``llmspell.script`` and to the host's observers; the last thousand of a session
    can be searched.
    """

    name = "log"

    def __init__(self) -> None:
        self._book = LogBook()
        self._loggers: dict[str, Logger] = {}

    @property
    def book(self) -> LogBook:
        """What this session has logged, for bridges that log too."""
        return self._book

    @export
    async def log(
        self,
        call: Call,
        level: Level,
        message: str,
        attributes: dict[str, Any] | None = None,
        *,
        component: str = "",
    ) -> None:
        """Log at a level given by name."""
        await self._book.write(call, level, message, attributes, component=component)

    @export
    async def debug(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what helps to find faults."""
        await self._book.write(call, "debug", message, attributes)

    @export
    async def info(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what happens as it should."""
        await self._book.write(call, "info", message, attributes)

    @export
    async def warn(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what somebody should look at."""
        await self._book.write(call, "warn", message, attributes)

    @export
    async def error(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what went wrong. Also ``err``, since ``error`` is a word of Tengo."""
        await self._book.write(call, "error", message, attributes)

    err = error

    @export
    def create(
        self,
        name: str = "default",
        *,
        level: Level | None = None,
        format: str = "",
        context: dict[str, Any] | None = None,
    ) -> Logger:
        """Return the logger of this name, made on first use."""
        known = self._loggers.get(name)
        if known is None or level or format or context:
            known = self._loggers[name] = Logger(self._book, name, level, format, dict(context or {}))
        return known

    @export
    def default(self) -> Logger:
        """Return the logger named ``default``."""
        return self.create()

    @export
    def configure(
        self,
        *,
        level: Level | None = None,
        format: str | None = None,
        output: Target | None = None,
        context: dict[str, Any] | None = None,
        components: dict[str, bool] | None = None,
    ) -> None:
        """Change how this session logs: level, format (``text``, ``json`` or registered), output, attributes."""
        settings = self._book.settings
        settings.level = level or settings.level
        settings.format = format or settings.format
        settings.output = output or settings.output
        if context is not None:
            settings.context = dict(context)
        settings.components.update(components or {})

    @export
    def configuration(self) -> dict[str, Any]:
        """Return how this session logs."""
        settings = self._book.settings
        return {
            "level": settings.level,
            "format": settings.format,
            "output": settings.output,
            "context": dict(settings.context),
            "components": dict(settings.components),
        }

    @export
    def set_level(self, level: Level) -> None:
        """Log from this level on."""
        self._book.settings.level = level

    @export
    def get_level(self) -> str:
        """Return the level logged from."""
        return self._book.settings.level

    @export
    def levels(self) -> dict[str, int]:
        """Return the levels and their weights."""
        return dict(LEVELS)

    @export
    def set_context(self, attributes: dict[str, Any]) -> None:
        """Set the attributes of every message of this session; an empty table clears them."""
        self._book.settings.context = dict(attributes)

    @export
    def enable_component(self, component: str) -> None:
        """Log all debug messages of a component."""
        self._book.settings.components[component] = True

    @export
    def disable_component(self, component: str) -> None:
        """Log no debug messages of a component."""
        self._book.settings.components[component] = False

    @export
    def is_enabled(self, component: str) -> bool:
        """Tell whether debug messages of a component are logged."""
        return self._book.wants("debug", None, component)

    @export
    def components(self) -> list[str]:
        """Return the components that are switched on."""
        return [name for name, on in self._book.settings.components.items() if on]

    @export
    async def debug_component(
        self, call: Call, component: str, message: str, attributes: dict[str, Any] | None = None
    ) -> None:
        """Log for debugging, of a component that can be switched on and off."""
        await self._book.write(call, "debug", message, attributes, component=component)

    @export
    def register_formatter(self, call: Call, name: str, fn: ScriptFunction) -> None:
        """Give a format a name for this run: ``fn(entry)`` returns a text of ``{level, message, ...}``."""
        if name in ("text", "json"):
            raise BridgeError(f"the format {name!r} is built in", code="exists")
        formatters = self._book.formatters
        formatters[name] = fn

        def forget() -> None:
            if formatters.get(name) is fn:
                del formatters[name]

        at_end(call, forget)

    @export
    def timer(self, name: str) -> Timer:
        """Start measuring."""
        return Timer(self._book, name)

    @export
    async def profile(self, call: Call, name: str, fn: ScriptFunction) -> Any:
        """Run a function, log how long it took, and return its result."""
        return await profile(self._book, call, name, fn)

    @export
    def time(self) -> float:
        """Return milliseconds for ``log.duration``."""
        return time.monotonic() * 1000

    @export
    async def duration(self, call: Call, name: str, start: float) -> float:
        """Log and return the milliseconds since ``log.time()`` gave ``start``."""
        taken = time.monotonic() * 1000 - start
        await self._book.write(call, "debug", f"{name} took {taken:.1f} ms", {"duration_ms": taken})
        return taken

    @export
    async def catch(self, call: Call, fn: ScriptFunction, operation: str = "the function") -> dict[str, Any]:
        """Run a function; return ``{value}``, or log its failure and return ``{error}``."""
        try:
            return {"value": await fn()}
        except Failing as error:
            failure = failure_of(error)
            await self._book.write(
                call, "error", f"{operation} failed: {failure['message']}", {"code": failure["code"]}
            )
            return {"error": failure}

    @export
    async def assert_that(
        self, call: Call, condition: Value, message: str = "assertion failed", attributes: dict[str, Any] | None = None
    ) -> Value:
        """Return the condition if it holds; else log and fail with ``assertion``."""
        if condition is None or condition is False:
            await self._book.write(call, "error", message, attributes)
            raise BridgeError(message, code="assertion")
        return condition

    assert_ = assert_that

    @export
    async def audit(self, call: Call, kind: str, details: dict[str, Any] | None = None) -> None:
        """Log something that has to be accounted for; the host's observers hear of it as ``audit``."""
        await self._book.write(call, "info", kind, details, logger="audit", floor="debug")
        call.event("audit", {"type": kind, "details": jsontext.write(details or {})})

    @export
    def search(
        self,
        *,
        level: Level | None = None,
        logger: str | None = None,
        text: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """Return the latest messages of this session that fit, oldest first."""
        return self._found(level, logger, text, since)[-max(0, limit) :] if limit > 0 else []

    @export
    def stats(self) -> dict[str, Any]:
        """Return how many messages there were, in all and of each level, and how many are kept."""
        counts: Mapping[str, int] = self._book.counts
        return {
            "total": sum(counts.values()),
            "kept": len(self._book.entries),
            "levels": {name: counts[name] for name in LEVELS},
        }

    @export
    def export_entries(self, format: str = "json") -> str:
        """Return what is kept, as ``json`` or as ``jsonl``."""
        rows = [
            {"time": e.time, "level": e.level, "logger": e.logger, "message": e.message, "attributes": e.attributes}
            for e in self._book.entries
        ]
        if format == "json":
            return jsontext.write(list(rows), indent=2)
        if format == "jsonl":
            return "".join(jsontext.write(dict(row)) + "\n" for row in rows)
        raise BridgeError(f"the format {format!r} is not known here; there are json and jsonl", code="unknown_format")

    export_ = export_entries

    def _found(self, level: Level | None, logger: str | None, text: str | None, since: float | None) -> list[Entry]:
        floor = LEVELS[level] if level else 0
        return [
            entry
            for entry in self._book.entries
            if LEVELS[entry.level] >= floor
            and (logger is None or entry.logger == logger)
            and (text is None or text in entry.message)
            and (since is None or entry.time >= since)
        ]
