"""Run a compiled program to its end in a state of its own, without a host: for the embedding API and for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmspell_tengo import values
from llmspell_tengo.compiler import CompiledProgram
from llmspell_tengo.machine.faults import RuntimeFault, runtime_fault
from llmspell_tengo.machine.internal import InternalFault, as_text, perform
from llmspell_tengo.machine.vm import DONE, FAILED, LuaVM

_NAP = 0.05


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What a run may use; -1 and None mean no limit of ours."""

    steps: int | None = None
    depth: int = 1024
    allocs: int = -1
    memory: int | None = None
    max_string_len: int = 2147483647
    max_bytes_len: int = 2147483647


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: ``kind`` is ``"globals"``, ``"export"``, ``"result"`` or ``""``."""

    kind: str
    value: Any
    steps: int = 0
    output: str = ""


@dataclass(slots=True)
class Runner:
    """Runs one program at a time.

    Attributes:
        modules: Values of host modules by name; the functions among them are Python callables.
        emit: Where output goes.
    """

    limits: RunLimits = field(default_factory=RunLimits)
    modules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    emit: Callable[[str], None] | None = None
    stop: Callable[[], bool] = field(default=lambda: False)

    def run(self, program: CompiledProgram, predefined: Sequence[Any] = ()) -> RunOutcome:
        """Run ``program``.

        Raises:
            RuntimeFault: It failed.
        """
        output: list[str] = []
        vm = LuaVM(self.stop)
        vm.memory = self.limits.memory
        driver = vm.driver
        limits = self.limits
        driver[b"set_limits"](limits.steps, limits.depth, limits.allocs if limits.allocs >= 0 else 1 << 62)
        driver[b"set_sizes"](limits.max_string_len, limits.max_bytes_len, 5000, 1 << 62, 1 << 62)
        for name, module in self.modules.items():
            driver[b"define_values"](name.encode(), values.encode(dict(module)))
        try:
            main = vm.load(program)
        except ValueError as error:
            raise RuntimeFault(str(error), kind="internal") from None
        driver[b"start"](main, values.encode(list(predefined)), b"values")
        while True:
            try:
                status = vm.step()
            except MemoryError:
                raise RuntimeFault("memory", kind="stop", spent=True) from None
            said, first, second = driver[b"take"]()
            if status == FAILED:
                raise runtime_fault(program, first, second)
            if status == DONE:
                return RunOutcome(first.decode(), values.decode(second), int(driver[b"steps"]()), "".join(output))
            if said == b"part":
                vm.provide(first.decode())
                driver[b"answer"]()
                continue
            self._answer(driver, first.decode(), values.decode(second), output)

    def _sleep(self, seconds: float) -> None:
        """Wait, looking up now and then whether to stop."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stop():
            time.sleep(min(left, _NAP))

    def _answer(self, driver: Any, name: str, args: list[Any], output: list[str]) -> None:
        if name in ("emit", "sleep"):
            if name == "sleep":
                self._sleep(args[0])
            else:
                (output.append if self.emit is None else self.emit)(as_text(args[0]))
            driver[b"answer"](None, values.encode(None))
            return
        try:
            answer = values.encode(perform(name, args))
        except InternalFault as fault:
            driver[b"answer"](str(fault).encode(), None)
        else:
            driver[b"answer"](None, answer)
