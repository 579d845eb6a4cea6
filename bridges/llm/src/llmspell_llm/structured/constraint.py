"""What an answer must look like, said in each way a provider may understand, and checked in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from llmspell.values import instants_as_text
from llmspell_llm.structured.reading import NotJson, read_json
from llmspell_llm.structured.schema import Schema, SchemaError

CHOICE_KEY = "choice"
VALUE_KEY = "value"
_QUOTES = " \t\r\n\"'`*_.!:“”‘’«»"


class Mismatch(Exception):
    """An answer does not fit. ``path`` says where in the answer."""

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(f"{message} (at {path})" if path != "$" else message)
        self.message = message
        self.path = path


class Constraint(Protocol):
    """A shape an answer must have.

    Attributes:
        json_schema: The shape as a JSON Schema whose root is an object, as providers ask for.
        grammar: The shape as a GBNF grammar of the bare answer, for llama.cpp, where that is better than JSON.
        instruction: The shape in words, for models that can only be asked.
    """

    @property
    def json_schema(self) -> dict[str, Any]: ...
    @property
    def grammar(self) -> str | None: ...
    @property
    def instruction(self) -> str: ...

    def read(self, text: str, *, mend: bool = True) -> Any:
        """Return the value in an answer.

        Args:
            text: The answer.
            mend: Broken JSON may be mended. Not where the answer was cut off, since what is lost would stay lost.

        Raises:
            Mismatch: It does not fit.
        """


class Choices:
    """The answer is one of a few texts or numbers.

    Args:
        options: At least one, all different.

    Raises:
        SchemaError: There is none, one stands twice, or one is neither text, number nor boolean.

    Example:
        >>> Choices(["positive", "negative"]).read(' "Positive". ')
        'positive'
    """

    def __init__(self, options: Sequence[Any]) -> None:
        if not options:
            raise SchemaError("choices must name at least one answer")
        for option in options:
            if not isinstance(option, str | int | float) or option == "":
                raise SchemaError(f"a choice is a text, a number or a boolean, not {instants_as_text(option)!r}")
        self.options = list(options)
        self._by_text = {_folded(_text(option)): option for option in self.options}
        if len(self._by_text) != len(self.options):
            raise SchemaError("two choices are the same")

    @property
    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {CHOICE_KEY: {**self._type, "enum": self.options}},
            "required": [CHOICE_KEY],
            "additionalProperties": False,
        }

    @property
    def _type(self) -> dict[str, str]:
        return {"type": "string"} if all(isinstance(option, str) for option in self.options) else {}

    @property
    def grammar(self) -> str:
        return "root ::= " + " | ".join(_gbnf(_text(option)) for option in self.options)

    @property
    def instruction(self) -> str:
        return "Answer with exactly one of these and nothing else: " + ", ".join(
            json.dumps(_text(option), ensure_ascii=False) for option in self.options
        )

    def read(self, text: str, *, mend: bool = True) -> Any:
        key = _folded(text)
        if key in self._by_text:
            return self._by_text[key]
        try:
            value = read_json(text, repair=False)
        except NotJson:
            value = None
        if isinstance(value, Mapping) and len(value) == 1:
            value = next(iter(value.values()))
        if isinstance(value, str | int | float) and (key := _folded(_text(value))) in self._by_text:
            return self._by_text[key]
        raise Mismatch(f"{_short(text)} is none of {', '.join(_text(option) for option in self.options)}")


class Shape:
    """The answer is JSON that fits a schema.

    Args:
        schema: The schema of the value; any root is allowed. Roots that are no objects travel inside one.

    Example:
        >>> Shape(Schema({"type": "array", "items": {"type": "integer"}})).read('{"value": [1, 2]}')
        [1, 2]
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    @property
    def json_schema(self) -> dict[str, Any]:
        definition = self.schema.definition
        if isinstance(definition, Mapping) and self.schema.is_object:
            return dict(definition)
        inner = dict(definition) if isinstance(definition, Mapping) else {}
        outer: dict[str, Any] = {
            "type": "object",
            "required": [VALUE_KEY],
            "additionalProperties": False,
        }
        # Definitions are referred to from the root, so they move there.
        for key in ("$defs", "definitions"):
            if key in inner:
                outer[key] = inner.pop(key)
        outer["properties"] = {VALUE_KEY: inner}
        return outer

    @property
    def grammar(self) -> None:
        return None

    @property
    def instruction(self) -> str:
        return "Answer with JSON that fits this JSON Schema, without any text or fences around it:\n" + json.dumps(
            self.schema.definition, ensure_ascii=False
        )

    def read(self, text: str, *, mend: bool = True) -> Any:
        try:
            value = read_json(text, repair=mend)
        except NotJson:
            raise Mismatch(f"{_short(text)} is not JSON") from None
        problems = self.schema.problems(value)
        if problems and not self.schema.is_object and isinstance(value, Mapping) and set(value) == {VALUE_KEY}:
            value = value[VALUE_KEY]
            problems = self.schema.problems(value)
        if problems:
            raise Mismatch(problems[0].message, problems[0].path)
        return value


def _text(option: Any) -> str:
    return option if isinstance(option, str) else json.dumps(option)


def _folded(text: str) -> str:
    return (text.strip(_QUOTES) or text.strip()).casefold()


def _short(text: str) -> str:
    return json.dumps(text if len(text) <= 120 else text[:117] + "...", ensure_ascii=False)


def _gbnf(text: str) -> str:
    escaped = "".join(f"\\{c}" if c in '"\\' else f"\\x{ord(c):02X}" if ord(c) < 32 else c for c in text)
    return f'"{escaped}"'
