"""``TengoEngine``: compiling, caching, and handing out states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmspell.engine import GuestLimits, Port, Source
from llmspell.engine.cache import CacheMetrics, ProgramCache, ProgramKey
from llmspell.engine.states import PoolMetrics
from llmspell.errors import Location, ScriptSyntaxError
from llmspell_tengo import __version__
from llmspell_tengo.compiler import CompileOptions, Modules, compile_program, resolve
from llmspell_tengo.guest import TengoGuest
from llmspell_tengo.machine import internal, parts
from llmspell_tengo.machine.vm import LuaVM
from llmspell_tengo.pool import PoolSettings, StatePool
from llmspell_tengo.programs import (
    LANGUAGE,
    MAX_SOURCE,
    MODULE,
    SPELL,
    Collecting,
    Linked,
    TengoProgram,
    file_of,
    syntax_error,
)
from llmspell_tengo.syntax import Fault


class TengoEngine:
    """The Tengo engine of one host or worker.

    Args:
        pool: Fields of :class:`~llmspell_tengo.pool.PoolSettings`.
        cache_entries, cache_bytes, cache_ttl: Limits of the program cache.

    Example:
        >>> from llmspell.engine.messages import Start
        >>> engine = TengoEngine()
        >>> class Quiet:
        ...     def emit(self, message): print(message.data, end="")
        >>> guest = engine.open(GuestLimits(), Quiet())
        >>> guest.step(Start(Source('fmt := import("fmt"); fmt.println("hello"); export 6 * 7')))
        hello
        [Done(id=0, values=[42])]
        >>> guest.close()
    """

    name = LANGUAGE
    version = __version__

    def __init__(
        self,
        *,
        pool: dict[str, Any] | None = None,
        cache_entries: int = 512,
        cache_bytes: int = 64 * 1024 * 1024,
        cache_ttl: float | None = None,
    ) -> None:
        self.pool = StatePool(replace(PoolSettings(), **(pool or {})))
        self._programs: ProgramCache[TengoProgram] = ProgramCache(
            max_entries=cache_entries, max_bytes=cache_bytes, ttl=cache_ttl
        )
        self._imports: ProgramCache[Mapping[str, int]] = ProgramCache(
            max_entries=cache_entries, max_bytes=cache_bytes, ttl=cache_ttl
        )

    def preload(self) -> None:
        """Load what is otherwise loaded when a program first needs it; a hardened worker could not."""
        parts.load_all()
        internal.load_all()

    def compile(self, source: Source) -> TengoProgram:
        """Compile a source through the program cache, taking what it imports on trust.

        Raises:
            ScriptSyntaxError: With its location and ``incomplete``.
        """
        return self._compiled(source, "", Collecting(), SPELL)

    def link(self, source: Source, linked: Linked, *, main: bool) -> TengoProgram:
        """Compile a source with the modules it imports.

        Raises:
            ScriptSyntaxError: One of them does not compile.
        """
        variant = f"{'spell' if main else 'module'}\0{linked.digest}"
        return self._compiled(source, variant, linked, SPELL if main else MODULE)

    def imports(self, source: Source, *, main: bool) -> Mapping[str, int]:
        """Return what a file imports that is no standard module, by name with the line of the first import.

        Args:
            main: It is the spell itself, which knows ``params``.

        Raises:
            ScriptSyntaxError: It does not compile.
        """

        def find() -> tuple[Mapping[str, int], int]:
            file = self._file(source)
            try:
                program = resolve(file, Collecting(), SPELL if main else MODULE)
            except Fault as fault:
                raise syntax_error(fault) from None
            asks = {
                name: file.locate(at).line for (_, name), at in program.imports.items() if name in program.host_modules
            }
            return asks, 64 * (1 + len(asks))

        variant = f"{source.name}\0{'spell' if main else 'module'}"
        return self._imports.get_or_make(ProgramKey.of(self.name, self.version, source, variant), find)

    def open(self, limits: GuestLimits, port: Port) -> TengoGuest:
        """Take a state without a trace of another run."""
        return TengoGuest(self, self.pool.take(), limits, port)

    def give_back(self, vm: LuaVM) -> None:
        """Take a state back from its guest."""
        self.pool.give(vm)

    def close(self) -> None:
        """Drop idle states and compiled programs; states in use are dropped by who uses them."""
        self.pool.close()
        self._programs.clear()
        self._imports.clear()

    @property
    def program_metrics(self) -> CacheMetrics:
        """Counts of the program cache."""
        return self._programs.metrics

    @property
    def pool_metrics(self) -> PoolMetrics:
        """Counts of the state pool."""
        return self.pool.metrics

    def _compiled(self, source: Source, variant: str, modules: Modules, options: CompileOptions) -> TengoProgram:
        def make() -> tuple[TengoProgram, int]:
            file = self._file(source)
            try:
                compiled = compile_program(file, modules, options)
            except Fault as fault:
                raise syntax_error(fault) from None
            return TengoProgram(source, compiled), compiled.size

        key = ProgramKey.of(self.name, self.version, source, f"{source.name}\0{variant}")
        return self._programs.get_or_make(key, make)

    @staticmethod
    def _file(source: Source) -> Any:
        if len(source.text) > MAX_SOURCE:
            raise ScriptSyntaxError(
                f"the source is too large: at most {MAX_SOURCE:,} characters",
                language=LANGUAGE,
                location=Location(source.name),
            )
        return file_of(source)
