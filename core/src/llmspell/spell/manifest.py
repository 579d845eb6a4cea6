"""What a spell says of itself: name, description, parameters, engine, permissions."""

from __future__ import annotations

import difflib
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from llmspell.errors import ConversionError, Location, ScriptSyntaxError
from llmspell.spell.front_matter import FrontMatter
from llmspell.values import check_value

ParameterType: TypeAlias = Literal["string", "integer", "number", "boolean", "file", "dir", "list", "json"]

_WORDS: dict[str, str] = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "file": "a path",
    "dir": "a path",
    "list": "a list",
    "json": "plain data",
}


class Parameter(BaseModel):
    """One declared parameter of a spell.

    Attributes:
        type: How its text on the command line is read, and what a script gets.
        required: The spell cannot run without it. Excludes ``default``.
        default: What the script gets when it is not given.
        choices: The only values it may have; empty for any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    type: ParameterType = "string"
    description: str = ""
    required: bool = False
    default: Any = None
    choices: list[Any] = []

    @model_validator(mode="after")
    def _agree(self) -> Parameter:
        if self.required and self.default is not None:
            raise ValueError("a required parameter has no default")
        for choice in self.choices:
            if fault := mismatch(self.type, choice):
                raise ValueError(f"the choice {choice!r} {fault}")
        if self.default is not None:
            if fault := mismatch(self.type, self.default):
                raise ValueError(f"the default {fault}")
            if self.choices and self.default not in self.choices:
                raise ValueError(f"the default is none of the choices: {shown(self.choices)}")
        return self


class Manifest(BaseModel):
    """What a spell says of itself; empty for one without front matter.

    Attributes:
        engine: Engine name, when the file's ending does not tell.
        permissions: What it needs of the world, for the reader: ``["read", "net:api.example.org"]``. It
            documents; only a policy grants.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    name: str = ""
    description: str = ""
    version: str = ""
    engine: str = ""
    permissions: list[str] = []
    parameters: dict[str, Parameter] = {}

    @field_validator("parameters")
    @classmethod
    def _named(cls, parameters: dict[str, Parameter]) -> dict[str, Parameter]:
        for name in parameters:
            if not name or "=" in name or name != name.strip():
                raise ValueError(f"{name!r} cannot be the name of a parameter")
        return parameters


EMPTY = Manifest.model_construct()


def mismatch(kind: ParameterType, value: object) -> str:
    """Tell how ``value`` fails to be of a declared type: ``"must be an integer, not a text"``; ``""`` if it fits."""
    fits = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "file": isinstance(value, str),
        "dir": isinstance(value, str),
        "list": isinstance(value, list),
        "json": True,
    }[kind]
    if not fits:
        return f"must be {_WORDS[kind]}, not {_kind_of(value)}"
    try:
        check_value(value)
    except ConversionError as error:
        return f"must be plain data: {error.message}"
    return ""


def _kind_of(value: object) -> str:
    if value is None:
        return "nothing"
    for kind, word in (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a number"),
        (str, "a text"),
        (list, "a list"),
        (dict, "a table"),
    ):
        if isinstance(value, kind):
            return word
    return f"a {type(value).__name__}"


def shown(values: list[Any]) -> str:
    """Return values as they would be written on the command line, for messages."""
    return ", ".join(value if isinstance(value, str) else repr(value) for value in values)


def read_manifest(block: FrontMatter, name: str) -> Manifest:
    """Check front matter.

    Raises:
        ScriptSyntaxError: With the line of the first thing that does not fit.
    """
    try:
        return Manifest.model_validate(block.data)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        path = problem["loc"]
        message, hint = _explain(problem["type"], problem["msg"], path, problem["input"])
        raise ScriptSyntaxError(
            message, language="toml", location=Location(name, block.line_of(path)), hint=hint
        ) from None


def _explain(kind: str, message: str, path: tuple[str | int, ...], value: object) -> tuple[str, str | None]:
    where = ".".join(str(part) for part in path) or "the front matter"
    if kind == "extra_forbidden":
        fields = Parameter.model_fields if path[0] == "parameters" else Manifest.model_fields
        close = difflib.get_close_matches(str(path[-1]), fields, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(fields)}"
        return f"front matter has no setting {where!r}", hint
    if kind == "literal_error":
        close = difflib.get_close_matches(str(value), _WORDS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"types: {', '.join(_WORDS)}"
        return f"{where}: there is no parameter type {value!r}", hint
    if kind == "value_error":
        return f"{where}: {message.removeprefix('Value error, ')}", None
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        example = f" such as [{where}]" if path else ""
        return f"{where}: must be a table{example}, not {_kind_of(value)}", None
    wanted = {"string_type": "a text", "bool_type": "true or false", "list_type": "a list"}.get(kind)
    return (f"{where}: must be {wanted}, not {_kind_of(value)}" if wanted else f"{where}: {message}"), None
