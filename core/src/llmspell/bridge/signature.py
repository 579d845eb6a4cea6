"""From a Python signature to a schema: validation of arguments, and errors that name the parameter."""

from __future__ import annotations

import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError, create_model
from pydantic_core import ArgsKwargs, ErrorDetails

from llmspell.bridge.call import Call
from llmspell.bridge.export import Secret
from llmspell.bridge.function import ScriptFunction
from llmspell.errors import ArgumentError
from llmspell.values import FunctionRef, Value, instants_as_text


def _integral(value: Any) -> Any:
    """Accept 3.0 as 3, since some script languages know only one kind of number; refuse texts and booleans."""
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is int:
        return value
    raise ValueError("not an integer")


_EXACT: dict[Any, Any] = {
    int: Annotated[int, BeforeValidator(_integral)],
    float: Annotated[float, Strict()],
    str: Annotated[str, Strict()],
    bool: Annotated[bool, Strict()],
}
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number")
"""What pydantic calls a number that is one, but out of bounds."""
_SCALAR_TYPES = (int, float, str, bool)
_WORDS: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    str: "a text",
    bool: "a boolean",
    bytes: "bytes",
    list: "a list",
    dict: "a table",
    datetime: "a date and time",
    date: "a date without a time",
    type(None): "nothing",
    ScriptFunction: "a function",
    Any: "anything",
}


def _exact(hint: Any) -> Any:
    """Replace plain scalars by their strict forms, also inside unions and Annotated."""
    if hint in (Value, object):
        return Any
    try:
        if hint in _EXACT:
            return _EXACT[hint]
    except TypeError:
        return hint
    origin = typing.get_origin(hint)
    if origin is Annotated:
        base, *meta = typing.get_args(hint)
        return Annotated[_exact(base), *meta]
    if origin in (typing.Union, types.UnionType):
        parts = typing.get_args(hint)
        return Any if FunctionRef in parts else typing.Union[tuple(_exact(part) for part in parts)]  # noqa: UP007
    if origin in (list, dict, tuple, set, frozenset):
        inner = origin[tuple(part if part is Ellipsis else _exact(part) for part in typing.get_args(hint))]
        # One wrong item is enough: a hostile list of a million would else make a million errors.
        return inner if origin is dict else Annotated[inner, Field(fail_fast=True)]
    return hint


