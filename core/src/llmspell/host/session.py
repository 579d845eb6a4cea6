"""``Session``: run spells on somebody's behalf, under one policy."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from llmspell.bridge import BridgeSet
from llmspell.engine import EngineSpec, Source
from llmspell.engine.messages import Done, Start
from llmspell.errors import EngineCrashed, LlmspellError, SessionClosedError
from llmspell.gate import Recorder
from llmspell.gate.doors import Door
from llmspell.host.result import RunResult, lost, result_from, tell_of
from llmspell.policy import Policy
from llmspell.runtime.conversation import Conversation
from llmspell.runtime.deadlines import Deadlines
from llmspell.runtime.handles import close_all
from llmspell.runtime.run import Run
from llmspell.runtime.seat import Seat
from llmspell.runtime.services import RunServices
from llmspell.spell import Spell, bind_params, load_spell
from llmspell.values import ValueLimits

if TYPE_CHECKING:
    from llmspell.host.host import Host

Runnable = str | os.PathLike[str] | Source | Spell
OutputSink = Callable[[str, str], None]


class Session:
    """Run spells, one after the other or many at once.

    Made by :meth:`Host.session`. State that bridges keep is kept per session, and handles and script functions
    never outlive the run they came from.

    Example:
        >>> from llmspell import Host, Policy
        >>> with Host() as host, host.session(policy=Policy.standard()) as session:
        ...     session.eval("lua", "return 1 + 1").value
        2
    """

    def __init__(
        self,
        host: Host,
        policy: Policy,
        *,
        principal: str,
        name: str,
        recorder: Recorder | None,
        on_output: OutputSink | None,
    ) -> None:
        self._host = host
        self.policy = policy
        self.principal = principal
        self.name = name
        self.recorder = recorder
        self._closed = False
        self._active: set[Conversation] = set()
        self._bridges = BridgeSet(
            host.bridge_registry,
            scope="session",
            parent=host.bridges,
            config=host.bridge_config,
            environ=host.environ,
            services=host.services,
        )
        self._deadlines = Deadlines(host.watchdog)
        self._doors: dict[int, tuple[Policy, dict[tuple[str, str], Door], ValueLimits]] = {}
        self._services = RunServices(
            session=name,
            principal=principal,
            bridges=self._bridges,
            converter=host.converter,
            doors={},
            event=host.event if host.plugins.has_observers else None,
            environ=host.environ,
            on_output=on_output,
            scrub=host.scrub_for(policy),
            authorize=host.gate.authorize,
            child=self._child,
            find_spell=self._find_spell,
            watch=self._deadlines.watch,
            unwatch=self._deadlines.unwatch,
            rewatch=self._deadlines.rewatch,
            release=self._release,
        )

    # Running

    def run(
        self,
        spell: Runnable,
        params: Mapping[str, Any] | None = None,
        *,
        policy: Policy | None = None,
        recorder: Recorder | None = None,
    ) -> RunResult:
        """Run a spell to its end.

        Args:
            spell: A path, a :class:`Source` or a :class:`Spell`.
            params: What the script finds as ``params``; checked against the spell's declaration.
            policy: Tightens the session's policy for this run.
            recorder: Receives this run's calls instead of the session's recorder.

        Raises:
            LlmspellError: One of its tree, by what went wrong; its ``result`` attribute is a
                :class:`RunResult` with what there is of output and usage.
        """
        began = time.monotonic()
        conversation = self._prepare(spell, params, policy, recorder)
        self._deadlines.watch(conversation)
        try:
            try:
                if not conversation.talk():
                    self._host.loop.run(conversation.finish())
            except EngineCrashed as error:
                raise lost(conversation, error) from error
            return result_from(conversation, began, self._services.scrub)
        except LlmspellError as error:
            tell_of(error, conversation, began, self._services.scrub)
            raise
        finally:
            self._wind_up(conversation)

    async def arun(
        self,
        spell: Runnable,
        params: Mapping[str, Any] | None = None,
        *,
        policy: Policy | None = None,
        recorder: Recorder | None = None,
    ) -> RunResult:
        """Run a spell without blocking the event loop; cancelling the task cancels the run and its host work.

        Arguments, result and errors are those of :meth:`run`.
        """
        if not self._host.loop.is_here:
            return await self._host.loop.arun(self.arun(spell, params, policy=policy, recorder=recorder))
        began = time.monotonic()
        conversation = self._prepare(spell, params, policy, recorder)
        self._deadlines.watch(conversation)
        try:
            try:
                await conversation.finish()
            except EngineCrashed as error:
                raise lost(conversation, error) from error
            return result_from(conversation, began, self._services.scrub)
        except LlmspellError as error:
            tell_of(error, conversation, began, self._services.scrub)
            raise
        finally:
            self._wind_up(conversation)
            objects = conversation.run.end()
            if objects:
                await close_all(objects)

    def eval(
        self, language: str, text: str, params: Mapping[str, Any] | None = None, *, policy: Policy | None = None
    ) -> RunResult:
        """Run a source text; otherwise as :meth:`run`."""
        return self.run(Source(text, language=language), params, policy=policy)

    def aeval(
        self, language: str, text: str, params: Mapping[str, Any] | None = None, *, policy: Policy | None = None
    ) -> Coroutine[Any, Any, RunResult]:
        """Run a source text; otherwise as :meth:`arun`, whose coroutine it returns."""
        return self.arun(Source(text, language=language), params, policy=policy)

    def cancel(self, reason: str = "cancelled") -> None:
        """Cancel every run under way; from any thread."""
        for conversation in list(self._active):
            conversation.stop(reason)

    # One run's way

    def _prepare(
        self, spell: Runnable, params: Mapping[str, Any] | None, policy: Policy | None, recorder: Recorder | None
    ) -> Conversation:
        if self._closed:
            raise SessionClosedError("the session is closed", hint="open another with host.session()")
        source, values = self._source(spell, params)
        spec = self._host.engine_spec(source)
        effective = self._host.effective_policy(
            self.policy if policy is None else self.policy.intersect(policy), source, spec, self
        )
        return self._seat_run(source, values, spec, effective, recorder or self.recorder, None, "run")

    def _source(self, spell: Runnable, params: Mapping[str, Any] | None) -> tuple[Source, dict[str, Any]]:
        given = dict(params) if params else {}
        if type(spell) is Source:
            return spell, given
        loaded = spell if isinstance(spell, Spell) else load_spell(spell)  # type: ignore[arg-type]
        return loaded.source, bind_params(loaded.manifest, given)

    def _seat_run(
        self,
        source: Source,
        params: dict[str, Any],
        spec: EngineSpec,
        policy: Policy,
        recorder: Recorder | None,
        parent: Run | None,
        mode: Any,
    ) -> Conversation:
        services = self._services
        services.doors, services.value_limits = self._doors_for(policy)
        run = Run(
            services, policy, spec.name, spec.naming, self._host.system, recorder=recorder, parent=parent,
            root=source.root, source_name=source.name, ordered=spec.ordered, instants=spec.instants,
        )  # fmt: skip
        seat: Seat = self._host.seat(spec, policy, run)
        calls_each = spec.capabilities.calls_each
        conversation = Conversation(run, self._host.gate, seat, serves=mode == "idle", calls_each=calls_each)
        run.conversation = conversation
        if params:
            params = run.converter.to_value(params)  # type: ignore[assignment]
        conversation.say(Start(source, params, self._host.bridge_names(policy), mode))
        self._active.add(conversation)
        if self._services.event is not None:
            run.event("run_started", {"source": source.name, "language": spec.name})
        return conversation

    def _child(self, source: Source, params: dict[str, Any], policy: Policy, parent: Run, mode: str) -> Conversation:
        """Seat the run of a module or spell that another run asked for."""
        spec = self._host.engine_spec(source)
        self._host.check_policy(spec, policy)
        conversation = self._seat_run(source, params, spec, policy, parent.recorder, parent, mode)
        if parent.stopping:
            conversation.stop(parent.stopping)
        return conversation

    def _find_spell(self, run: Run, path: str, params: dict[str, Any]) -> tuple[Source, dict[str, Any]]:
        """Find a spell inside the root of the run that asks for it."""
        source = self._host.modules.spell(run, path)
        spell = Spell.from_source(source)
        return spell.source, bind_params(spell.manifest, params)

    def _release(self, conversation: Conversation) -> None:
        self._active.discard(conversation)
        conversation.seat.close()

    def _doors_for(self, policy: Policy) -> tuple[dict[tuple[str, str], Door], ValueLimits]:
        """Doors are resolved and allowed under one policy, so they are kept by policy."""
        known = self._doors.get(id(policy))
        if known is None or known[0] is not policy:
            if len(self._doors) >= 64:
                self._doors.clear()
            limits = policy.limits
            values = ValueLimits(limits.value_depth, limits.value_nodes, limits.value_bytes)
            known = self._doors[id(policy)] = (policy, {}, values)
        return known[1], known[2]

    def _wind_up(self, conversation: Conversation) -> None:
        self._deadlines.unwatch(conversation)
        self._active.discard(conversation)
        run = conversation.run
        if self._services.event is not None:
            ended = conversation.ended
            run.event("run_finished", {"ok": isinstance(ended, Done), "usage": run.budget.usage.as_dict()})
        conversation.seat.close()
        if not self._host.loop.is_here:
            objects = run.end()
            if any(hasattr(item, "aclose") for item in objects):
                self._host.loop.run(close_all(objects))
            else:
                for item in objects:
                    item.close()

    # The end

    def close(self) -> None:
        """Cancel what still runs, wait for its end, and close the session's bridges. Idempotent.

        On the host's own loop, where waiting would block it, runs end after this returns; there await :meth:`aclose`.
        """
        if self._closed:
            return
        self._closed = True
        self.cancel()
        self._host.forget(self)
        driven = any(each.is_driven for each in list(self._active))
        if self._bridges.needs_async_close or (driven and not self._host.loop.is_here):
            self._host.loop.run(self._end())

    async def aclose(self) -> None:
        """As :meth:`close`, without blocking the event loop."""
        if self._closed:
            return
        self._closed = True
        self.cancel()
        self._host.forget(self)
        await self._host.loop.arun(self._end())

    async def _end(self) -> None:
        driven = [each.until_gone() for each in list(self._active) if each.is_driven]
        if driven:
            await asyncio.wait(driven)
        await self._bridges.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
