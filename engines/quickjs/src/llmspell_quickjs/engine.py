"""``JavaScriptEngine``: JavaScript and TypeScript on quickjs-ng."""

from __future__ import annotations

from dataclasses import dataclass

from llmspell.engine import Guest, GuestLimits, Port, Program, Source
from llmspell.engine.messages import Failure
from llmspell.errors import Location, PolicyUnsupportedError, ScriptSyntaxError
from llmspell_quickjs.binding import check_binding
from llmspell_quickjs.cache import PreparedFiles
from llmspell_quickjs.stack import LANGUAGE


@dataclass(frozen=True, slots=True)
class JavaScriptProgram:
    """A source that parses."""

    source: Source


class JavaScriptEngine:
    """The engine of one process.

    Args:
        spares: Fresh VMs to hold ready.
        programs: Prepared sources to remember.

    Attributes:
        pieces: What of the binding's inside works here.
        lacks_deadline: Why running scripts can be stopped only by ending their worker, ``""`` if they can otherwise.

    Raises:
        PluginLoadError: ``quickjs`` is another package.

    Example:
        >>> from llmspell.engine import Source
        >>> engine = JavaScriptEngine()
        >>> engine.compile(Source("export default 1 + 1", "sum.js")).source.name
        'sum.js'
        >>> engine.close()
    """

    def __init__(self, spares: int = 1, programs: int = 256) -> None:
        check_binding()
        from llmspell_quickjs.native import probe
        from llmspell_quickjs.pool import Spares
        from llmspell_quickjs.vm import VmFactory
        from llmspell_quickjs.watch import HeapWatch

        self.pieces = probe()
        self.lacks_deadline = self.pieces.missing.get("interrupt", "")
        self._programs = PreparedFiles(programs)
        self._spares = Spares(VmFactory(self.pieces), spares)
        self._watch = HeapWatch()

    def preload(self) -> None:
        """Load the parsers, which are files of their own: a hardened worker can open no more."""
        from llmspell_quickjs.source import prepare

        prepare("warm.js", "1", "main")
        prepare("warm.ts", "1", "main")

    def compile(self, source: Source) -> Program:
        """Check that a source parses; nothing of it runs.

        Raises:
            ScriptSyntaxError: With location and ``incomplete``.
        """
        from llmspell_quickjs.syntax import checker, syntax_failure

        prepared = self._programs.get(source, "main")
        if not isinstance(prepared, Failure):
            vm = self._spares.take()
            try:
                vm.fit_thread()
                failure = syntax_failure(prepared, checker(vm))
            finally:
                vm.close()
                self._spares.refill()
            if failure is None:
                return JavaScriptProgram(source)
            prepared = failure
        raise ScriptSyntaxError(
            prepared.message,
            language=LANGUAGE,
            location=Location(prepared.file, prepared.line, prepared.column),
            incomplete=prepared.incomplete,
        )

    def open(self, limits: GuestLimits, port: Port) -> Guest:
        """Give a guest a fresh VM.

        Raises:
            PolicyUnsupportedError: A limit is asked for that this engine does not enforce.
        """
        from llmspell_quickjs.guest import JavaScriptGuest

        missing = [name for name in ("steps", "recursion") if getattr(limits, name) is not None]
        if missing:
            raise PolicyUnsupportedError(
                f"the javascript engine cannot enforce a limit of {' and '.join(missing)}",
                missing=tuple(missing),
                hint="limit time and memory instead; the depth of calls is bounded by the engine's own stack",
            )
        return JavaScriptGuest(self._spares, self._programs, self._watch, limits, port)

    def close(self) -> None:
        """End the engine's thread and let go of its spare VMs."""
        self._watch.close()
        self._spares.close()
