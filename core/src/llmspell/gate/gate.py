"""The gate: authorize → validate → run → convert → record, once for every engine and every bridge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from llmspell.bridge import Begun, Call, ScriptFunction
from llmspell.engine import messages as m
from llmspell.errors import (
    BridgeError,
    ConversionError,
    PolicyDeniedError,
)
from llmspell.gate.doors import Door, find, shown, snake
from llmspell.gate.faults import fault_of
from llmspell.gate.living import describe, receive
from llmspell.gate.record import CallRecord, redact, scrub_value
from llmspell.values.convert import camel

if TYPE_CHECKING:
    from llmspell.gate.gated import Authorizer, GatedRun


class Relayed:
    """A call that another guest serves: its reply comes to ``later``, unless it is called off before."""

    __slots__ = ("_call_off", "_run")

    def __init__(self, run: GatedRun, call_off: Callable[[], None]) -> None:
        self._run = run
        self._call_off = call_off

    def cancel(self) -> None:
        """Call it off; to be done at most once, and not after the reply."""
        self._run.pending -= 1
        self._call_off()


Answer = m.Reply | Relayed | Coroutine[Any, Any, m.Reply]
Later = Callable[[m.Reply], None]


def _nobody(reply: m.Reply) -> None:
    """Whoever awaits the coroutine gets its reply."""


class Gate:
    """The door all words go through.

    Args:
        authorize: Asks the plugins; None when none of them wants to be asked.
    """

    def __init__(self, authorize: Authorizer | None = None) -> None:
        self.authorize = authorize

    def call(self, run: GatedRun, call: m.Call, later: Later = _nobody) -> Answer:
        """Serve one call.

        Args:
            later: Called with the reply by the coroutine, if there is one, in its last step: who waits for the task
                it runs in learns of it one turn of the loop too late.

        Returns:
            The reply, or a coroutine of it where the export (or opening its bridge) is asynchronous; or, with
            ``later``, what calls it off where another guest serves it. Failures of every kind are replies with a
            fault; only a cancellation of the coroutine is raised.
        """
        began = time.perf_counter()
        try:
            run.budget.count_call()
            if run.stopping:
                run.checkpoint()
            target = call.target
            doors = run.doors if type(target) is str else run.handle_doors
            door = doors.get((target, call.method))  # type: ignore[arg-type]
            if door is None:
                found = find(run, call)
                if not isinstance(found, Door):
                    return self._open_first(run, call, found, began, later)
                door = found
            return self._serve(run, call, door, began, later)
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            return self._fault(run, call, None, began, error)

    def _serve(self, run: GatedRun, call: m.Call, door: Door, began: float, later: Later) -> Answer:
        try:
            if self.authorize is not None:
                reason = self.authorize(run, door.target, call.method, call.args)
                if reason is not None:
                    raise PolicyDeniedError(f"{door.target}.{shown(run, call.method)} is refused: {reason}")
            received = receive(run, call.args)
            if door.relay is not None and later is not _nobody:
                relayed = self._relay(run, call, door, began, later, received)
                if relayed is not None:
                    return relayed
            on_progress = _take_on_progress(received, door) if received and door.is_async else None
            args, kwargs = door.bind(received, snake, camel) if run.naming == "camel" else door.bind(received)
            if door.takes_call:
                view = Call(run, door.target, call.method, call.line, on_progress)  # type: ignore[arg-type]
                args = (view, *args)
                if on_progress is not None:
                    return self._await(run, call, door, began, later, _with_progress(view, door.function), args, kwargs)
            if door.is_async:
                return self._await(run, call, door, began, later, door.start, args, kwargs)
            result = door.function(*args, **kwargs)
            if type(result) is CoroutineType:
                return self._await(run, call, door, began, later, Begun(result), (), {})
            return self._reply(run, call, door, began, result)
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            return self._fault(run, call, door, began, error)

    def _relay(
        self, run: GatedRun, call: m.Call, door: Door, began: float, later: Later, args: list[Any]
    ) -> Relayed | None:
        _refuse_too_many(run)

        def heard(values: list[Any] | None, error: BaseException | None) -> None:
            run.pending -= 1
            try:
                if error is not None:
                    raise error
                reply = self._reply(run, call, door, began, values[0] if values else None)
            except Exception as failure:  # noqa: BLE001 - every failure becomes a fault, told by its class
                reply = self._fault(run, call, door, began, failure)
            later(reply)

        assert door.relay is not None
        call_off = door.relay(args, heard)
        if call_off is None:
            return None
        run.pending += 1
        return Relayed(run, call_off)

    async def _open_first(self, run: GatedRun, call: m.Call, finding: Any, began: float, later: Later) -> m.Reply:
        try:
            answer = self._serve(run, call, await finding(), began, later)
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            answer = self._fault(run, call, None, began, error)
        if isinstance(answer, m.Reply):
            later(answer)
            return answer
        assert not isinstance(answer, Relayed)  # handles need no opening
        return await answer

    async def _await(
        self, run: GatedRun, call: m.Call, door: Door, began: float, later: Later, start: Any, args: Any, kwargs: Any
    ) -> m.Reply:
        """Await what ``start`` begins; nothing has begun where this is dropped before its first step."""
        # Counted where it begins: a guest may say many calls before the first of them has. What the runtime itself
        # does for a task (to sleep, to load a module) is bounded by the limit of tasks.
        counted = call.target != m.HOST
        try:
            if counted:
                _refuse_too_many(run)
        except BridgeError as error:
            reply = self._fault(run, call, door, began, error)
            later(reply)
            return reply
        run.pending += counted
        try:
            start = start(*args, **kwargs)
            args = kwargs = None  # many may wait here
            reply = self._reply(run, call, door, began, await start)
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            reply = self._fault(run, call, door, began, error)
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            # Not this call was cancelled, but something that the export waited for.
            inside = BridgeError(
                f"{door.target}.{shown(run, call.method)} was cancelled inside the host", code="cancelled"
            )
            reply = self._fault(run, call, door, began, inside)
        finally:
            run.pending -= counted
        later(reply)
        return reply

    def _reply(self, run: GatedRun, call: m.Call, door: Door, began: float, result: Any) -> m.Reply:
        value = run.converter.to_value(result, run.naming)
        if run.scrub is not None:
            value = scrub_value(value, run.scrub)
        if run.recorder is not None:
            self._record(run, call, door, began, value, None)
        return m.Reply(call.id, value)

    def _fault(self, run: GatedRun, call: m.Call, door: Door | None, began: float, error: Exception) -> m.Reply:
        run.failed(call.id, error)
        fault = fault_of(error, f"{door.target if door else call.target}.{shown(run, call.method)}")
        if fault.fatal and run.stop_error is None:
            run.stop_error = error
        if fault.details is not None:
            fault = _with_values(run, fault)
        if run.scrub is not None:
            fault = m.Fault(fault.code, run.scrub(fault.message), scrub_value(fault.details, run.scrub), fault.fatal)
        if run.recorder is not None:
            self._record(run, call, door, began, None, fault)
        return m.Reply(call.id, None, fault)

    def _record(
        self, run: GatedRun, call: m.Call, door: Door | None, began: float, value: Any, fault: m.Fault | None
    ) -> None:
        duration = time.perf_counter() - began
        args = call.args
        if door is not None and door.secrets:
            args = redact(args, door.names, door.secrets)
        if run.scrub is not None:
            args = scrub_value(args, run.scrub)
        run.called(
            CallRecord(
                run=run.id,
                index=run.budget.usage.calls,
                time=time.time() - duration,
                duration=duration,
                target=door.target if door is not None else str(call.target),
                method=call.method,
                args=describe(args),
                result=describe(value),
                error=None if fault is None else {"code": fault.code, "message": fault.message},
                line=call.line,
                language=run.language,
            )
        )


def _with_values(run: GatedRun, fault: m.Fault) -> m.Fault:
    """Convert the details of a fault; those that cannot cross are left out, and the message says so."""
    try:
        return m.Fault(fault.code, fault.message, run.converter.to_value(fault.details, run.naming), fault.fatal)
    except ConversionError as error:
        return m.Fault(fault.code, f"{fault.message} (its details cannot cross: {error})", None, fault.fatal)


def _take_on_progress(args: list[Any], door: Door) -> ScriptFunction | None:
    """Take the option ``on_progress`` out of a call to an export that can report progress."""
    options = args[-1]
    if type(options) is not dict or not door.takes_call or door.export.blocking:
        return None
    for name in ("on_progress", "onProgress"):
        function = options.get(name)
        if type(function) is ScriptFunction:
            del options[name]
            if not options and len(args) > door.needs:
                args.pop()
            return function
    return None


def _refuse_too_many(run: GatedRun) -> None:
    limit = run.policy.limits.concurrent_calls
    if limit is not None and run.pending >= limit:
        raise BridgeError(f"more than {limit} host calls are pending at once", code="too_many_calls")


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _with_progress(call: Call, function: Callable[..., Any]) -> Callable[..., Any]:
    async def start(*args: Any, **kwargs: Any) -> Any:
        try:
            result = await function(*args, **kwargs)
        except BaseException:
            await call.hush()
            raise
        await call.settle()
        return result

    return start
