"""Check plain data against the annotations of frozen dataclasses: policies, configuration and front matter.

pydantic does this better, and takes longer to import than everything else that a run does before its script
starts. So it stands where exports are checked, and a dozen flat classes make do with one page. May import ``errors``.

    @dataclass(frozen=True, slots=True)
    class Size:
        width: Annotated[int, AtLeast(1)] = 1

        def __post_init__(self) -> None:
            settle(self)

Both ``Size(width=0)`` and ``read(Size, {"width": 0})`` raise a :class:`FieldError`.
"""

from __future__ import annotations

import difflib
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

from llmspell.errors import ConfigError

T = TypeVar("T")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit.

    Attributes:
        path: Where, from the outermost value.
        text: What is wrong: ``"must be a text, not a number"``.
        known: The names there are, if the last part of the path is the name of nothing.
    """

    path: Path
    text: str
    hint: str | None = None
    known: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return ".".join(str(part) for part in self.path)

    def below(self, path: Path) -> Problem:
        """Return it as seen from outside."""
        return Problem((*path, *self.path), self.text, self.hint, self.known)


class FieldError(ConfigError):
    """Data that does not fit a class of ours; its problems tell all that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__((f"{first.key}: {first.text}" if first.path else first.text) + more, hint=first.hint)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The value is not below a bound; ``open``: nor is it the bound."""

    bound: float
    open: bool = False

    def fault(self, value: Any) -> str:
        if value > self.bound or (value == self.bound and not self.open):
            return ""
        return f"must be {'greater than' if self.open else 'at least'} {self.bound:,}, not {value:,}"


@dataclass(frozen=True, slots=True)
class AtMost:
    """The value is not above a bound."""

    bound: float

    def fault(self, value: Any) -> str:
        return "" if value <= self.bound else f"must be at most {self.bound:,}, not {value:,}"


@dataclass(frozen=True, slots=True)
class Before:
    """A function that reads the value before its type is looked at; its ValueError is the complaint."""

    function: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class After:
    """A function that works on the value once it fits; its ValueError is the complaint."""

    function: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class SomeOf:
    """The value is a table of some fields of a class, and stays one."""

    kind: type


def read(kind: type[T], given: object) -> T:
    """Make a record of a mapping of its fields.

    Raises:
        FieldError: With the place of everything that does not fit.
    """
    problems: list[Problem] = []
    made = _record(kind, given, (), problems)
    if problems:
        raise FieldError(problems)
    return typing.cast("T", made)


def settle(record: Any) -> None:
    """Bring every field of a new record to its declared form; for ``__post_init__``.

    Raises:
        FieldError: A value that does not fit.
    """
    problems: list[Problem] = []
    kind: Any = type(record)
    for name, hint, default in _plan(kind):
        value = getattr(record, name)
        if value is default:
            continue
        settled = _value(hint, value, (name,), problems)
        if settled is not value:
            object.__setattr__(record, name, settled)
    if problems:
        raise FieldError(problems)


def names_of(kind: type) -> tuple[str, ...]:
    """Return the names of a class's fields that data may give."""
    return tuple(field.name for field in fields(kind) if field.init)


@lru_cache(maxsize=64)
def _plan(kind: Any) -> tuple[tuple[str, Any, Any], ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple((field.name, hints[field.name], field.default) for field in fields(kind))


def _record(kind: Any, given: object, path: Path, problems: list[Problem]) -> Any:
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        return _refuse(path, "a table", given, problems)
    known = names_of(kind)
    found = [_unknown(name, known) for name in given if name not in known]
    try:
        made = kind(**{name: value for name, value in given.items() if name in known})
    except FieldError as error:
        made = None
        found += error.problems
    problems += [problem.below(path) for problem in found]
    return made


def _unknown(name: object, known: tuple[str, ...]) -> Problem:
    close = difflib.get_close_matches(str(name), known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
    return Problem((str(name),), "there is no such setting", hint, known)


def _value(hint: Any, value: Any, path: Path, problems: list[Problem]) -> Any:
    """Return the value in its declared form; what does not fit is added to the problems."""
    if hint is Any:
        return value
    origin = typing.get_origin(hint)
    if origin is None:
        return _record(hint, value, path, problems) if is_dataclass(hint) else _plain(hint, value, path, problems)
    inner = typing.get_args(hint)
    if origin is Annotated:
        return _ruled(inner[0], inner[1:], value, path, problems)
    if origin in (types.UnionType, typing.Union):
        (some,) = (part for part in inner if part is not type(None))
        return None if value is None else _value(some, value, path, problems)
    if origin is Literal:
        return _choice(inner, value, path, problems)
    if origin is dict:
        return _table(inner[1], value, path, problems)
    if not isinstance(value, list | tuple | set | frozenset):
        return _refuse(path, "a list", value, problems)
    return origin(_value(inner[0], item, (*path, place), problems) for place, item in enumerate(value))


def _ruled(hint: Any, rules: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    before = len(problems)
    try:
        for rule in rules:
            if isinstance(rule, Before):
                value = rule.function(value)
        value = _value(hint, value, path, problems)
        for rule in rules if len(problems) == before else ():
            if isinstance(rule, After):
                value = rule.function(value)
            elif isinstance(rule, SomeOf):
                made = _record(rule.kind, value, path, problems)
                value = {name: getattr(made, name) for name in value} if len(problems) == before else value
            elif isinstance(rule, AtLeast | AtMost) and (fault := rule.fault(value)):
                problems.append(Problem(path, fault))
    except ValueError as error:
        problems.append(Problem(path, str(error)))
    return value


def _choice(choices: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    if isinstance(value, str) and value in choices:
        return value
    close = difflib.get_close_matches(str(value), choices, 1)
    hint = f"did you mean {close[0]!r}?" if close else None
    problems.append(Problem(path, f"must be one of {', '.join(choices)}, not {value!r}", hint))
    return value


def _table(hint: Any, value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        return _refuse(path, "a table", value, problems)
    return {str(name): _value(hint, item, (*path, str(name)), problems) for name, item in value.items()}


_PLAIN: dict[type, str] = {str: "a text", bool: "true or false", int: "an integer", float: "a number"}


def _plain(kind: type, value: Any, path: Path, problems: list[Problem]) -> Any:
    if type(value) is kind and not (isinstance(value, float) and not math.isfinite(value)):
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if isinstance(value, kind) and not isinstance(value, bool | float):
        return value
    return _refuse(path, _PLAIN[kind], value, problems)


def _refuse(path: Path, wanted: str, value: object, problems: list[Problem]) -> Any:
    problems.append(Problem(path, f"must be {wanted}, not {kind_of(value)}"))
    return value


def kind_of(value: object) -> str:
    """Say in a word what a value is, for messages: ``"a text"``."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    for kind, word in (
        (type(None), "nothing"), (bool, "a boolean"), (int, "an integer"), (float, "a number"), (str, "a text"),
        (list, "a list"), (dict, "a table"),
    ):  # fmt: skip
        if isinstance(value, kind):
            return word
    return f"a {type(value).__name__}"