def describe_type(hint: Any) -> str:
    """Say a type in words a script author understands.

    Example:
        >>> describe_type(str | None)
        'a text or nothing'
    """
    if hint in (Value, object, Any):
        return "anything"
    try:
        if hint in _WORDS:
            return _WORDS[hint]
    except TypeError:
        pass
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return describe_type(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        if FunctionRef in typing.get_args(hint):
            return "anything"
        words = list(dict.fromkeys(describe_type(part) for part in typing.get_args(hint)))
        return " or ".join(words)
    if origin is typing.Literal:
        return "one of " + ", ".join(repr(part) for part in typing.get_args(hint))
    if origin in (list, tuple, set, frozenset):
        inner = [part for part in typing.get_args(hint) if part not in (Ellipsis, Any, Value, object)]
        return "a list" + (f" of {_several(describe_type(inner[0]))}" if inner else "")
    if origin is not None and isinstance(origin, type) and issubclass(origin, dict | typing.Mapping):
        return "a table"
    return str(getattr(hint, "__name__", hint))


def _several(words: str) -> str:
    return " or ".join(f"{word.removeprefix('a ').removeprefix('an ')}s" for word in words.split(" or "))


def describe_value(value: Any) -> str:
    """Say what kind of value a script gave."""
    if value is None:
        return "nothing"
    for kind, word in (
        (bool, "a boolean"), (int, "an integer"), (float, "a number"), (str, "a text"), (bytes, "bytes"),
        (list, "a list"), (dict, "a table"), (ScriptFunction, "a function"), (datetime, "a date and time"),
    ):  # fmt: skip
        if isinstance(value, kind):
            return word
    return f"a {type(value).__name__}"


class Parameter(typing.NamedTuple):
    """One parameter as scripts see it."""

    name: str
    type: Any
    required: bool
    default: Any
    option: bool
    variadic: bool
    secret: bool

    @property
    def type_text(self) -> str:
        return describe_type(self.type)


class Signature:
    """An export's parameters, and the check of a call's arguments against them.

    Args:
        name: The export's name, for messages.
        function: The unbound method; its first parameter is ``self``.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self._function = function
        # ``Value`` is recursive, which neither typing nor pydantic unrolls; as a parameter it means anything.
        hints = typing.get_type_hints(function, localns={"Value": Any}, include_extras=True)
        self.returns = hints.pop("return", Any)
        declared = list(inspect.signature(function).parameters.values())[1:]
        self.takes_call = bool(declared) and hints.get(declared[0].name) is Call
        if self.takes_call:
            declared = declared[1:]
        for parameter in declared:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                raise TypeError(f"export {name}: **{parameter.name} cannot be exported; name the options")
        self.parameters = tuple(self._describe(parameter, hints) for parameter in declared)
        self._declared = declared
        self._hints = {p.name: hints.get(p.name, Any) for p in declared}
        positional = [p for p in self.parameters if not p.option and not p.variadic]
        self._names = [p.name for p in positional]
        self._required = sum(p.required for p in positional)
        self._options = frozenset(p.name for p in self.parameters if p.option)
        self._known = self._options | frozenset(self._names)
        self._tableless = frozenset(
            place
            for place, p in enumerate(positional)
            if not any(word in p.type_text for word in ("table", "list", "anything"))
        )
        self._variadic = any(p.variadic for p in self.parameters)
        self._table_form = bool(positional) and positional[0].type in _SCALAR_TYPES
        self.secrets = frozenset(p.name for p in self.parameters if p.secret)
        self._plain = not self.parameters

    @staticmethod
    def _describe(parameter: inspect.Parameter, hints: dict[str, Any]) -> Parameter:
        hint = hints.get(parameter.name, Any)
        secret = typing.get_origin(hint) is Annotated and any(
            isinstance(part, Secret) or part is Secret for part in typing.get_args(hint)[1:]
        )
        required = parameter.default is inspect.Parameter.empty
        return Parameter(
            parameter.name,
            hint,
            required and parameter.kind is not inspect.Parameter.VAR_POSITIONAL,
            None if required else parameter.default,
            parameter.kind is inspect.Parameter.KEYWORD_ONLY,
            parameter.kind is inspect.Parameter.VAR_POSITIONAL,
            secret,
        )

    @cached_property
    def _validate(self) -> Callable[[ArgsKwargs], tuple[tuple[Any, ...], dict[str, Any]]]:
        def arguments(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return args, kwargs

        shadow: Any = arguments
        shadow.__signature__ = inspect.Signature(self._declared)
        shadow.__annotations__ = {name: _exact(hint) for name, hint in self._hints.items()}
        shadow.__name__ = self.name
        adapter: TypeAdapter[Any] = TypeAdapter(shadow, config=ConfigDict(arbitrary_types_allowed=True))
        return adapter.validator.validate_python

    def bind(
        self, args: list[Any], spell: Callable[[str], str] | None = None, show: Callable[[str], str] = str
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check a call's arguments and turn them into what the method takes.

        Args:
            args: Positional arguments as the script gave them; the options as one trailing dict.
            spell: Maps the script's spelling of a name to ours (camelCase to snake_case).
            show: Maps our spelling to the script's, for messages.

        Raises:
            ArgumentError: Naming the parameter, its position and the expected type.
        """
        if self._plain:
            if args and args not in ([{}], [[]]):
                raise ArgumentError(f"{show(self.name)} takes no arguments, got {len(args)}")
            return (), {}
        positional, options = self._split(args, spell)
        if len(positional) > len(self._names) and not self._variadic:
            raise self._too_many(len(positional), show)
        return self._checked(positional, options, show)

    def bind_named(self, values: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check arguments that all come by name, as tools have them, and turn them into what the method takes.

        Raises:
            ArgumentError: Naming the parameter and the expected type.
        """
        return self._checked((), values, str)

    def _checked(
        self, positional: tuple[Any, ...], options: dict[str, Any] | None, show: Callable[[str], str]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            return self._validate(ArgsKwargs(positional, options))
        except ValidationError as error:
            problems = error.errors(include_url=False)
        # An instant is also its text. Where it does not fit as it is, all those of its argument are tried as texts.
        places = {problem["loc"][0] for problem in problems if isinstance(problem["input"], datetime)}
        if places:
            args = tuple(instants_as_text(arg) if place in places else arg for place, arg in enumerate(positional))
            named = {name: instants_as_text(arg) if name in places else arg for name, arg in (options or {}).items()}
            try:
                return self._validate(ArgsKwargs(args, named))
            except ValidationError as error:
                left = error.errors(include_url=False)[0]
                same = [each for each in problems if (each["loc"], each["type"]) == (left["loc"], left["type"])]
                problems = same or [left]
        raise self._explain(problems[0], show) from None

    def _split(
        self, args: list[Any], spell: Callable[[str], str] | None
    ) -> tuple[tuple[Any, ...], dict[str, Any] | None]:
        if not args or type(last := args[-1]) not in (dict, list):
            return self._trim(args), None
        if type(last) is list and last:
            return tuple(args), None
        names = {spell(key): value for key, value in last.items()} if last and spell else dict(last)
        if self._options and len(args) > self._required:
            beyond = len(args) > len(self._names) and not self._variadic
            if not last and not beyond and len(args) - 1 in self._tableless:
                return self._trim(args[:-1]), None
            if beyond or (names and names.keys() <= self._options):
                return tuple(args[:-1]), names
        if self._table_form and len(args) == 1 and names and names.keys() <= self._known:
            return (), names
        return tuple(args), None

    def _trim(self, args: list[Any]) -> tuple[Any, ...]:
        """Drop trailing nothings beyond what is required: ``f(x, nil)`` means ``f(x)``."""
        end = len(args)
        while end > self._required and args[end - 1] is None:
            end -= 1
        return tuple(args[:end])

    def _explain(self, problem: ErrorDetails, show: Callable[[str], str]) -> ArgumentError:
        kind, loc = problem["type"], problem["loc"]
        where = loc[0] if loc else ""
        if kind in ("missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"):
            name = str(where) if not isinstance(where, int) else self._names[where]
            position = self._names.index(name) + 1 if name in self._names else 0
            place = f"argument {position} ({show(name)!r})" if position else f"option {show(name)!r}"
            return ArgumentError(
                f"{show(self.name)}: {place} is missing; it should be {describe_type(self._hints[name])}",
                parameter=name,
                position=position,
            )
        if kind == "unexpected_keyword_argument":
            close = difflib.get_close_matches(str(where), sorted(self._known), 1)
            known = ", ".join(map(show, sorted(self._options)))
            hint = f"did you mean {show(close[0])!r}?" if close else f"options: {known}"
            message = f"{show(self.name)} has no option {show(str(where))!r}; {hint}"
            return ArgumentError(message, parameter=str(where))
        return self._mismatch(problem, loc, show)

    def _too_many(self, given: int, show: Callable[[str], str]) -> ArgumentError:
        most = len(self._names)
        return ArgumentError(
            f"{show(self.name)} takes at most {most} argument{'s' * (most != 1)}"
            f"{' and a table of options' if self._options else ''}, got {given}",
            position=most + 1,
        )

    def _mismatch(self, problem: ErrorDetails, loc: tuple[int | str, ...], show: Callable[[str], str]) -> ArgumentError:
        method = show(self.name)
        where = loc[0] if loc else ""
        if isinstance(where, int):
            variadic = next((p.name for p in self.parameters if p.variadic), "")
            name = self._names[where] if where < len(self._names) else variadic
            place = f"argument {where + 1} ({show(name)!r})"
            position = where + 1
        else:
            name, position = str(where), 0
            place = f"{'option' if name in self._options else 'argument'} {show(name)!r}"
        hint = self._hints.get(name, Any)
        inner = [part for part in loc[1:] if not isinstance(part, str) or part.isidentifier()]
        nested = isinstance(problem["input"], object) and len(loc) > 1 and typing.get_origin(hint) not in (
            typing.Union, types.UnionType,
        )  # fmt: skip
        if nested:
            path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in inner)
            reason = _should(problem["msg"])
            message = f"{method}: {place}{path} {reason}, got {describe_value(problem['input'])}"
        elif problem["type"] in ("value_error", "assertion_error") and "not an integer" not in problem["msg"]:
            message = f"{method}: {place}: {problem['msg']}"
        else:
            got = describe_value(problem["input"])
            expected = describe_type(hint)
            if got == expected or typing.get_origin(hint) is Annotated or problem["type"] in (
                "literal_error", "enum", "string_pattern_mismatch", "int_parsing", *_BOUNDS,
            ):  # fmt: skip
                reason = _should(problem["msg"])
                if "not an integer" in reason:
                    reason = "should be an integer"
                message = f"{method}: {place} {reason}, got {_short(problem['input'])}"
            else:
                if problem["input"] == {} and "list" in expected:
                    got = "an empty table; an empty list is array{} in Lua"
                message = f"{method}: {place} should be {expected}, got {got}"
        return ArgumentError(message, parameter=name, position=position)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the parameters as one object, as tool and MCP descriptions need it."""
        # The fields go by number, since pydantic's models have attributes such as ``schema`` and ``json``.
        fields: dict[str, Any] = {
            f"p{place}": (
                list[p.type] if p.variadic else p.type,  # type: ignore[name-defined]
                Field(... if p.required else p.default, alias=p.name),
            )
            for place, p in enumerate(self.parameters)
        }
        model = create_model(self.name, __config__=ConfigDict(arbitrary_types_allowed=True), **fields)
        schema: dict[str, Any] = model.model_json_schema(by_alias=True)
        return schema


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool) else describe_value(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _should(message: str) -> str:
    """Drop the subject of a message, which is the parameter here."""
    return re.sub(r"^\w+ should", "should", message)
