"""``LuaEngine``: compiling, caching, and handing out states."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from llmspell.engine import GuestLimits, Port, Source
from llmspell.engine.cache import CacheMetrics, ProgramCache, ProgramKey
from llmspell.engine.disk import DiskLayer
from llmspell.engine.states import PoolMetrics
from llmspell.errors import ConfigError
from llmspell_lua.guest import LuaGuest
from llmspell_lua.hooks import HookSwitch
from llmspell_lua.pool import PoolSettings, StatePool
from llmspell_lua.prelude_parts import Prelude
from llmspell_lua.programs import PROGRAM_CODEC, Compiler, LuaProgram, display_name, needs_of
from llmspell_lua.state import LuaState
from llmspell_lua.vm import Vm


class LuaEngine:
    """The Lua engine of one host or worker.

    Args:
        vm: ``"lua54"`` or ``"lua55"``.
        pool: Fields of :class:`~llmspell_lua.pool.PoolSettings`.
        cache_entries, cache_bytes, cache_ttl: Limits of the program cache.
        disk: Directory in which bytecode is kept as well. Only for a process that is trusted: bytecode is executed
            as it is.
        interrupt: ``"switch"`` insists on interrupting without slowing scripts down, ``"count"`` on a hook that
            counts instructions, ``"auto"`` takes the first where it is shown to work.

    Example:
        >>> from llmspell.engine.messages import Start
        >>> engine = LuaEngine()
        >>> class Quiet:
        ...     def emit(self, message): print(message.data, end="")
        >>> guest = engine.open(GuestLimits(), Quiet())
        >>> guest.step(Start(Source("print('hello') return 6 * 7")))
        hello
        [Done(id=0, values=[42])]
        >>> guest.close()
    """

    name = "lua"

    def __init__(
        self,
        *,
        vm: str = "lua54",
        pool: dict[str, Any] | None = None,
        cache_entries: int = 512,
        cache_bytes: int = 64 * 1024 * 1024,
        cache_ttl: float | None = None,
        disk: str | None = None,
        interrupt: str = "auto",
    ) -> None:
        self._vm = Vm.load(vm)
        if interrupt not in ("auto", "switch", "count"):
            raise ConfigError(f"interrupt must be auto, switch or count, not {interrupt!r}")
        self.switch = None if interrupt == "count" else HookSwitch.probe(self._vm)
        if interrupt == "switch" and self.switch is None:
            raise ConfigError("this build of lupa does not let hooks be switched from outside; use interrupt = auto")
        self._prelude = Prelude(self._vm)
        self._compiler: Compiler | None = None
        self.pool = StatePool(self._make_state, replace(PoolSettings(), **(pool or {})))
        self._programs: ProgramCache[LuaProgram] = ProgramCache(
            max_entries=cache_entries,
            max_bytes=cache_bytes,
            ttl=cache_ttl,
            disk=None if disk is None else DiskLayer(Path(disk)),
            codec=PROGRAM_CODEC,
        )

    @property
    def version(self) -> str:
        """Version of the language and the binding."""
        return self._vm.version

    def compile(self, source: Source, display: str | None = None) -> LuaProgram:
        """Compile a source through the program cache.

        Args:
            display: What the script's messages call it; by default its name without directories.

        Raises:
            ScriptSyntaxError: With its location and ``incomplete``.
        """
        shown = display if display is not None else display_name(source.name)
        key = ProgramKey(self.name, self._vm.version, source.digest, shown)
        program = self._programs.get(key)
        if program is None:
            if self._compiler is None:
                self._compiler = Compiler(self._vm)
            bytecode = self._compiler.compile(source, shown)
            program = LuaProgram(source, shown, bytecode, key, needs_of(source.text))
            self._programs.put(key, program, len(bytecode) + len(source.text))
        return program

    def open(self, limits: GuestLimits, port: Port) -> LuaGuest:
        """Take a state without a trace of another run."""
        return LuaGuest(self, self.pool.take(), limits, port)

    def give_back(self, state: LuaState) -> None:
        """Take a state back from its guest."""
        self.pool.give(state)

    def close(self) -> None:
        """Drop idle states and compiled programs; states in use are dropped by who uses them."""
        self.pool.close()
        self._programs.clear()

    @property
    def program_metrics(self) -> CacheMetrics:
        """Counts of the program cache."""
        return self._programs.metrics

    @property
    def pool_metrics(self) -> PoolMetrics:
        """Counts of the state pool."""
        return self.pool.metrics

    def _make_state(self) -> LuaState:
        return LuaState(self._vm, self._prelude, self.switch)
