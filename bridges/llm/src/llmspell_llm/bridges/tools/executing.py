"""Running tools."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from llmspell.errors import LlmspellError
from llmspell.plugin import Call, export
from llmspell_llm.bridges.aliases import also
from llmspell_llm.bridges.tools.base import ToolsBase
from llmspell_llm.tools.running import check_parameters, is_fatal
from llmspell_llm.tools.tool import ToolError

Seconds = Annotated[float, Field(gt=0)] | None


class ExecutingExports(ToolsBase):
    """The exports that run tools and check what goes in and out."""

    @export
    async def execute(
        self, call: Call, tool: str | dict[str, Any], params: dict[str, Any] | None = None, *, timeout: Seconds = None
    ) -> Any:
        """Run a tool and return its result.

        Args:
            tool: Its name, or what ``define`` returned.
            params: Its parameters, checked against its schema.
            timeout: Seconds it may take.
        """
        return await self.runner.run(call, await self.tool(call, tool), params, timeout=timeout)

    execute_tool = also(execute, "execute_tool")

    @export
    async def execute_safe(
        self,
        call: Call,
        tool: str | dict[str, Any],
        params: dict[str, Any] | None = None,
        *,
        timeout: Seconds = None,
        silent: bool = False,
    ) -> Any:
        """Run a tool and return its result; with ``silent`` a failure is told instead of raised.

        With ``silent`` the result is ``{success, result, error, validation_errors}``.
        """
        if not silent:
            return await self.runner.run(call, await self.tool(call, tool), params, timeout=timeout)
        return await self._told(call, tool, params, timeout)

    @export
    async def execute_tool_validated(
        self, call: Call, tool: str | dict[str, Any], params: dict[str, Any] | None = None, *, timeout: Seconds = None
    ) -> dict[str, Any]:
        """Run a tool and tell what came of it: ``{success, result, error, validation_errors}``."""
        return await self._told(call, tool, params, timeout)

    async def _told(self, call: Call, tool: Any, params: Any, timeout: float | None) -> dict[str, Any]:
        told: dict[str, Any] = {"success": True, "result": None, "error": None, "validation_errors": []}
        try:
            told["result"] = await self.runner.run(call, await self.tool(call, tool), params, timeout=timeout)
        except LlmspellError as error:
            if is_fatal(error):
                raise
            problems = error.problems if isinstance(error, ToolError) else []
            told |= {
                "success": False,
                "error": {"code": error.code, "message": _with_hint(error)},
                "validation_errors": [{"path": p.path, "message": p.message} for p in problems],
            }
        return told

    @export
    async def validate_params(
        self, call: Call, tool: str | dict[str, Any], params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Check parameters without running anything: ``{valid, errors}``."""
        found = await self.tool(call, tool)
        try:
            check_parameters(found, params)
        except ToolError as error:
            problems = error.problems
            listed = [{"path": p.path, "message": p.message} for p in problems]
            return {"valid": False, "errors": listed or [{"path": "$", "message": error.message}]}
        return {"valid": True, "errors": []}

    validate_tool_input = also(validate_params, "validate_tool_input")

    @export
    async def validate_tool_output(self, call: Call, tool: str | dict[str, Any], output: Any) -> dict[str, Any]:
        """Check a result against what a tool promises: ``{valid, errors}``."""
        found = await self.tool(call, tool)
        problems = [] if found.output is None else found.output.problems(output)
        return {"valid": not problems, "errors": [{"path": p.path, "message": p.message} for p in problems]}


def _with_hint(error: LlmspellError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
