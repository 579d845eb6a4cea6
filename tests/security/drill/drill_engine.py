"""A test-only engine whose spells are names of attempts: native code execution inside a real worker."""

import json
import os
from typing import Any

import attempts

from llmspell.engine import Capabilities, EngineSpec, GuestLimits, GuestUsage
from llmspell.engine import messages as m
from llmspell.runtime.hardening import kernel


class DrillGuest:
    def __init__(self, port: Any) -> None:
        self._port = port

    def step(self, message: Any) -> list[Any]:
        # The data and the control socket are all that a worker is given.
        given = sorted({self._port._data, self._port._control})
        scene = attempts.Scene(given, message.params["host"], kernel.machine().numbers)
        return [m.Done(m.MAIN, [json.dumps(attempts.run(message.source.text, scene))])]

    def interrupt(self, reason: str) -> None:
        os._exit(1)

    def usage(self) -> GuestUsage:
        return GuestUsage()

    def close(self) -> None: ...


class DrillEngine:
    def compile(self, source: Any) -> Any:
        return source

    def open(self, limits: GuestLimits, port: Any) -> DrillGuest:
        return DrillGuest(port)

    def close(self) -> None: ...


# It claims to limit memory, so that workers are to be had even without the system's wall: for the test of that wall.
SPEC = EngineSpec(
    "drill", "drill_engine:DrillEngine", capabilities=Capabilities(worker=frozenset({"memory"}), suspends=False)
)
