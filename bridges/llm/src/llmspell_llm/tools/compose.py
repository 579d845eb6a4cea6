"""Tools made of tools: one after the other, side by side, or the one whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmspell.plugin import Call, ScriptFunction
from llmspell_llm.structured import Schema
from llmspell_llm.tools.running import ToolRunner, is_fatal
from llmspell_llm.tools.tool import Tool, ToolError

MODES = ("pipeline", "parallel", "conditional")


@dataclass(frozen=True, slots=True)
class Part:
    """A tool of a composition, and when it is its turn (for ``conditional``)."""

    tool: Tool
    condition: ScriptFunction | None = None


def as_parameters(value: Any, tool: Tool) -> dict[str, Any]:
    """Return a result as the parameters of the next tool: as it is if it is a table, else as its one parameter.

    A tool without parameters gets none.

    Raises:
        ToolError: The tool has several parameters.
    """
    if isinstance(value, Mapping):
        return dict(value)
    names = list(tool.schema.get("properties", {}))
    if not names:
        return {}
    required = list(tool.schema.get("required", ()))
    chosen = required if len(required) == 1 else names
    if len(chosen) != 1:
        raise ToolError(
            f"tool {tool.name!r} takes a table of {', '.join(names)}, not a {type(value).__name__}",
            tool=tool.name,
            code="invalid_parameters",
        )
    return {chosen[0]: value}


def compose(runner: ToolRunner, parts: Sequence[Part], mode: str, name: str) -> Tool:
    """Return a tool that runs others.

    Args:
        runner: Runs them.
        parts: At least one.
        mode: ``pipeline`` (each gets what the one before returned), ``parallel`` (all get the same; the result is a
            list) or ``conditional`` (the first whose condition holds).
        name: Of the new tool.

    Raises:
        ToolError: There is no such mode, or nothing to compose.
    """
    if mode not in MODES:
        raise ToolError(f"there is no mode {mode!r}; modes: {', '.join(MODES)}")
    if not parts:
        raise ToolError("there is nothing to compose")

    async def pipeline(call: Call, parameters: dict[str, Any]) -> Any:
        value: Any = parameters
        for part in parts:
            value = await runner.run(call, part.tool, as_parameters(value, part.tool))
        return value

    async def parallel(call: Call, parameters: dict[str, Any]) -> Any:
        results, _ = await run_together(runner, call, [part.tool for part in parts], parameters, fail=True)
        return results

    async def conditional(call: Call, parameters: dict[str, Any]) -> Any:
        for part in parts:
            if part.condition is None or await part.condition(parameters):
                return await runner.run(call, part.tool, parameters)
        raise ToolError(f"no condition of tool {name!r} holds", tool=name, code="no_match")

    names = ", ".join(part.tool.name for part in parts)
    first = parts[0].tool
    return Tool(
        name=name,
        description={
            "pipeline": f"Runs {names}, each on what the one before returned.",
            "parallel": f"Runs {names} on the same parameters.",
            "conditional": f"Runs the first of {names} whose condition holds.",
        }[mode],
        parameters=first.parameters if mode == "pipeline" else Schema({"type": "object"}),
        function={"pipeline": pipeline, "parallel": parallel, "conditional": conditional}[mode],
        category="composite",
        tags=("composed", mode),
    )


async def run_together(
    runner: ToolRunner,
    call: Call,
    tools: Sequence[Tool],
    parameters: dict[str, Any],
    *,
    concurrency: int | None = None,
    fail: bool = False,
) -> tuple[list[Any], list[Exception | None]]:
    """Run several tools at once on the same parameters; return their results and failures, in order.

    Args:
        fail: The first failure ends the others and is raised.
    """
    turns = asyncio.Semaphore(concurrency or len(tools))
    results: list[Any] = [None] * len(tools)
    errors: list[Exception | None] = [None] * len(tools)

    async def one(index: int) -> None:
        async with turns:
            try:
                results[index] = await runner.run(call, tools[index], parameters)
            except Exception as error:
                if fail or is_fatal(error):
                    raise
                errors[index] = error

    try:
        async with asyncio.TaskGroup() as group:
            for index in range(len(tools)):
                group.create_task(one(index))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return results, errors
