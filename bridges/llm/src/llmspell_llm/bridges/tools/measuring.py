"""How tools do: counts, history, tests, benchmarks."""

from __future__ import annotations

import statistics
import time
from typing import Annotated, Any

from pydantic import Field

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.bridges.tools.base import ToolsBase
from llmspell_llm.tools.running import ToolMetrics, is_fatal

Count = Annotated[int, Field(ge=0, le=100_000)]
_PERIODS = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_592_000.0}


class MeasuringExports(ToolsBase):
    """The exports that count, test and measure."""

    @export
    def get_metrics(self, name: str | None = None) -> dict[str, Any]:
        """Tell what became of one tool's calls, or by tool of all: counts, durations in ms, last error."""
        if name is not None:
            return self.runner.metrics.get(name, ToolMetrics()).as_value()
        return {tool: metrics.as_value() for tool, metrics in sorted(self.runner.metrics.items())}

    @export
    def reset_metrics(self, name: str | None = None) -> None:
        """Forget the counts of one tool or of all."""
        if name is None:
            self.runner.metrics.clear()
        else:
            self.runner.metrics.pop(name, None)

    @export
    def get_history(self, limit: Count = 50) -> list[dict[str, Any]]:
        """Return the last calls, the newest first: ``{id, tool, timestamp, duration, success, error, ...}`` each."""
        return list(reversed(self.runner.history))[:limit]

    @export
    def clear_history(self) -> None:
        """Forget the calls."""
        self.runner.history.clear()

    @export
    def get_tool_usage_report(self, period: str = "day") -> dict[str, Any]:
        """Tell what was used in the last ``hour``, ``day``, ``week`` or ``month``: ``{period, total, by_tool}``."""
        if period not in _PERIODS:
            raise ArgumentError(f"period should be one of {', '.join(_PERIODS)}", parameter="period", position=1)
        since = time.time() - _PERIODS[period]
        calls = [entry for entry in self.runner.history if entry["timestamp"] >= since]
        by_tool: dict[str, dict[str, Any]] = {}
        for entry in calls:
            told = by_tool.setdefault(entry["tool"], {"calls": 0, "failures": 0, "duration": 0.0})
            told["calls"] += 1
            told["failures"] += not entry["success"]
            told["duration"] += entry["duration"]
        return {"period": period, "total": len(calls), "by_tool": by_tool}

    @export
    def get_tool_anomalies(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return what stands out: tools that fail more than half the time, and calls far slower than usual.

        Slower means more than three standard deviations above the mean of the last hundred calls.
        """
        found = []
        for tool, metrics in sorted(self.runner.metrics.items()):
            if name is not None and tool != name:
                continue
            if metrics.calls >= 4 and metrics.failures / metrics.calls > 0.5:
                share = metrics.failures / metrics.calls
                found.append({"tool": tool, "kind": "failing", "value": share, "message": f"{share:.0%} of calls fail"})
            if len(metrics.recent) >= 10:
                mean, spread = statistics.fmean(metrics.recent), statistics.pstdev(metrics.recent)
                for took in metrics.recent:
                    if spread and took > mean + 3 * spread:
                        said = f"{took * 1000:.1f} ms, usually {mean * 1000:.1f}"
                        found.append({"tool": tool, "kind": "slow", "value": took * 1000, "message": said})
        return found

    @export
    async def test_tool(self, call: Call, tool: str | dict[str, Any], cases: list[dict[str, Any]]) -> dict[str, Any]:
        """Run a tool on cases: ``{name, input, expected | validator = function | error = true}`` each.

        Returns:
            ``{results = {{name, passed, output, error}, ...}, summary = {total, passed, failed, pass_rate}}``.
        """
        found = await self.tool(call, tool)
        results = []
        for index, case in enumerate(cases, 1):
            told: dict[str, Any] = {"name": case.get("name", f"case {index}"), "output": None, "error": None}
            try:
                told["output"] = await self.runner.run(call, found, case.get("input"))
            except Exception as error:
                if is_fatal(error):
                    raise
                told["error"] = str(error)
            results.append({**told, "passed": await _passed(case, told)})
        passed = sum(result["passed"] for result in results)
        total = len(results)
        summary = {
            "total": total,
            "passed": passed,
            "failed": total - passed,
            "pass_rate": passed / total if total else None,
        }
        return {"results": results, "summary": summary}

    @export
    async def benchmark_tool(
        self,
        call: Call,
        tool: str | dict[str, Any],
        params: dict[str, Any] | None = None,
        *,
        iterations: Annotated[int, Field(ge=1, le=100_000)] = 10,
        warmup: Count = 2,
    ) -> dict[str, Any]:
        """Measure a tool; times in ms.

        Returns:
            ``{iterations, successful, errors, total_time, avg_time, min_time, max_time, median_time, throughput}``;
            ``throughput`` is calls per second.
        """
        found = await self.tool(call, tool)
        for _ in range(warmup):
            await self.runner.run(call, found, params)
        times, errors = [], 0
        for _ in range(iterations):
            call.checkpoint()
            began = time.perf_counter()
            try:
                await self.runner.run(call, found, params)
            except Exception as error:
                if is_fatal(error):
                    raise
                errors += 1
            times.append((time.perf_counter() - began) * 1000)
        total = sum(times)
        return {
            "iterations": iterations,
            "successful": iterations - errors,
            "errors": errors,
            "total_time": total,
            "avg_time": total / iterations,
            "min_time": min(times),
            "max_time": max(times),
            "median_time": statistics.median(times),
            "throughput": iterations / total * 1000 if total else None,
        }


async def _passed(case: dict[str, Any], told: dict[str, Any]) -> bool:
    if case.get("error"):
        return told["error"] is not None
    if told["error"] is not None:
        return False
    validator = case.get("validator")
    if isinstance(validator, ScriptFunction):
        return bool(await validator(told["output"]))
    return "expected" not in case or bool(told["output"] == case["expected"])
