"""JSON Schemas as scripts bring them: checked, never fetched from anywhere, and safe to run on hostile data."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from llmspell.errors import BridgeError
from llmspell.values import instants_as_text
from llmspell_llm.structured.references import BrokenReference, follow_all

MAX_PROBLEMS = 20
MAX_SECONDS = 2.0
"""Of the processor for one check: references that fan out can ask for more than anybody has."""

_started: ContextVar[float | None] = ContextVar("llmspell_schema_started", default=None)


class SchemaError(BridgeError):
    """A schema is not a JSON Schema, or refers to what is not there. ``path`` says where in the schema."""

    code = "invalid_schema"
    exit_code = 10

    def __init__(self, message: str, *, path: str = "$") -> None:
        super().__init__(f"{message} (at {path})" if path != "$" else message, details={"path": path})
        self.path = path


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value does not fit. ``path`` says where in the value: ``"$.people[2].age"``."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Schema:
    """A JSON Schema (draft 2020-12) that values are checked against.

    References to other documents are refused, never fetched; patterns run in linear time (RE2).

    Args:
        definition: The schema.

    Raises:
        SchemaError: It is not a JSON Schema.

    Example:
        >>> [str(p) for p in Schema({"type": "object", "properties": {"n": {"type": "integer"}}}).problems({"n": "x"})]
        ["$.n: 'x' is not of type 'integer'"]
    """

    _derive: Callable[[], Mapping[str, Any]]

    def __init__(self, definition: Mapping[str, Any] | bool) -> None:
        self.definition = definition = instants_as_text(definition)
        _check(definition)

    @classmethod
    def derived(cls, derive: Callable[[], Mapping[str, Any]]) -> Schema:
        """Return a schema that code derives when it is first wanted; what code makes needs no check.

        Deriving takes some milliseconds, and checking twice as long.
        """
        made = cls.__new__(cls)
        made._derive = derive
        return made

    @cached_property
    def definition(self) -> Mapping[str, Any] | bool:
        """The schema itself."""
        return self._derive()

    @classmethod
    def of_type(cls, kind: Any) -> Schema:
        """Return the schema of a Python type, as pydantic sees it: a model, a dataclass, ``list[int]``.

        Raises:
            SchemaError: Pydantic has no schema for it.

        Example:
            >>> Schema.of_type(list[int]).definition
            {'items': {'type': 'integer'}, 'type': 'array'}
        """
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        try:
            return cls(TypeAdapter(kind).json_schema())
        except PydanticUserError as error:
            raise SchemaError(f"there is no schema for {kind!r}: {str(error).splitlines()[0]}") from error

    @cached_property
    def _validator(self) -> Any:
        from jsonschema_specifications import REGISTRY

        return _validator_class()(self.definition, registry=REGISTRY)

    def problems(self, value: Any) -> list[Problem]:
        """Return why a value, as the JSON it would be, does not fit; an empty list if it does. At most twenty reasons.

        Raises:
            SchemaError: The schema refers to what is not there, or to itself without end.
        """
        found = []
        for problem in self._walk(value):
            found.append(problem)
            if len(found) == MAX_PROBLEMS:
                break
        return found

    def _walk(self, value: Any) -> Iterator[Problem]:
        from referencing.exceptions import Unresolvable

        token = _started.set(time.thread_time())
        try:
            for error in self._validator.iter_errors(instants_as_text(value)):
                yield Problem(error.json_path, _brief(error.message))
        except Unresolvable as error:
            raise _not_there(error.ref) from error
        except RecursionError:
            raise SchemaError("the schema refers to itself without end") from None
        finally:
            _started.reset(token)

    def accepts(self, value: Any) -> bool:
        return not self.problems(value)

    @property
    def is_object(self) -> bool:
        return isinstance(self.definition, Mapping) and self.definition.get("type") == "object"


def _brief(message: str) -> str:
    return message if len(message) <= 300 else message[:297] + "..."


def _check(definition: Any) -> None:
    if not isinstance(definition, Mapping | bool):
        raise SchemaError(f"a schema is an object, not {type(definition).__name__}")
    from jsonschema.exceptions import SchemaError as Invalid

    def check(part: Any, reference: str = "") -> None:
        try:
            _validator_class().check_schema(part)
        except Invalid as error:
            what = f"what {reference!r} refers to" if reference else "this"
            raise SchemaError(f"{what} is no JSON Schema: {_brief(error.message)}", path=error.json_path) from error

    try:
        check(definition)
        follow_all(definition, check)
    except BrokenReference as broken:
        raise _not_there(broken.reference) from broken
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None


def _not_there(reference: str) -> SchemaError:
    return SchemaError(f"the schema refers to {reference!r}, which is not in it; other documents are not fetched")


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    """Return the validator of the draft, with patterns that cannot be made to run for ever."""
    from jsonschema import Draft202012Validator, validators

    follow = {name: _watched(Draft202012Validator.VALIDATORS[name]) for name in ("$ref", "$dynamicRef")}
    patterns = {"pattern": _pattern, "patternProperties": _pattern_properties}
    return validators.extend(Draft202012Validator, {**patterns, **follow})


def _watched(follow: Callable[..., Any]) -> Callable[..., Any]:
    """Follow references as long as a check may take: ten levels of two each are a thousand checks, thirty a billion."""

    def following(validator: Any, reference: Any, instance: Any, schema: Any) -> Any:
        started = _started.get()
        # To follow one can take as long as to read the whole schema, so the clock is looked at for each.
        if started is not None and time.thread_time() - started > MAX_SECONDS:
            raise SchemaError(f"the check took longer than {MAX_SECONDS:g} s; the schema's references fan out")
        return follow(validator, reference, instance, schema)

    return following


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise SchemaError(f"the pattern {pattern!r} is not supported: {reason}") from error


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if validator.is_type(instance, "string") and not _compiled(pattern).search(instance):
        yield ValidationError(f"{_quoted(instance)} does not match {pattern!r}")


def _pattern_properties(validator: Any, properties: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, inner in properties.items():
        compiled = _compiled(pattern)
        for key, value in instance.items():
            if compiled.search(key):
                yield from validator.descend(value, inner, path=key, schema_path=pattern)


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= 80 else text[:77] + "...", ensure_ascii=False)
