"""Tengo on its own, without a host: compile a script, give it variables, run it, read them.

The script runs in this process, under no policy: what it may import and call is what the embedder gives it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from llmspell.errors import (
    ConversionError,
    DeadlineExceeded,
    Frame,
    LlmspellError,
    Location,
    MemoryExceeded,
    ResourceExhausted,
    ScriptRuntimeError,
    StepsExceeded,
    UsageError,
)
from llmspell_tengo.compiler import (
    CompiledProgram,
    CompileOptions,
    HostModule,
    Module,
    SourceModule,
    compile_program,
)
from llmspell_tengo.machine.faults import RuntimeFault
from llmspell_tengo.machine.modules import find_standard
from llmspell_tengo.machine.run import RunLimits, Runner
from llmspell_tengo.programs import LANGUAGE, syntax_error
from llmspell_tengo.syntax import Fault, SourceFile
from llmspell_tengo.values import NamedFunction

Import: TypeAlias = "str | Mapping[str, Any] | StandardModule"
"""What a name may be imported as: Tengo source, a table of values and functions, or a module of ours."""

_RESULT = "__result"


class StandardModule:
    """Stands for a module of the standard library; see :func:`standard`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def standard(*names: str) -> dict[str, Import]:
    """Return modules of the standard library for :meth:`Script.set_imports`.

    Raises:
        UsageError: There is no such module. ``os`` is none: files and processes are a host's business.

    Example:
        >>> Script('text := import("text"); a := text.to_upper("x")').set_imports(standard("text")).run().get("a")
        'X'
    """
    for name in names:
        if find_standard(name) is None:
            raise UsageError(f"Tengo has no standard module {name!r} here")
    return {name: StandardModule(name) for name in names}


class _Imports:
    def __init__(self, imports: Mapping[str, Import]) -> None:
        self._imports = imports

    def find(self, name: str, importer: str) -> Module | None:
        found = self._imports.get(name)
        if isinstance(found, StandardModule):
            return find_standard(found.name)
        if isinstance(found, str):
            return SourceModule(name, found)
        return None if found is None else HostModule(name)

    @property
    def tables(self) -> dict[str, Mapping[str, Any]]:
        return {name: found for name, found in self._imports.items() if isinstance(found, Mapping)}


class Script:
    """A program with variables of the embedder's.

    Args:
        source: Its text.
        name: What positions in errors call it.

    Example:
        >>> compiled = Script("each := func(a, b) { return a * b }; out := each(x, 2)").add("x", 21).run()
        >>> compiled.get("out")
        42
    """

    def __init__(self, source: str, *, name: str = "(main)") -> None:
        self._source = source
        self._name = name
        self._variables: dict[str, Any] = {}
        self._imports: Mapping[str, Import] = {}
        self._max_const_objects = -1
        self._limits = RunLimits()

    def add(self, name: str, value: Any) -> Script:
        """Define a variable before the script begins: data, a value of ``llmspell_tengo.values``, or a function."""
        self._variables[name] = value
        return self

    def remove(self, name: str) -> bool:
        """Take a variable away; return whether there was one."""
        return self._variables.pop(name, _RESULT) is not _RESULT

    def set_imports(self, imports: Mapping[str, Import]) -> Script:
        """Say what the script may import; nothing, until this is called. See also :func:`standard`."""
        self._imports = dict(imports)
        return self

    def set_max_allocs(self, most: int) -> Script:
        """Limit the objects a run may allocate, counted as the reference counts them; -1 for no limit.

        Counting costs speed: such a script is compiled without optimisation.
        """
        self._limit(allocs=most)
        return self

    def set_max_const_objects(self, most: int) -> Script:
        """Limit the distinct constants of the program; -1 for no limit."""
        self._max_const_objects = most
        return self

    def set_max_memory(self, most: int | None) -> Script:
        """Limit the memory of a run in bytes."""
        self._limit(memory=most)
        return self

    def set_max_steps(self, most: int | None) -> Script:
        """Limit the steps of a run: rounds of loops, calls, and work of the library."""
        self._limit(steps=most)
        return self

    def compile(self) -> Compiled:
        """Compile.

        Raises:
            ScriptSyntaxError: With its location and ``incomplete``.
        """
        options = CompileOptions(
            globals=tuple(self._variables),
            exports=False,
            expose=True,
            count_allocs=self._limits.allocs >= 0,
            max_const_objects=self._max_const_objects,
        )
        imports = _Imports(self._imports)
        try:
            program = compile_program(SourceFile(self._name, self._source), imports, options)
        except Fault as fault:
            raise syntax_error(fault) from None
        return Compiled(program, dict(self._variables), imports, self._limits)

    def run(self, timeout: float | None = None) -> Compiled:
        """Compile and run; see :meth:`Compiled.run`."""
        return self.compile().run(timeout)

    def _limit(self, **changed: Any) -> None:
        self._limits = replace(self._limits, **changed)


