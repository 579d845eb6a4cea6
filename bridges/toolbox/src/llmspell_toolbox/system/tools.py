"""The tools for programs and variables of the environment."""

from __future__ import annotations

import fnmatch
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.errors import PolicyDeniedError
from llmspell.plugin import Bridge, Call
from llmspell_toolbox.declare import tool

MAX_SECONDS = 600.0


class Ran(TypedDict):
    """What came of a command.

    ``exit_code`` is None where it was ended: ``timed_out`` because it took, ``truncated`` because it wrote too much.
    """

    exit_code: int | None
    stdout: str
    stderr: str
    success: bool
    timed_out: bool
    truncated: bool
    duration: float


class Variable(TypedDict):
    """A variable of the environment; ``value`` is the default where it is not ``set``."""

    name: str
    value: str | None
    set: bool


class SystemTools(Bridge):
    """Tools for programs and variables that the policy grants."""

    @tool(
        category="system",
        tags=("command", "program", "execute"),
        permissions=("subprocess",),
        resources={"memory": "high", "network": "high", "filesystem": "high"},
        blocking=False,
        deterministic=False,
        destructive=True,
        constraints=(
            "only programs that the policy grants by name; no shell reads the arguments",
            "at its time limit it is ended with every process it started",
        ),
        examples=({"description": "A granted program", "parameters": {"command": "echo", "args": ["hello"]}},),
    )
    async def execute_command(
        self,
        call: Call,
        command: str,
        args: list[str] | None = None,
        *,
        timeout: Annotated[float, Field(gt=0, le=MAX_SECONDS)] = 30.0,
        working_dir: str | None = None,
        stdin: str | None = None,
        max_output: Annotated[int, Field(ge=1, le=16 * 1024 * 1024)] = 1024 * 1024,
    ) -> Ran:
        """Run a program that the policy grants, without a shell.

        Args:
            command: The program's name or absolute path.
            args: Its arguments, each as it is.
            timeout: Seconds it may take; then it is ended with all it started.
            working_dir: Where it starts; must be granted for reading.
            stdin: What it reads.
            max_output: Bytes it may write; then it is ended.
        """
        fed = None if stdin is None else stdin.encode("utf-8", "surrogatepass")
        done = await call.programs.run(
            command, args or [], directory=working_dir, stdin=fed, timeout=timeout, max_output=max_output
        )
        ended = done.timed_out or done.truncated
        return {
            "exit_code": None if ended else done.status,
            "stdout": done.stdout.decode("utf-8", "replace"),
            "stderr": done.stderr.decode("utf-8", "replace"),
            "success": not ended and done.status == 0,
            "timed_out": done.timed_out,
            "truncated": done.truncated,
            "duration": done.duration,
        }

    @tool(
        category="system",
        tags=("environment", "variable"),
        permissions=("env",),
        blocking=False,
        deterministic=False,
        examples=({"description": "A granted variable", "parameters": {"name": "LANG", "default": "C"}},),
    )
    def get_environment_variable(self, call: Call, name: str, *, default: str | None = None) -> Variable:
        """Return a variable of the environment that the policy grants.

        Args:
            name: Its name.
            default: What to return where it is not set.
        """
        grants = call.policy.grants
        if _covers(grants.secrets, name) or not _covers(grants.env, name):
            raise PolicyDeniedError(
                f"the policy does not allow the variable {name!r}", hint=f"grant it: --allow-env {name}"
            )
        value = call.secret(name)
        return {"name": name, "value": default if value is None else value, "set": value is not None}


def _covers(patterns: frozenset[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
