"""The flat names of the original ``utils`` module, each a function of another bridge."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Annotated, Any

from llmspell.plugin import BridgeError, Call, ScriptFunction, Secret, Value, export
from llmspell_std.core import digests, times
from llmspell_std.data import extract, jsontext, schemas
from llmspell_std.errors.patience import Backoff, retry
from llmspell_std.log.book import Level
from llmspell_std.log.logger import Logger, profile

if TYPE_CHECKING:
    from llmspell_std.auth.bridge import AuthBridge
    from llmspell_std.errors import ErrorsBridge
    from llmspell_std.log import LogBridge

Password = Annotated[str, Secret()]
_LEVELS: dict[Any, Level] = {0: "error", 1: "warn", 2: "info", 3: "debug", "trace": "debug", "warning": "warn"}


class ShortNames:
    """Mixed into the ``util`` bridge."""

    _auth: AuthBridge
    _errors: ErrorsBridge
    _log: LogBridge

    # auth_*

    @export(blocking=True)
    def auth_hash_password(self, password: Password, salt: str | None = None) -> dict[str, str]:
        """Return ``{hash, salt, algorithm}`` of a password."""
        return self._auth.hash_password(password, salt)

    @export(blocking=True)
    def auth_verify_password(self, password: Password, hashed: Value) -> bool:
        """Tell whether a password made a hash."""
        return self._auth.verify_password(password, hashed)

    @export
    def auth_generate_token(self, length: int = 32) -> str:
        """Return an unguessable text."""
        return digests.random_text(length, None)

    # debug_*

    @export
    def debug_set_level(self, component: str, level: str | int) -> None:
        """Log debug messages of a component from level ``"debug"`` (3) on, and none of it below."""
        if self._level(level) == "debug":
            self._log.enable_component(component)
        else:
            self._log.disable_component(component)

    @export
    async def debug_log(self, call: Call, component: str, message: str, data: Value = None) -> None:
        """Log for debugging, of a component."""
        attributes = data if isinstance(data, dict) else {} if data is None else {"data": data}
        await self._log.debug_component(call, component, message, attributes)

    @export
    def debug_get_config(self) -> dict[str, Any]:
        """Return how this session logs."""
        return self._log.configuration()

    @export
    async def debug_profile(self, call: Call, name: str, fn: ScriptFunction) -> Any:
        """Run a function and log how long it took."""
        return await profile(self._log.book, call, name, fn)

    @export
    def debug_dump(self, value: Value) -> str:
        """Return a value as readable text."""
        return jsontext.write(jsontext.plain(value), indent=2)

    @export
    async def debug_assert(self, call: Call, condition: Value, message: str = "assertion failed") -> Value:
        """Return the condition if it holds, else fail."""
        found: Value = await self._log.assert_that(call, condition, message)
        return found

    # errors_*

    @export
    def errors_create_error(
        self, message: str, code: str = "CUSTOM_ERROR", context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return an error."""
        return self._errors.create(message, code, context)

    @export
    def errors_wrap_error(self, error: Value, message: str | dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an error caused by another."""
        return self._errors.wrap(error, message)

    errors_wrap = errors_wrap_error

    @export
    def errors_unwrap(self, error: Value) -> dict[str, Any] | None:
        """Return what caused an error, or nothing."""
        return self._errors.unwrap(error)

    @export
    def errors_aggregate_errors(self, errors: list[Any], message: str | None = None) -> dict[str, Any]:
        """Return one error that stands for several."""
        return self._errors.aggregate(errors, message)

    @export
    async def errors_categorize_error(self, error: Value) -> str:
        """Return the category of an error."""
        return await self._errors.categorize(error)

    @export
    def errors_is_type(self, error: Value, code: str) -> bool:
        """Tell whether an error, or one that caused it, has a code."""
        return self._errors.is_type(error, code)

    # json_*

    @export
    def json_encode(self, value: Value, pretty: bool = False) -> str:
        """Write a value as JSON."""
        return jsontext.write(value, indent=2 if pretty else None)

    json_to_json = json_encode

    @export
    def json_decode(self, text: str) -> Value:
        """Read JSON."""
        found: Value = jsontext.parse(text)
        return found

    json_parse = json_decode

    @export
    def json_format(self, text: str, *, indent: int = 2) -> str:
        """Spread a JSON text over several lines."""
        return jsontext.write(jsontext.parse(text), indent=indent)

    json_prettify = json_format

    @export
    def json_validate(self, call: Call, value: Value, schema: dict[str, Any]) -> schemas.Verdict:
        """Check a value, or a JSON text, against a schema."""
        return schemas.validate(jsontext.parse(value) if isinstance(value, str) else value, schema, call.checkpoint)

    json_validate_json_schema = json_validate

    @export(blocking=True)
    def json_extract_structured_data(self, call: Call, text: str, schema: dict[str, Any] | None = None) -> Value:
        """Return the JSON inside a model's answer."""
        value: Value = extract.extract(text)
        if schema is not None:
            schemas.require(value, schema, call.checkpoint, "the JSON found does not fit the schema")
        return value

    # logger_* and slog_*

    @export
    def logger_create_logger(
        self, name: str = "default", level: Level | None = None, context: dict[str, Any] | None = None
    ) -> Logger:
        """Return the logger of a name."""
        return self._log.create(name, level=level, context=context)

    @export
    async def logger_log(self, call: Call, level: str, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log at a level given by name."""
        await self._log.log(call, self._level(level), message, attributes)

    @export
    def logger_set_log_level(self, level: str | int) -> None:
        """Log from this level on."""
        self._log.set_level(self._level(level))

    @export
    async def logger_debug(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what helps to find faults."""
        await self._log.debug(call, message, attributes)

    @export
    async def logger_info(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what happens as it should."""
        await self._log.info(call, message, attributes)

    @export
    async def logger_warn(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what somebody should look at."""
        await self._log.warn(call, message, attributes)

    @export
    async def logger_error(self, call: Call, message: str, attributes: dict[str, Any] | None = None) -> None:
        """Log what went wrong."""
        await self._log.error(call, message, attributes)

    slog_debug = logger_debug
    slog_info = logger_info
    slog_warn = logger_warn
    slog_error = logger_error

    @export
    def slog_with_fields(self, fields: dict[str, Any]) -> Logger:
        """Return a logger that adds these attributes to every message."""
        return self._log.default().child(fields)

    # general_*

    @export
    def general_generate_uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    general_uuid = general_generate_uuid

    @export
    def general_hash(self, text: str | bytes, algorithm: str = "sha256") -> str:
        """Return a hash in hexadecimal."""
        return digests.digest(text, algorithm)

    @export
    async def general_sleep(self, milliseconds: float) -> None:
        """Wait; the host works on meanwhile."""
        await asyncio.sleep(times.pause(milliseconds / 1000))

    @export
    async def general_retry(self, call: Call, fn: ScriptFunction, attempts: int = 3, delay: float = 1_000) -> Value:
        """Call ``fn()`` up to so many times, waiting ever longer."""
        backoff = Backoff(attempts, initial_delay=delay)
        found: Value = await retry(call, fn, backoff, self._errors.categories_known)
        return found

    @export
    def general_encode(self, text: str | bytes) -> str:
        """Return base64."""
        return digests.encode64(text, url=False)

    @export
    def general_decode(self, text: str) -> str | bytes:
        """Return what base64 stands for."""
        return digests.decode64(text, url=False)

    @staticmethod
    def _level(level: str | int) -> Level:
        found = _LEVELS.get(level, level)
        if found not in ("debug", "info", "warn", "error"):
            raise BridgeError(
                f"there is no level {level!r}; there are debug, info, warn, error", code="invalid_argument"
            )
        return found  # type: ignore[return-value]
