"""Checking data: against schemas, and by functions of the script."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.bridges.structured.base import StructuredBase
from llmspell_llm.plain import known
from llmspell_llm.scoped import RunScoped
from llmspell_llm.structured import Problem, Schema, SchemaError, read_json
from llmspell_llm.structured.reading import NotJson


@dataclass(slots=True)
class _Counts:
    total: int = 0
    valid: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Conditional:
    condition: ScriptFunction
    then: ScriptFunction | Schema
    otherwise: ScriptFunction | Schema | None


class CheckingExports(StructuredBase):
    """The exports that check data."""

    def __init__(self) -> None:
        super().__init__()
        self._validators: RunScoped[ScriptFunction] = RunScoped()
        self._conditionals: RunScoped[_Conditional] = RunScoped()
        self._counts = _Counts()

    @export
    def validate(self, schema: Any, data: Any, *, partial: bool = False) -> dict[str, Any]:
        """Check data: ``{valid, errors = {{path, message}, ...}}``. It never raises for data that does not fit.

        Args:
            schema: The schema.
            data: The data.
            partial: What is missing is no error, at any depth.
        """
        return self._result(self._problems(self.schema_of(schema), data, partial))

    @export
    def validate_json(self, schema: Any, text: str, *, repair: bool = False) -> dict[str, Any]:
        """Check a JSON text: ``{valid, errors, data}``, without ``data`` where it is no JSON.

        Args:
            schema: The schema.
            text: The text; with ``repair`` also fenced, surrounded by talk, or slightly broken.
            repair: Mend what is broken.
        """
        try:
            data = read_json(text) if repair else json.loads(text)
        except (NotJson, ValueError, RecursionError):
            return self._result([Problem("$", "this is not JSON")])
        return {**self.validate(schema, data), "data": data}

    @export
    def validate_batch(self, schema: Any, items: list[Any], *, partial: bool = False) -> list[dict[str, Any]]:
        """Check many values: ``{index, valid, errors}`` each, counted from 1."""
        wanted = self.schema_of(schema)
        return [
            {"index": index, **self._result(self._problems(wanted, item, partial))}
            for index, item in enumerate(items, 1)
        ]

    @export
    async def validate_async(
        self, call: Call, schema: Any, data: Any, *, validators: list[str] | None = None, partial: bool = False
    ) -> dict[str, Any]:
        """Check data against a schema and then by validators of the script, by their names."""
        problems = self._problems(self.schema_of(schema), data, partial)
        for name in validators or ():
            problems += await self._ask(call, name, self._validator(call, name), data)
        return self._result(problems)

    @export
    def register_validator(self, call: Call, name: str, function: ScriptFunction) -> None:
        """Give a check of the script a name.

        Args:
            name: What ``validate_custom`` will say.
            function: Gets the data; returns true or nothing if it fits, else false, a message, or ``{path, message}``
                entries.
        """
        self._validators.of(call)[name] = function

    @export
    def unregister_validator(self, call: Call, name: str) -> bool:
        """Forget a check; tell whether there was one."""
        return self._validators.of(call).pop(name, None) is not None

    @export
    def list_validators(self, call: Call) -> list[str]:
        """Return the names of the script's checks, conditional ones included."""
        return sorted({*self._validators.of(call), *self._conditionals.of(call)})

    @export
    async def validate_custom(self, call: Call, data: Any, validator: str) -> dict[str, Any]:
        """Check data by a check of the script: ``{valid, errors}``."""
        return self._result(await self._ask(call, validator, self._validator(call, validator), data))

    @export
    def register_conditional_validator(
        self, call: Call, name: str, condition: ScriptFunction, then: Any, otherwise: Any = None
    ) -> None:
        """Give a check a name that depends on the data.

        Args:
            name: What ``validate_conditional`` will say.
            condition: Gets the data; its truth decides.
            then: A schema or function to check by if it holds.
            otherwise: The same if it does not; by default everything fits then.
        """
        self._conditionals.of(call)[name] = _Conditional(
            condition, self._checker(then), None if otherwise is None else self._checker(otherwise)
        )

    @export
    async def validate_conditional(self, call: Call, data: Any, validator: str) -> dict[str, Any]:
        """Check data by a conditional check of the script: ``{valid, errors}``."""
        found = self._conditionals.of(call).get(validator)
        if found is None:
            raise SchemaError(f"there is no conditional validator {validator!r}")
        chosen = found.then if await found.condition(data) else found.otherwise
        if chosen is None:
            return self._result([])
        if isinstance(chosen, Schema):
            return self._result(self._problems(chosen, data, False))
        return self._result(await self._ask(call, validator, chosen, data))

    @export
    def get_metrics(self) -> dict[str, Any]:
        """Tell how much was checked: ``{total_validations, successful_validations, failed_validations, ...}``."""
        counts = self._counts
        return known(
            {
                "total_validations": counts.total,
                "successful_validations": counts.valid,
                "failed_validations": counts.total - counts.valid,
                "average_latency": counts.seconds / counts.total * 1000 if counts.total else None,
            }
        )

    def _checker(self, given: Any) -> ScriptFunction | Schema:
        return given if isinstance(given, ScriptFunction) else self.schema_of(given)

    def _validator(self, call: Call, name: str) -> ScriptFunction:
        found = self._validators.of(call).get(name)
        if found is None:
            known = ", ".join(sorted(self._validators.of(call))) or "none"
            raise SchemaError(f"there is no validator {name!r}; validators: {known}")
        return found

    async def _ask(self, call: Call, name: str, function: ScriptFunction, data: Any) -> list[Problem]:
        said = await function(data)
        if said is None or said is True:
            return []
        if said is False:
            return [Problem("$", f"refused by {name!r}")]
        if isinstance(said, str):
            return [Problem("$", said)]
        entries = said if isinstance(said, list) else [said]
        if not all(isinstance(entry, Mapping) and isinstance(entry.get("message"), str) for entry in entries):
            raise ArgumentError(f"validator {name!r} should return true, false, a message or {{path, message}} entries")
        return [Problem(str(entry.get("path", "$")), entry["message"]) for entry in entries]

    def _problems(self, schema: Schema, data: Any, partial: bool) -> list[Problem]:
        began = time.perf_counter()
        problems = (Schema(_without_required(schema.definition)) if partial else schema).problems(data)
        self._counts.seconds += time.perf_counter() - began
        return problems

    def _result(self, problems: list[Problem]) -> dict[str, Any]:
        self._counts.total += 1
        self._counts.valid += not problems
        return {
            "valid": not problems,
            "errors": [{"path": problem.path, "message": problem.message} for problem in problems],
        }


def _without_required(definition: Any) -> Any:
    if isinstance(definition, Mapping):
        return {
            key: {name: _without_required(part) for name, part in value.items()}
            if key in ("properties", "$defs") and isinstance(value, Mapping)
            else _without_required(value)
            for key, value in definition.items()
            if key != "required" or not isinstance(value, list)
        }
    return [_without_required(part) for part in definition] if isinstance(definition, list) else definition
