"""Running tools: parameters and results checked, time limited, and everything counted."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmspell.errors import BridgeError, Cancelled, ResourceExhausted, ScriptError
from llmspell.plugin import Call, instants_as_text
from llmspell_llm.neighbours import fire, publish
from llmspell_llm.tools.tool import Tool, ToolError

HISTORY = 1000


@dataclass(slots=True)
class ToolMetrics:
    """What became of one tool's calls. Durations in seconds."""

    calls: int = 0
    failures: int = 0
    total: float = 0.0
    longest: float = 0.0
    last_error: str | None = None
    last_at: float | None = None
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    def as_value(self) -> dict[str, Any]:
        """Return what scripts see; durations in milliseconds."""
        return {
            "total_calls": self.calls,
            "successful_calls": self.calls - self.failures,
            "failed_calls": self.failures,
            "total_duration": self.total * 1000,
            "avg_duration": self.total / self.calls * 1000 if self.calls else None,
            "max_duration": self.longest * 1000 if self.calls else None,
            "last_error": self.last_error,
            "last_execution": self.last_at,
        }


class ToolRunner:
    """Runs tools, and remembers what became of it."""

    def __init__(self) -> None:
        self.metrics: dict[str, ToolMetrics] = {}
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self._ids = itertools.count(1)

    async def run(self, call: Call, tool: Tool, parameters: Any, *, timeout: float | None = None) -> Any:
        """Run a tool. It speaks JSON, whoever calls it: points in time are ISO 8601 texts to it and from it.

        Args:
            call: The call on whose behalf.
            tool: The tool.
            parameters: Checked against its schema first.
            timeout: Seconds; the tool's own limit counts as well.

        Raises:
            ToolError: ``invalid_parameters``, ``invalid_result``, ``timeout``; or what its function raised,
                with its own code.
        """
        began = time.perf_counter()
        error: BaseException | None = None
        result: Any = None
        try:
            context = await fire(call, "before_tool_call", {"tool_name": tool.name, "arguments": parameters})
            given = check_parameters(tool, context["arguments"])
            result = instants_as_text(await self._limited(call, tool, given, timeout))
            check_result(tool, result)
            after = {"tool_name": tool.name, "arguments": given, "result": result}
            result = instants_as_text((await fire(call, "after_tool_call", after))["result"])
            return result
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._count(tool, time.perf_counter() - began, error, parameters, result)
            if not isinstance(error, asyncio.CancelledError):
                await publish(call, "tool.executed", {"tool": tool.name, "success": error is None})

    async def _limited(self, call: Call, tool: Tool, parameters: dict[str, Any], timeout: float | None) -> Any:
        limits = [limit for limit in (timeout, tool.timeout) if limit is not None]
        limit = min(limits) if limits else None
        try:
            async with asyncio.timeout(limit):
                return await tool.function(call, parameters)
        except TimeoutError as error:
            raise ToolError(
                f"tool {tool.name!r} took longer than {limit:g} s", tool=tool.name, code="timeout"
            ) from error
        except ScriptError as error:
            raise ToolError(f"tool {tool.name!r} failed: {error.message}", tool=tool.name, code="script") from error

    def _count(self, tool: Tool, seconds: float, error: BaseException | None, parameters: Any, result: Any) -> None:
        metrics = self.metrics.setdefault(tool.name, ToolMetrics())
        metrics.calls += 1
        metrics.total += seconds
        metrics.longest = max(metrics.longest, seconds)
        metrics.last_at = time.time()
        metrics.recent.append(seconds)
        if error is not None:
            metrics.failures += 1
            metrics.last_error = _said(error)
        self.history.append(
            {
                "id": next(self._ids),
                "tool": tool.name,
                "timestamp": metrics.last_at,
                "duration": seconds * 1000,
                "success": error is None,
                "error": None if error is None else _said(error),
                "params": parameters if isinstance(parameters, Mapping) else None,
                "result": result if isinstance(result, str | int | float | bool | list | dict) else None,
            }
        )


def check_parameters(tool: Tool, parameters: Any) -> dict[str, Any]:
    """Return parameters that fit a tool's schema.

    Raises:
        ToolError: They do not; it names the first that does not and holds all.
    """
    given = {} if parameters is None or parameters == [] else parameters
    if not isinstance(given, Mapping):
        raise ToolError(
            f"the parameters of tool {tool.name!r} should be a table", tool=tool.name, code="invalid_parameters"
        )
    given = {str(key): instants_as_text(part) for key, part in given.items()}
    problems = tool.parameters.problems(given)
    if problems:
        raise ToolError(
            f"the parameters of tool {tool.name!r} do not fit: {problems[0]}",
            tool=tool.name,
            code="invalid_parameters",
            problems=problems,
        )
    return given


def check_result(tool: Tool, result: Any) -> None:
    """Check what a tool returned.

    Raises:
        ToolError: It is not what the tool promised.
    """
    problems = [] if tool.output is None else tool.output.problems(result)
    if problems:
        raise ToolError(
            f"the result of tool {tool.name!r} is not what it promised: {problems[0]}",
            tool=tool.name,
            code="invalid_result",
            problems=problems,
        )


def is_fatal(error: BaseException) -> bool:
    """Tell whether a failure ends the run, so that no tool or agent may go on after it."""
    return isinstance(error, ResourceExhausted | Cancelled) or not isinstance(error, Exception)


def _said(error: BaseException) -> str:
    return error.message if isinstance(error, BridgeError) else str(error) or type(error).__name__
