"""Finding out what a program imports: the host is asked for every name that is neither standard nor a bridge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from llmspell.engine import Source
from llmspell.engine.messages import HOST, Call, Failure, Reply
from llmspell.errors import ScriptSyntaxError
from llmspell_tengo.compiler import HostModule, SourceModule
from llmspell_tengo.failures import LOADER, syntax_failure
from llmspell_tengo.programs import LANGUAGE, Linked, TengoProgram

if TYPE_CHECKING:
    from llmspell_tengo.engine import TengoEngine


class Linking:
    """The state of one program on its way to be run.

    Attributes:
        number: 0 for the run itself, else the host's number of the module that it loads.
        values: Modules of other languages, whose exports are values, by name.
        pending: Calls the host has not answered, by id.
        failure: Why it cannot be run.
    """

    def __init__(
        self, engine: TengoEngine, source: Source, bridges: Iterable[str], reserve: Callable[[], int], number: int = 0
    ) -> None:
        self._engine = engine
        self._reserve = reserve
        self._bridges = frozenset(bridges)
        self.number = number
        self.linked = Linked(self._bridges)
        self.values: dict[str, Any] = {}
        self.pending: dict[int, tuple[str, str, int]] = {}
        self.failure: Failure | None = None
        self._scanned: set[str] = set()
        self._module = source
        if number:
            text = f'export import("{LOADER}")'
            self.source = Source(text, LOADER, LANGUAGE, source.root)
            self.linked.modules[LOADER, LOADER] = SourceModule(source.name, source.text)
        else:
            self.source = source

    def begin(self) -> list[Call]:
        """Return what the host must be asked for."""
        return self._scan(self._module)

    def hear(self, reply: Reply) -> list[Call]:
        """Take an answer; return what must be asked for next."""
        importer, name, line = self.pending.pop(reply.id)
        if reply.fault is not None:
            self._refuse(reply, importer, name, line)
            return []
        described = reply.value
        kind = described["kind"]
        if kind == "source":
            module = SourceModule(described["name"], described["text"])
            self.linked.modules[importer, name] = module
            return self._scan(Source(module.text, module.path, LANGUAGE))
        found = HostModule(described["name"])
        self.linked.modules[importer, name] = found
        if kind == "foreign":
            self.values[found.name] = described["exports"]
        return []

    def program(self) -> TengoProgram:
        """Compile, now that everything is known.

        Raises:
            ScriptSyntaxError: It does not compile; modules that import each other in a circle among it.
        """
        return self._engine.link(self.source, self.linked, main=not self.number)

    def _scan(self, source: Source) -> list[Call]:
        if source.name in self._scanned:
            return []
        main = not self.number and not self._scanned
        self._scanned.add(source.name)
        try:
            asks = self._engine.imports(source, main=main)
        except ScriptSyntaxError as error:
            self.failure = syntax_failure(error)
            return []
        calls = []
        for name, line in asks.items():
            if name in self._bridges:
                continue
            number = self._reserve()
            self.pending[number] = source.name, name, line
            calls.append(Call(number, HOST, "module", [name, source.name], line))
        return calls

    def _refuse(self, reply: Reply, importer: str, name: str, line: int) -> None:
        fault = reply.fault
        assert fault is not None
        missing = fault.code == "module_not_found"
        self.failure = Failure(
            kind="module" if missing else "runtime",
            message=fault.message,
            code=name if missing else fault.code,
            language=LANGUAGE,
            file=importer,
            line=line,
            fault=0 if missing else reply.id,
        )
