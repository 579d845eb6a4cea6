"""What every engine's guests must do, message by message, without a host around them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from llmspell.bridge.registry import load_factory
from llmspell.engine import Guest, GuestLimits, ScriptEngine, Source
from llmspell.engine import messages as m
from llmspell.errors import ScriptSyntaxError
from llmspell.testing.stage import Stage
from llmspell.values import FunctionRef, decoder, encode

_BRIDGE = {
    "kind": "bridge",
    "name": "kit",
    "exports": [["echo", False, False], ["echo_later", True, False], ["call", True, False], ["hang", True, False]],
}
Answer = Callable[[m.Call], Any]


class Desk:
    """The other side of a guest's conversation: it answers calls, and keeps all that was said.

    It stands for the kit bridge with ``echo``, ``echo_later``, ``call`` (invokes the function) and ``hang`` (is never
    answered). It also is the guest's port: a guest that cannot suspend asks here.
    """

    def __init__(self, engine: ScriptEngine, limits: GuestLimits | None = None) -> None:
        self.said: list[m.GuestMessage] = []
        self.output: list[str] = []
        self._invokes: dict[int, m.Call] = {}
        self._invoked = 0
        self.meanwhile: list[m.HostMessage] = []  # what is said once while the guest asks for a module
        self.guest: Guest = engine.open(limits or GuestLimits(), self)

    def emit(self, message: m.Emit) -> None:
        """Take output that is said during a step."""
        self.said.append(message)
        self.output.append(str(message.data))

    def ask(self, said: list[m.GuestMessage], *, hears: bool = False) -> m.Reply:
        """Answer a guest that blocks; the earlier calls are not waited for."""
        self.said += said
        call = said[-1]
        assert isinstance(call, m.Call)
        if call.target == m.HOST and call.method == "module" and self.meanwhile:
            assert hears, "a guest that asks for a module does not hear meanwhile"
            self.said += self.guest.step(self.meanwhile.pop())
        reply = self._reply(call)
        assert isinstance(reply, m.Reply), "a guest that blocks asked for what needs a step"
        return reply

    def start(self, source: Source, params: dict[str, Any] | None = None) -> list[m.GuestMessage]:
        """Begin, and answer until the guest waits for what is never answered, or ends."""
        return self.talk(m.Start(source, params or {}, ("kit",)))

    def talk(self, message: m.HostMessage) -> list[m.GuestMessage]:
        """Say a message and answer what follows; return all that was said."""
        inbox = [message]
        heard: list[m.GuestMessage] = []
        while inbox:
            for said in self.guest.step(inbox.pop(0)):
                heard.append(said)
                if isinstance(said, m.Emit):
                    self.output.append(str(said.data))
                elif isinstance(said, m.Call):
                    reply = self._reply(said)
                    if reply is not None:
                        inbox.append(reply)
                elif said.id != m.MAIN:
                    inbox.append(self._returned(said))
        self.said += heard
        return heard

    def _reply(self, call: m.Call) -> m.Reply | m.Invoke | None:
        if call.target == m.HOST and call.method == "module":
            return m.Reply(call.id, _BRIDGE)
        if call.target == "kit" and call.method in ("echo", "echo_later"):
            return m.Reply(call.id, call.args[0] if call.args else None)
        if call.target == "kit" and call.method == "call":
            function, *args = call.args
            assert isinstance(function, FunctionRef)
            self._invoked += 1
            self._invokes[self._invoked] = call
            return m.Invoke(self._invoked, function.id, args)
        if call.target == "kit" and call.method == "hang":
            return None
        return m.Reply(call.id, None, m.Fault("unknown_method", f"the desk has no {call.target}.{call.method}"))

    def _returned(self, said: m.Done | m.Failed) -> m.Reply:
        call = self._invokes.pop(said.id)
        if isinstance(said, m.Done):
            return m.Reply(call.id, said.values[0] if said.values else None)
        return m.Reply(call.id, None, m.Fault("script", said.failure.message))

    @property
    def end(self) -> m.Done | m.Failed:
        """How the run ended; a guest says that once."""
        ends = [said for said in self.said if isinstance(said, m.Done | m.Failed) and said.id == m.MAIN]
        assert len(ends) == 1, f"the guest ended {len(ends)} times: {self.said}"
        return ends[0]


def _failure(desk: Desk) -> m.Failure:
    end = desk.end
    assert isinstance(end, m.Failed), f"the guest ended well: {end}"
    return end.failure


class GuestConformance:
    """The protocol of guests. Part of :class:`llmspell.testing.EngineConformance`."""

    stage: ClassVar[Stage]

    def snippet(self, name: str) -> str:
        """Return a small source; see :class:`llmspell.testing.EngineConformance`."""
        raise LookupError(name)

    def desk(self, limits: GuestLimits | None = None) -> Desk:
        """Open a guest of an engine of this process."""
        return Desk(self.stage.host.engine(self.stage.spec.name), limits)

    def suspends(self) -> bool:
        """Tell whether guests of the engine can suspend inside a host call."""
        return self.stage.spec.capabilities.suspends

    def test_the_factory_makes_an_engine(self) -> None:
        spec = self.stage.spec
        engine = load_factory(spec.factory, f"engine {spec.name!r}")(**spec.options)
        for method in ("compile", "open", "close"):
            assert callable(getattr(engine, method)), f"the engine has no {method}"
        engine.close()

    def test_the_spec_is_complete(self) -> None:
        spec = self.stage.spec
        assert spec.description, "the spec has no description"
        assert spec.extensions, "the spec names no file name endings"
        assert all(extension.startswith(".") for extension in spec.extensions)

    def test_guest_runs_to_its_end(self) -> None:
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("one")))
        end = desk.end
        assert isinstance(end, m.Done), f"the guest failed: {end}"
        assert end.values[:1] == [1]
        desk.guest.close()

    def test_guest_calls_and_hears_the_reply(self) -> None:
        for name in ("call", "later"):
            desk = self.desk()
            desk.start(self.stage.source(self.snippet(name)))
            assert isinstance(desk.end, m.Done), f"the guest failed: {desk.end}"
            assert desk.end.values == [5]
            ids = [said.id for said in desk.said if isinstance(said, m.Call)]
            assert ids == sorted(set(ids)), f"call ids are used twice or go back: {ids}"
            assert not ids or ids[0] >= 1
            desk.guest.close()

    def test_guest_serves_an_invocation(self) -> None:
        if not self.suspends():
            return
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("callback")))
        assert isinstance(desk.end, m.Done), f"the guest failed: {desk.end}"
        assert desk.end.values == [42]
        desk.guest.close()

    def test_a_guest_that_blocks_is_not_deaf_while_it_asks_for_a_module(self) -> None:
        if self.suspends():
            return
        desk = self.desk()
        desk.meanwhile.append(m.Load(1, self.stage.source(self.snippet("one"))))
        desk.start(self.stage.source(self.snippet("call")))
        assert isinstance(desk.end, m.Done), f"the guest failed: {desk.end}"
        if not desk.meanwhile:
            loaded = [said for said in desk.said if isinstance(said, m.Done | m.Failed) and said.id == 1]
            assert len(loaded) == 1, f"a module was asked for while it waited, and {loaded} came of it"
            assert isinstance(loaded[0], m.Done), f"a module was not loaded while it waited: {loaded[0]}"
        desk.guest.close()

    def test_everything_said_has_a_wire_form(self) -> None:
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("call")))
        for said in desk.said:
            assert decoder(m.GuestMessage).decode(encode(said)) == said
        desk.guest.close()

    def test_guest_hears_params(self) -> None:
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("param")), {"n": 7})
        assert isinstance(desk.end, m.Done), f"the guest failed: {desk.end}"
        assert desk.end.values == [7]
        desk.guest.close()

    def test_check_compiles_and_runs_nothing(self) -> None:
        desk = self.desk()
        desk.talk(m.Start(self.stage.source(self.snippet("loop")), mode="check"))
        assert isinstance(desk.end, m.Done), f"the guest failed: {desk.end}"
        assert desk.end.values == []
        desk.guest.close()

    def test_a_script_that_fails_is_a_message_not_an_exception(self) -> None:
        for name, kind in (("error", "runtime"), ("syntax", "syntax")):
            desk = self.desk()
            desk.start(self.stage.source(self.snippet(name)))
            failure = _failure(desk)
            assert failure.kind == kind, failure
            assert failure.message, "the failure has no message"
            assert failure.line == 1, failure
            desk.guest.close()

    def test_compile_refuses_what_does_not_parse(self) -> None:
        engine = self.stage.host.engine(self.stage.spec.name)
        assert engine.compile(self.stage.source(self.snippet("one"))).source.text == self.snippet("one")
        for name, incomplete in (("syntax", False), ("incomplete", True)):
            error = self._syntax_error(engine, self.snippet(name))
            assert error is not None, f"{name} compiled"
            assert error.incomplete is incomplete, f"{name}: incomplete is {error.incomplete}"
            assert error.location is not None
            assert error.location.line == 1
            assert error.language == self.stage.spec.name

    def _syntax_error(self, engine: ScriptEngine, text: str) -> ScriptSyntaxError | None:
        try:
            engine.compile(self.stage.source(text))
        except ScriptSyntaxError as error:
            return error
        return None

    def test_cancel_in_a_host_call_ends_the_guest(self) -> None:
        if not self.suspends():
            return
        desk = self.desk()
        heard = desk.start(self.stage.source(self.snippet("hang")))
        assert isinstance(heard[-1], m.Call), f"the guest does not wait: {heard}"
        desk.talk(m.Cancel("cancelled"))
        assert _failure(desk).kind == "cancelled"
        desk.guest.close()

    def test_a_second_cancel_changes_nothing(self) -> None:
        if not self.suspends():
            return
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("hang")))
        desk.guest.interrupt("cancelled")
        desk.guest.interrupt("deadline")
        desk.talk(m.Cancel("cancelled"))
        desk.guest.interrupt("cancelled")
        assert _failure(desk).kind == "cancelled"
        desk.guest.close()

    def test_an_interrupt_before_the_start_is_not_lost(self) -> None:
        desk = self.desk()
        desk.guest.interrupt("cancelled")
        desk.start(self.stage.source(self.snippet("loop")))
        assert _failure(desk).kind == "cancelled"
        desk.guest.close()

    def test_an_interrupt_from_another_thread_ends_a_loop(self) -> None:
        for reason, kind in (("deadline", "limit"), ("cancelled", "cancelled")):
            desk = self.desk()
            timer = threading.Timer(0.1, desk.guest.interrupt, (reason,))
            timer.start()
            desk.start(self.stage.source(self.snippet("loop")))
            timer.join()
            failure = _failure(desk)
            assert failure.kind == kind, failure
            if kind == "limit":
                assert failure.limit in ("deadline", "time"), failure
            desk.guest.close()

    def test_close_is_idempotent(self) -> None:
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("one")))
        desk.guest.close()
        desk.guest.close()

    def test_a_guest_may_be_closed_while_it_waits(self) -> None:
        if not self.suspends():
            return
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("hang")))
        desk.guest.close()
        again = self.desk()
        again.start(self.stage.source(self.snippet("one")))
        assert isinstance(again.end, m.Done), f"the next guest failed: {again.end}"
        again.guest.close()

    def test_many_guests_live_at_once(self) -> None:
        if not self.suspends():
            return
        desks = [self.desk() for _ in range(10)]
        for desk in desks:
            desk.start(self.stage.source(self.snippet("hang")))
        for desk in reversed(desks):
            desk.talk(m.Cancel("cancelled"))
            assert _failure(desk).kind == "cancelled"
            desk.guest.close()

    def test_usage_can_be_asked(self) -> None:
        desk = self.desk()
        desk.start(self.stage.source(self.snippet("one")))
        usage = desk.guest.usage()
        assert usage.memory is None or usage.memory > 0
        desk.guest.close()
