"""Tools together."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from llmspell.errors import ArgumentError
from llmspell.plugin import Call, ScriptFunction, export
from llmspell_llm.bridges.tools.base import ToolsBase
from llmspell_llm.tools.compose import Part, as_parameters, compose, run_together
from llmspell_llm.tools.running import is_fatal

Count = Annotated[int, Field(ge=1, le=100)] | None
Seconds = Annotated[float, Field(gt=0)] | None


class ComposingExports(ToolsBase):
    """The exports that run several tools."""

    @export
    async def compose(
        self, call: Call, tools: list[Any], *, name: str | None = None, mode: str = "pipeline"
    ) -> dict[str, Any]:
        """Make one tool of several; return its definition.

        Args:
            tools: Tools; for ``conditional`` also ``{tool, condition = function}``.
            name: Of the new tool.
            mode: ``pipeline`` (each gets what the one before returned), ``parallel`` (all get the same) or
                ``conditional`` (the first whose condition holds).
        """
        parts = [await self._part(call, each) for each in tools]
        made = compose(self.runner, parts, mode, name or "_".join(part.tool.name for part in parts)[:60] or "empty")
        self.own(call)[made.name] = made
        return made.details()

    @export
    async def pipeline(
        self,
        call: Call,
        tools: list[Any],
        data: Any,
        *,
        continue_on_error: bool = False,
        step_timeout: Seconds = None,
        pass_output: bool = True,
    ) -> dict[str, Any]:
        """Run tools one after the other.

        Args:
            tools: Tools.
            data: What the first gets: a table of parameters, or its one parameter.
            continue_on_error: Go on with what there was before a tool that failed.
            step_timeout: Seconds each may take.
            pass_output: Each gets what the one before returned; else all get ``data``.

        Returns:
            ``{results, final_output, success, completed_steps, total_steps}``; a failure is ``{error}`` in ``results``
            where it is not raised.
        """
        found = [(await self._part(call, each)).tool for each in tools]
        value, results, completed = data, [], 0
        for tool in found:
            try:
                result = await self.runner.run(call, tool, as_parameters(value, tool), timeout=step_timeout)
            except Exception as error:
                if not continue_on_error or is_fatal(error):
                    raise
                results.append({"error": str(error)})
                continue
            completed += 1
            results.append(result)
            value = result if pass_output else data
        return {
            "results": results,
            "final_output": value if pass_output else (results[-1] if results else None),
            "success": completed == len(found),
            "completed_steps": completed,
            "total_steps": len(found),
        }

    @export
    async def parallel_execute(
        self, call: Call, tools: list[Any], params: dict[str, Any] | None = None, *, max_concurrent: Count = None
    ) -> dict[str, Any]:
        """Run tools at once on the same parameters: ``{results, errors, success_count, error_count, total}``."""
        found = [(await self._part(call, each)).tool for each in tools]
        if not found:
            raise ArgumentError("there are no tools to run", parameter="tools", position=1)
        results, errors = await run_together(self.runner, call, found, params or {}, concurrency=max_concurrent)
        failed = [None if error is None else str(error) for error in errors]
        return {
            "results": results,
            "errors": [{"index": i, "error": error} for i, error in enumerate(failed, 1) if error is not None],
            "success_count": failed.count(None),
            "error_count": len(failed) - failed.count(None),
            "total": len(failed),
        }

    async def _part(self, call: Call, given: Any) -> Part:
        if isinstance(given, dict) and "tool" in given:
            condition = given.get("condition")
            if condition is not None and not isinstance(condition, ScriptFunction):
                raise ArgumentError("a condition is a function", parameter="tools", position=1)
            return Part(await self.tool(call, given["tool"]), condition)
        return Part(await self.tool(call, given))
