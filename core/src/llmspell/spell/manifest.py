"""What a spell says of itself: name, description, parameters, engine, permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from llmspell.errors import ConversionError, Location, ScriptSyntaxError
from llmspell.fields import FieldError, Problem, kind_of, read, settle
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter of a spell.

    Attributes:
        type: How its text on the command line is read, and what a script gets.
        required: The spell cannot run without it. Excludes ``default``.
        default: What the script gets when it is not given.
        choices: The only values it may have; empty for any.
    """

    type: ParameterType = "string"
    description: str = ""
    required: bool = False
    default: Any = None
    choices: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        settle(self)
        if disagreement := self._disagreement():
            raise FieldError([Problem((), disagreement)])

    def _disagreement(self) -> str:
        if self.required and self.default is not None:
            return "a required parameter has no default"
        for choice in self.choices:
            if fault := mismatch(self.type, choice):
                return f"the choice {choice!r} {fault}"
        if self.default is not None:
            if fault := mismatch(self.type, self.default):
                return f"the default {fault}"
            if self.choices and self.default not in self.choices:
                return f"the default is none of the choices: {shown(self.choices)}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a spell says of itself; empty for one without front matter.

    Attributes:
        engine: Engine name, when the file's ending does not tell.
        permissions: What it needs of the world, for the reader: ``["read", "net:api.example.org"]``. It
            documents; only a policy grants.
    """

    name: str = ""
    description: str = ""
    version: str = ""
    engine: str = ""
    permissions: list[str] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self)
        for name in self.parameters:
            if not name or "=" in name or name != name.strip():
                raise FieldError([Problem(("parameters",), f"{name!r} cannot be the name of a parameter")])


EMPTY = Manifest()


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
        return f"must be {_WORDS[kind]}, not {kind_of(value)}"
    try:
        check_value(value)
    except ConversionError as error:
        return f"must be plain data: {error.message}"
    return ""


def shown(values: list[Any]) -> str:
    """Return values as they would be written on the command line, for messages."""
    return ", ".join(value if isinstance(value, str) else repr(value) for value in values)


def read_manifest(block: FrontMatter, name: str) -> Manifest:
    """Check front matter.

    Raises:
        ScriptSyntaxError: With the line of the first thing that does not fit.
    """
    try:
        return read(Manifest, block.data)
    except FieldError as error:
        problem = error.problems[0]
        where = problem.key or "the front matter"
        example = f" such as [{where}]" if problem.text.startswith("must be a table") and problem.path else ""
        text = problem.text.replace("a table", f"a table{example}", 1)
        raise ScriptSyntaxError(
            f"front matter has no setting {where!r}" if problem.known else f"{where}: {text}",
            language="toml",
            location=Location(name, block.line_of(problem.path)),
            hint=problem.hint,
        ) from None
