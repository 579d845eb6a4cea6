"""``BridgeHarness``: call a bridge as a script would, through the real gate, from a test."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from llmspell.bridge import Bridge, BridgeSpec
from llmspell.engine import Source
from llmspell.gate import CallRecord, MemoryRecorder
from llmspell.host.hookspecs import hookimpl
from llmspell.host.host import Host
from llmspell.host.result import RunResult
from llmspell.policy import Policy
from llmspell.testing.scripted import Script, ScriptedEngine


def bridge_spec_of(bridge: BridgeSpec | type[Bridge]) -> BridgeSpec:
    """Return a description, or make that of a class."""
    if isinstance(bridge, BridgeSpec):
        return bridge
    return BridgeSpec(bridge.name, bridge, requires=tuple(bridge.requires), version=bridge.version)


class BridgeHarness:
    """A host with some bridges and one session.

    Args:
        bridges: The bridge under test first, then those it requires.
        policy: Of the session; everything is granted if not given.
        config: The bridges' configuration, by name.
        environ: The environment the bridges may read; empty if not given.

    Example:
        >>> from llmspell.plugin import Bridge, export
        >>> class Greeter(Bridge):
        ...     name = "greeter"
        ...     @export
        ...     def greet(self, name: str, *, loud: bool = False) -> str:
        ...         "Greet somebody."
        ...         return f"Hello, {name}!".upper() if loud else f"Hello, {name}!"
        >>> with BridgeHarness(Greeter) as harness:
        ...     harness.call("greet", "Ada", loud=True)
        'HELLO, ADA!'
    """

    def __init__(
        self,
        *bridges: BridgeSpec | type[Bridge],
        policy: Policy | None = None,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str] | None = None,
        principal: str = "",
    ) -> None:
        self._specs = [bridge_spec_of(bridge) for bridge in bridges]
        self._engine = ScriptedEngine()
        self._runs = 0
        self._recorder = MemoryRecorder()
        self.output: list[str] = []
        self.host = Host(plugins=(), config={"bridges": dict(config or {})}, environ=environ or {})
        self.host.register(self, name="harness")
        self.session = self.host.session(
            policy or Policy.minimal(),
            principal=principal,
            recorder=self._recorder,
            on_output=lambda kind, text: self.output.append(text),
        )

    @hookimpl
    def llmspell_engines(self) -> Any:
        """Offer the engine whose scripts are generators."""
        return [self._engine.spec]

    @hookimpl
    def llmspell_bridges(self) -> Any:
        """Offer the bridges."""
        return self._specs

    @property
    def records(self) -> list[CallRecord]:
        """Every call so far."""
        return self._recorder.records

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call an export; a Python function among the arguments arrives as a script's function.

        Args:
            method: Of the first bridge; ``"bridge.method"`` for another one.
            options: Become the trailing table of options.

        Raises:
            BridgeCallError: It failed; ``fault_code`` is what a script sees, ``__cause__`` the bridge's own error.
        """
        return self.run(_one_call(self._target(method), [*args, *([options] if options else [])])).value

    async def acall(self, method: str, *args: Any, **options: Any) -> Any:
        """As :meth:`call`, without blocking the event loop."""
        script = _one_call(self._target(method), [*args, *([options] if options else [])])
        return (await self.session.arun(self._source(script))).value

    def run(self, script: Script, params: Mapping[str, Any] | None = None) -> RunResult:
        """Run a script: a generator function that yields ``(target, method, *args)`` and is sent each result.

        A failed call is thrown into it as :class:`~llmspell.testing.scripted.CallFailed`.
        """
        return self.session.run(self._source(script), params=params)

    async def arun(self, script: Script, params: Mapping[str, Any] | None = None) -> RunResult:
        """As :meth:`run`, without blocking the event loop."""
        return await self.session.arun(self._source(script), params=params)

    def _target(self, method: str) -> tuple[str, str]:
        bridge, dot, name = method.rpartition(".")
        return (bridge, name) if dot else (self._specs[0].name, method)

    def _source(self, script: Script) -> Source:
        self._runs += 1
        name = f"script {self._runs}"
        self._engine.scripts[name] = script
        return Source(name, name="test", language=self._engine.spec_name)

    def close(self) -> None:
        """Close session and host."""
        self.session.close()
        self.host.close()

    def __enter__(self) -> BridgeHarness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _one_call(target: tuple[str, str], args: list[Any]) -> Script:
    def script() -> Any:
        return (yield (*target, *args))

    return script