class Compiled:
    """A compiled script and its outermost variables. Made by :meth:`Script.compile`.

    Variables hold copies: what the embedder does to a value it read does not change the script's.

    Attributes:
        output: What the last run printed.
    """

    def __init__(
        self, program: CompiledProgram, variables: dict[str, Any], imports: _Imports, limits: RunLimits
    ) -> None:
        self._program = program
        self._inputs = variables
        self._values: dict[str, Any] = dict(variables)
        self._imports = imports
        self._limits = limits
        self.output = ""

    def run(self, timeout: float | None = None) -> Compiled:
        """Run the script from its beginning, with the variables as they stand.

        Raises:
            ScriptRuntimeError: It failed, with location and frames; where a function of the embedder's raised, with
                that as its cause.
            ResourceExhausted: It reached a limit; ``DeadlineExceeded`` after ``timeout`` seconds.
            ConversionError: A variable has no Tengo form.
        """
        runner = Runner(self._limits, self._imports.tables)
        timer = None
        if timeout is not None:
            timer = threading.Timer(timeout, lambda: runner.interrupt("deadline"))
            timer.start()
        try:
            outcome = runner.run(self._program, [self._inputs[name] for name in self._inputs])
        except RuntimeFault as fault:
            raise _error(fault, timeout) from fault.__cause__
        except (TypeError, OverflowError, UnicodeEncodeError) as error:
            raise ConversionError(f"a variable cannot cross: {error}") from error
        except RecursionError:
            raise ConversionError("a variable cannot cross: it is nested too deep") from None
        finally:
            if timer is not None:
                timer.cancel()
        final = outcome.value
        self._values = dict(zip(final[::2], final[1::2], strict=True))
        for name in self._inputs:
            if not isinstance(self._values.get(name), NamedFunction):
                self._inputs[name] = self._values.get(name)
        self.output = outcome.output
        return self

    def get(self, name: str) -> Any:
        """Return the value of a variable, or None if there is none; functions are :class:`NamedFunction`."""
        return self._values.get(name)

    def get_all(self) -> dict[str, Any]:
        """Return all variables that have a value."""
        return {name: value for name, value in self._values.items() if value is not None}

    def is_defined(self, name: str) -> bool:
        """Tell whether a variable has a value."""
        return self._values.get(name) is not None

    def set(self, name: str, value: Any) -> None:
        """Give a predefined variable another value for the next run.

        Raises:
            UsageError: The script has no such predefined variable.
        """
        if name not in self._inputs:
            raise UsageError(f"{name!r} is not defined before the script begins; add it to the script")
        self._inputs[name] = self._values[name] = value

    def clone(self) -> Compiled:
        """Return a copy with variables of its own; the program is shared."""
        copied = Compiled(self._program, dict(self._inputs), self._imports, self._limits)
        copied._values = dict(self._values)
        return copied


def eval(expression: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> Any:
    """Return the value of an expression, whose variables are ``params``.

    Raises:
        ScriptSyntaxError, ScriptRuntimeError, ResourceExhausted: As for scripts.

    Example:
        >>> eval("a * 2 + b", {"a": 20, "b": 2})
        42
    """
    if not expression.strip():
        raise UsageError("the expression is empty")
    script = Script(f"{_RESULT} := ({expression})", name="(eval)")
    for name, value in (params or {}).items():
        script.add(name, value)
    return script.run(timeout).get(_RESULT)


def _error(fault: RuntimeFault, timeout: float | None) -> LlmspellError:
    location = fault.trace[0] if fault.trace else None
    frames = tuple(Frame(LANGUAGE, place, name) for place, name in zip(fault.trace, fault.functions, strict=False))
    if fault.kind == "stop":
        return _limit_error(fault.detail, location, frames, timeout)
    if fault.kind == "value":
        return ConversionError(fault.detail, path=fault.path)
    return ScriptRuntimeError(fault.detail, language=LANGUAGE, location=location, frames=frames)


def _limit_error(
    reason: str, location: Location | None, frames: tuple[Frame, ...], timeout: float | None
) -> ResourceExhausted:
    where: dict[str, Any] = {"language": LANGUAGE, "location": location, "frames": frames}
    if reason == "steps":
        return StepsExceeded("the script took more steps than it may", limit="steps", **where)
    if reason == "memory":
        return MemoryExceeded("the script used more memory than it may", limit="memory", **where)
    return DeadlineExceeded(f"the script did not end within {timeout} s", limit="time", value=timeout, **where)
