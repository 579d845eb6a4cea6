"""``Host``: engines, bridges and plugins in one place, owned and closed by whoever made it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from llmspell.bridge import BridgeSet, BridgeSpec
from llmspell.bridge.registry import load_factory
from llmspell.engine import EngineSpec, ScriptEngine, Source
from llmspell.errors import LlmspellError, SessionClosedError
from llmspell.host.config import Config, load_config
from llmspell.host.hookspecs import CallRequest, Event, RunRequest
from llmspell.host.plugins import PluginHost
from llmspell.policy import Grants, Policy
from llmspell.runtime.placement import Placements
from llmspell.runtime.watchdog import Watchdog
from llmspell.values import ValueConverter

if TYPE_CHECKING:
    from llmspell.gate import Gate, Recorder
    from llmspell.gate.gated import GatedRun
    from llmspell.host.modules import LocalModules
    from llmspell.host.session import OutputSink, Session
    from llmspell.runtime.loop import HomeLoop
    from llmspell.runtime.run import Run
    from llmspell.runtime.seat import Seat
    from llmspell.runtime.system import SystemBridge
    from llmspell.runtime.worker.launch import Launch

Approve: TypeAlias = Callable[[dict[str, Any]], bool | Awaitable[bool]]


class Host:
    """Own engines, bridges and plugins; open sessions that run spells.

    Everything it opens it closes. There is no process-wide state: two hosts know nothing of each other.

    Args:
        plugins: Names of the plugins or distributions to use; None for all that are installed.
        block: Names never to load.
        prefer: Settles conflicts: ``{"engine:lua": "llmspell-lua"}``.
        config: A :class:`~llmspell.host.config.Config`, a mapping of its fields, or None to read the files of the
            project and the user.
        environ: The environment that bridges of the host may read; None for the process's own.
        approve: Asked before an agent uses a tool that needs a person's agreement, with ``{agent, tool, arguments,
            description}``; only ``True`` lets it. May be a coroutine function. Without one such tools are refused.

    Example:
        >>> from llmspell import Host
        >>> with Host() as host:
        ...     with host.session() as session:
        ...         session.eval("lua", "return 'hello'").value
        'hello'
    """

    def __init__(
        self,
        plugins: Iterable[str] | None = None,
        block: Iterable[str] = (),
        prefer: Mapping[str, str] | None = None,
        config: Config | Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        approve: Approve | None = None,
    ) -> None:
        self.config = load_config(config)
        self.environ: dict[str, str] = dict(os.environ if environ is None else environ)
        section = self.config.plugins
        self.plugins = PluginHost(
            section.allow if plugins is None else plugins,
            (*section.block, *block),
            {**section.prefer, **(prefer or {})},
        )
        self.watchdog = Watchdog()
        self.services: dict[str, Any] = {"config": self.config}
        self.approve = approve
        self.bridge_config = self.config.bridges
        self._placements = Placements(self._engine, self._engine_options, self.watchdog)
        self._engines: dict[str, ScriptEngine] = {}
        self._lock = threading.Lock()
        self._sessions: set[Session] = set()
        self._closed = False
        self._count = 0
        self._refresh()

    @property
    def approve(self) -> Approve | None:
        """Who is asked where a person has to agree; set it before the first session is opened."""
        found: Approve | None = self.services.get("approve")
        return found

    @approve.setter
    def approve(self, approve: Approve | None) -> None:
        self.services["approve"] = approve

    def _refresh(self) -> None:
        """Take over what the plugins offer now."""
        self.bridge_registry = self.plugins.bridge_registry()
        self.bridge_registry.add(BridgeSpec("spell", "llmspell.host.polyglot:SpellBridge", "Other spells and modules."))
        self.bridges = BridgeSet(
            self.bridge_registry, config=self.bridge_config, environ=self.environ, services=self.services
        )
        self.converter = ValueConverter(self.plugins.converters)
        self.__dict__.pop("gate", None)
        self._names: dict[int, tuple[Grants, tuple[str, ...]]] = {}

    # What runs need is made with the first session: before, a worker may be on its way already (see ``prepare``).

    @cached_property
    def loop(self) -> HomeLoop:
        """Where asynchronous work is done."""
        from llmspell.runtime.loop import HomeLoop

        return HomeLoop()

    @cached_property
    def modules(self) -> LocalModules:
        """Finds the modules that spells require."""
        from llmspell.host.modules import LocalModules

        return LocalModules(self)

    @cached_property
    def system(self) -> SystemBridge:
        """What a guest may ask the host itself."""
        from llmspell.runtime.system import SystemBridge

        return SystemBridge(self.modules)

    @cached_property
    def gate(self) -> Gate:
        """The one door between guests and bridges."""
        from llmspell.gate import Gate

        return Gate(self._authorize if self.plugins.has_authorizers else None)

    def register(self, plugin: object, name: str | None = None) -> str:
        """Add a plugin object: anything with ``@hookimpl`` methods. Returns the name it goes by.

        Raises:
            PluginError: It cannot be used, or a session is already open.
        """
        if self._sessions:
            raise LlmspellError("plugins are registered before the first session is opened")
        known = self.plugins.register(plugin, name)
        self._refresh()
        return known

    def session(
        self,
        policy: Policy | None = None,
        *,
        principal: str = "",
        name: str = "",
        recorder: Recorder | None = None,
        on_output: OutputSink | None = None,
    ) -> Session:
        """Open a session.

        Args:
            policy: What its runs may do; None for the configured profile (``sandbox`` unless configured).
            principal: On whose behalf it runs. Workers and state are never shared between principals.
            name: For messages and state; unique within the host if not given.
            recorder: Receives every host call.
            on_output: Called with ``(kind, text)`` as a spell prints; ``kind`` is ``output`` or ``error_output``.
        """
        from llmspell.host.session import Session

        if self._closed:
            raise SessionClosedError("the host is closed")
        with self._lock:
            _ = self.loop, self.system, self.gate
        self._count += 1
        session = Session(
            self, policy if policy is not None else self.default_policy(), principal=principal,
            name=name or f"session-{self._count}", recorder=recorder, on_output=on_output,
        )  # fmt: skip
        self._sessions.add(session)
        return session

    def default_policy(self) -> Policy:
        """Return the configured policy."""
        return self.config.default_policy(self.policy)

    def policy(self, name: str) -> Policy:
        """Return a profile or a policy that a plugin offers, by name.

        Raises:
            NotFoundError: No such policy.
        """
        preset = self.plugins.policies.get(name)
        return preset.factory() if preset is not None else Policy.profile(name)

    # What sessions use

    def engine_spec(self, source: Source) -> EngineSpec:
        """Return the engine for a source, by its language or its name's ending."""
        return self.plugins.engine(source.language) if source.language else self.plugins.engine_for(source.name)

    def engine(self, name: str) -> ScriptEngine:
        """Return this process's instance of an engine, by name or alias."""
        return self._engine(self.plugins.engine(name))

    def _engine(self, spec: EngineSpec) -> ScriptEngine:
        engine = self._engines.get(spec.name)
        if engine is None:
            with self._lock:
                engine = self._engines.get(spec.name)
                if engine is None:
                    factory = load_factory(spec.factory, f"engine {spec.name!r}")
                    engine = self._engines[spec.name] = factory(**self._engine_options(spec))
        return engine

    def _engine_options(self, spec: EngineSpec) -> dict[str, Any]:
        return {**spec.options, **self.config.engines.get(spec.name, {})}

    def seat(self, spec: EngineSpec, policy: Policy, run: Run) -> Seat:
        """Find a place for a guest."""
        return self._placements.seat(spec, policy, run)

    def adopt(self, launch: Launch) -> None:
        """Fork workers with a process that was launched before there was a host, and own it."""
        self._placements.adopt(launch)

    def prepare(self, source: Source, policy: Policy | None = None) -> None:
        """Get a worker ready for a run that is going to come, without waiting for it.

        Args:
            source: What is going to be run.
            policy: Under which it is going to be; None for the configured one.

        Raises:
            NotFoundError: No engine speaks its language.
            PolicyUnsupportedError: The policy cannot be enforced.
        """
        self._placements.prepare(self.engine_spec(source), policy if policy is not None else self.default_policy())

    def effective_policy(self, policy: Policy, source: Source, spec: EngineSpec, session: Session) -> Policy:
        """Let plugins narrow the policy, and check that it can be enforced.

        Raises:
            PolicyUnsupportedError: Naming what is missing.
        """
        if self.plugins.has_narrowers:
            request = RunRequest(source.name, spec.name, policy, session.name, session.principal)
            for narrower in self.plugins.narrow_policy(request):
                policy = policy.intersect(narrower)
        self.check_policy(spec, policy)
        return policy

    def check_policy(self, spec: EngineSpec, policy: Policy) -> None:
        """Check that a policy can be enforced for an engine here.

        Raises:
            PolicyUnsupportedError: Naming what is missing.
        """
        self._placements.check(spec, policy)

    def bridge_names(self, policy: Policy) -> tuple[str, ...]:
        """Return the bridges a run under ``policy`` may require."""
        key = id(policy.grants)
        known = self._names.get(key)
        if known is None or known[0] is not policy.grants:
            if len(self._names) > 256:
                self._names.clear()
            names = tuple(name for name in self.bridge_registry.names if policy.grants.allows_bridge(name))
            known = self._names[key] = (policy.grants, names)
        return known[1]

    def scrub_for(self, policy: Policy) -> Any:
        """Return what redacts the values of the policy's secrets, or None if it grants none."""
        import fnmatch

        from llmspell.gate.record import scrubber

        patterns = policy.grants.secrets
        if not patterns:
            return None
        return scrubber(
            frozenset(
                value
                for name, value in self.environ.items()
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
            )
        )

    def event(self, kind: str, run_id: str, data: dict[str, Any]) -> None:
        """Tell the observers."""
        self.plugins.emit(Event(kind, time.time(), run_id, data))

    def _authorize(self, run: GatedRun, target: str, method: str, args: list[Any]) -> str | None:
        denial = self.plugins.authorize(
            CallRequest(
                target,
                method,
                tuple(args),
                run.id,
                run.session,
                run.principal,
                run.language,
                run.policy,
            )
        )
        return None if denial is None else denial.reason

    def forget(self, session: Session) -> None:
        self._sessions.discard(session)

    # The end

    def close(self) -> None:
        """Close sessions, bridges, workers and engines. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for session in list(self._sessions):
            session.close()
        if self.bridges.needs_async_close:
            self.loop.run(self.bridges.close())
        self._close_rest()

    async def aclose(self) -> None:
        """As :meth:`close`, without blocking the event loop."""
        if self._closed:
            return
        self._closed = True
        for session in list(self._sessions):
            await session.aclose()
        await self.loop.arun(self.bridges.close())
        self._close_rest()

    def _close_rest(self) -> None:
        self._placements.close()
        self.watchdog.close()
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
        self.loop.close()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Host:
        self.loop.adopt()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
