"""What a session has logged, and where it goes."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmspell.plugin import BridgeError, Call, ScriptFunction, instants_as_text
from llmspell_std.data import jsontext

Level = Literal["debug", "info", "warn", "error"]
Target = Literal["log", "output", "none"]
LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warn": 30, "error": 40}
KEPT = 1_000
MAX_MESSAGE = 16_384

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_logger = logging.getLogger("llmspell.script")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message."""

    time: float
    level: Level
    logger: str
    message: str
    attributes: dict[str, Any]
    component: str = ""


@dataclass(slots=True)
class Settings:
    """How a session logs.

    Attributes:
        output: ``log``: Python's logging under ``llmspell.script``, and the host's observers. ``output``: also the
            script's own output. ``none``: only kept for ``log.search``.
        components: Debug messages of a component are dropped where it is off; others follow ``level``.
    """

    level: Level = "info"
    format: str = "text"
    output: Target = "log"
    context: dict[str, Any] = field(default_factory=dict)
    components: dict[str, bool] = field(default_factory=dict)


class LogBook:
    """The messages of one session: the last thousand, and counts of all."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()
        self.formatters: dict[str, ScriptFunction] = {}

    def wants(self, level: Level, floor: Level | None, component: str) -> bool:
        """Tell whether a message would be logged."""
        switched = self.settings.components.get(component)
        if switched is not None:
            return switched
        return LEVELS[level] >= LEVELS[floor or self.settings.level]

    async def write(
        self,
        call: Call,
        level: Level,
        message: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        logger: str = "default",
        floor: Level | None = None,
        form: str = "",
        component: str = "",
    ) -> None:
        """Log one message.

        Raises:
            BridgeError: ``too_large``: the message is longer than 16 KiB.
        """
        if not self.wants(level, floor, component):
            return
        if len(message) > MAX_MESSAGE:
            raise BridgeError(f"a log message has at most {MAX_MESSAGE:,} characters", code="too_large")
        plain = {name: jsontext.plain(value) for name, value in {**self.settings.context, **(attributes or {})}.items()}
        entry = Entry(time.time(), level, logger, message, plain, component)
        self.entries.append(entry)
        self.counts[level] += 1
        if self.settings.output == "none":
            return
        text = _CONTROL.sub(lambda found: repr(found[0])[1:-1], await self._text(entry, form or self.settings.format))
        _logger.log(LEVELS[level], "%s", text)
        call.event("log", {"level": level, "logger": logger, "message": message, "component": component})
        if self.settings.output == "output":
            call.emit(text + "\n")

    async def _text(self, entry: Entry, form: str) -> str:
        if form == "text":
            attributes = "".join(f" {name}={_short(value)}" for name, value in entry.attributes.items())
            component = f"[{entry.component}] " if entry.component else ""
            return f"{entry.level.upper():5} {component}{entry.message}{attributes}"
        if form == "json":
            return jsontext.write(
                {
                    "time": entry.time,
                    "level": entry.level,
                    "logger": entry.logger,
                    "message": entry.message,
                    "attributes": entry.attributes,
                }
            )
        formatter = self.formatters.get(form)
        if formatter is None:
            raise BridgeError(
                f"there is no log format {form!r}; register it or choose text or json", code="unknown_format"
            )
        return str(
            await formatter(
                {
                    "level": entry.level,
                    "timestamp": entry.time,
                    "message": entry.message,
                    "attributes": entry.attributes,
                    "logger": entry.logger,
                }
            )
        )


def _short(value: Any) -> str:
    value = instants_as_text(value)
    text = value if isinstance(value, str) else jsontext.write(value)
    text = text if len(text) <= 200 else text[:197] + "..."
    return repr(text) if " " in text or not text else text
