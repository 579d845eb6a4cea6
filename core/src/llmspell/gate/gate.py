"""The gate: authorize → validate → run → convert → record, once for every engine and every bridge."""

from __future__ import annotations

import asyncio
import difflib
import functools
import time
from collections.abc import Callable, Coroutine
from functools import lru_cache
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol

from llmspell.bridge import Begun, Bridge, BridgeSet, Call, Export, HostObject, ScriptFunction, exports_of
from llmspell.engine import messages as m
from llmspell.errors import (
    BridgeCallError,
    BridgeError,
    BridgeNotFoundError,
    Cancelled,
    ConversionError,
    LlmspellError,
    NotFoundError,
    PolicyDeniedError,
    PolicyError,
    ResourceExhausted,
    ScriptError,
)
from llmspell.gate.budget import Budget
from llmspell.gate.record import CallRecord, Recorder, redact, scrub_value
from llmspell.policy import Policy
from llmspell.values import FunctionRef, HostRef, ValueConverter
from llmspell.values.convert import Naming

if TYPE_CHECKING:
    pass

Answer = m.Reply | Coroutine[Any, Any, m.Reply]


class Authorizer(Protocol):
    """Asked before every call when plugins want to be; returns why it is refused, or None."""

    def __call__(self, run: GatedRun, target: str, method: str, args: list[Any], /) -> str | None: ...


class GatedRun(Protocol):
    """The part of a run that the gate works with."""

    id: str
    language: str
    naming: Naming
    session: str
    principal: str
    policy: Policy
    budget: Budget
    bridges: BridgeSet
    system: Bridge
    doors: dict[tuple[str, str], Door]
    recorder: Recorder | None
    converter: ValueConverter
    pending: int
    stopping: str
    stop_error: BaseException | None
    scrub: Callable[[str], str] | None

    def checkpoint(self) -> None: ...
    def object_of(self, handle: int) -> HostObject: ...
    def function_of(self, ref: FunctionRef) -> ScriptFunction: ...
    def failed(self, call: int, error: BaseException) -> None: ...
    def called(self, record: CallRecord) -> None: ...


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """Spell a camelCase name in snake_case.

    Example:
        >>> snake("quickPrompt")
        'quick_prompt'
    """
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


class Door:
    """One export of one object, resolved and allowed: what is left to do is to call it."""

    __slots__ = ("bind", "export", "function", "is_async", "names", "secrets", "start", "takes_call", "target")

    def __init__(self, target: str, owner: object, export: Export) -> None:
        signature = export.signature
        self.target = target
        self.export = export
        self.function: Callable[..., Any] = getattr(owner, export.function.__name__)
        self.bind = signature.bind
        self.takes_call = signature.takes_call
        self.is_async = export.is_async
        self.start: Callable[..., Any] = (
            functools.partial(asyncio.to_thread, self.function) if export.blocking else self.function
        )
        self.secrets = signature.secrets
        self.names = [p.name for p in signature.parameters if not p.option and not p.variadic]


class Gate:
    """The door all words go through.

    Args:
        authorize: Asks the plugins; None when none of them wants to be asked.
        observe: Told of every call when somebody observes.
    """

    def __init__(self, authorize: Authorizer | None = None) -> None:
        self.authorize = authorize

    def call(self, run: GatedRun, call: m.Call) -> Answer:
        """Serve one call.

        Returns:
            The reply, or a coroutine of it where the export (or opening its bridge) is asynchronous. Failures of
            every kind are replies with a fault; only a cancellation of the coroutine is raised.
        """
        began = time.perf_counter()
        try:
            run.budget.count_call()
            if run.stopping:
                run.checkpoint()
            door = run.doors.get((call.target, call.method))  # type: ignore[arg-type]
            if door is None:
                found = self._find(run, call)
                if not isinstance(found, Door):
                    return self._later(run, call, found, began)
                door = found
            return self._serve(run, call, door, began)
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            return self._fault(run, call, None, began, error)

    def _serve(self, run: GatedRun, call: m.Call, door: Door, began: float) -> Answer:
        try:
            if self.authorize is not None:
                reason = self.authorize(run, door.target, call.method, call.args)
                if reason is not None:
                    raise PolicyDeniedError(f"{door.target}.{call.method} is refused: {reason}")
            received = _receive(run, call.args)
            on_progress = _take_on_progress(received, door) if received and door.is_async else None
            args, kwargs = door.bind(received, snake if run.naming == "camel" else None)
            if door.takes_call:
                view = Call(run, door.target, call.method, call.line, on_progress)  # type: ignore[arg-type]
                args = (view, *args)
                if on_progress is not None:
                    return self._await(run, call, door, began, _with_progress, view, door.function, args, kwargs)
            if door.is_async:
                return self._await(run, call, door, began, door.start, *args, **kwargs)
            result = door.function(*args, **kwargs)
            if type(result) is CoroutineType:
                return self._await(run, call, door, began, Begun(result))
            return self._reply(run, call, door, began, result)
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            return self._fault(run, call, door, began, error)

    async def _later(self, run: GatedRun, call: m.Call, finding: Any, began: float) -> m.Reply:
        try:
            door = await finding()
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            return self._fault(run, call, None, began, error)
        answer = self._serve(run, call, door, began)
        return answer if isinstance(answer, m.Reply) else await answer

    async def _await(
        self, run: GatedRun, call: m.Call, door: Door, began: float, start: Any, /, *args: Any, **kwargs: Any
    ) -> m.Reply:
        """Await what ``start`` begins; nothing has begun where this is dropped before its first step."""
        # Counted where it begins: a guest may say many calls before the first of them has. What the runtime itself
        # does for a task (to sleep, to load a module) is bounded by the limit of tasks.
        counted = call.target != m.HOST
        limit = run.policy.limits.concurrent_calls
        if counted and limit is not None and run.pending >= limit:
            refusal = BridgeError(f"more than {limit} host calls are pending at once", code="too_many_calls")
            return self._fault(run, call, door, began, refusal)
        run.pending += counted
        try:
            return self._reply(run, call, door, began, await start(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - every failure becomes a fault, told by its class
            return self._fault(run, call, door, began, error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Not this call was cancelled, but something that the export waited for.
            cancelled = BridgeError(f"{door.target}.{call.method} was cancelled inside the host", code="cancelled")
            return self._fault(run, call, door, began, cancelled)
        finally:
            run.pending -= counted

    def _reply(self, run: GatedRun, call: m.Call, door: Door, began: float, result: Any) -> m.Reply:
        value = run.converter.to_value(result, run.naming)
        if run.scrub is not None:
            value = scrub_value(value, run.scrub)
        if run.recorder is not None:
            self._record(run, call, door, began, value, None)
        return m.Reply(call.id, value)

    def _fault(self, run: GatedRun, call: m.Call, door: Door | None, began: float, error: Exception) -> m.Reply:
        run.failed(call.id, error)
        fault = fault_of(error, f"{door.target if door else call.target}.{call.method}")
        if fault.fatal and run.stop_error is None:
            run.stop_error = error
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
                args=_plain(args),
                result=_plain(value),
                error=None if fault is None else {"code": fault.code, "message": fault.message},
                line=call.line,
                language=run.language,
            )
        )

    def _find(self, run: GatedRun, call: m.Call) -> Door | Callable[[], Coroutine[Any, Any, Door]]:
        target, method = call.target, call.method
        if target == m.HOST:
            door = run.doors[m.HOST, method] = _door(m.HOST, run.system, method)
            return door
        if isinstance(target, int):
            owner = run.object_of(target)
            return _door(type(owner).__name__, owner, method)
        grants = run.policy.grants
        if not grants.allows_call(target, method):
            if target not in run.bridges.names:
                raise _no_bridge(target, run.bridges.names)
            raise PolicyDeniedError(
                f"{target}.{method} is not granted by the policy",
                hint=f"grant the bridge {target!r}, or choose a wider profile",
            )
        bridge = run.bridges.get(target)
        if isinstance(bridge, Bridge):
            door = run.doors[target, method] = _door(target, bridge, method)
            return door

        opening = Begun(bridge)

        async def opened() -> Door:
            door = run.doors[target, method] = _door(target, await opening(), method)
            return door

        return opened


def _door(target: str, owner: object, method: str) -> Door:
    exports = exports_of(type(owner))
    export = exports.get(method)
    if export is None:
        close = difflib.get_close_matches(method, exports, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise BridgeError(f"{target} has no function {method!r}{hint}", code="unknown_method")
    return Door(target, owner, export)


def _no_bridge(name: str, known: tuple[str, ...]) -> BridgeNotFoundError:
    close = difflib.get_close_matches(name, known, 1)
    return BridgeNotFoundError(
        f"there is no bridge named {name!r}", name=name, hint=f"did you mean {close[0]!r}?" if close else None
    )


def _take_on_progress(args: list[Any], door: Door) -> ScriptFunction | None:
    """Take the option ``on_progress`` out of a call to an export that can report progress."""
    options = args[-1]
    if type(options) is not dict or not door.takes_call or door.export.blocking:
        return None
    for name in ("on_progress", "onProgress"):
        function = options.get(name)
        if type(function) is ScriptFunction:
            del options[name]
            if not options and len(args) > len(door.names):
                args.pop()
            return function
    return None


async def _with_progress(call: Call, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        result = await function(*args, **kwargs)
    except BaseException:
        await call.hush()
        raise
    await call.settle()
    return result


_DATA = frozenset({type(None), bool, int, float, str, bytes})


def _receive(run: GatedRun, args: list[Any]) -> list[Any]:
    """Put live things where the guest named them. ``args`` is a fresh tree, so it is changed in place."""
    for index, arg in enumerate(args):
        if type(arg) not in _DATA:
            args[index] = revive(run, arg)
    return args


def revive(run: GatedRun, item: Any) -> Any:
    kind = type(item)
    if kind is dict:
        for key, part in item.items():
            if type(part) not in _DATA:
                item[key] = revive(run, part)
    elif kind is list:
        for index, part in enumerate(item):
            if type(part) not in _DATA:
                item[index] = revive(run, part)
    elif kind is FunctionRef:
        return run.function_of(item)
    elif kind is HostRef:
        return run.object_of(item.id)
    return item


def _plain(item: Any) -> Any:
    """Describe handles in a record, and copy what the export might still change."""
    kind = type(item)
    if kind is dict:
        return {key: _plain(part) for key, part in item.items()}
    if kind is list:
        return [_plain(part) for part in item]
    if kind in _DATA:
        return item
    if kind is ScriptFunction:
        return {"$function": item.ref.name or item.ref.id}
    if kind is FunctionRef:
        return {"$function": item.name or item.id}
    if kind is HostRef:
        return {"$handle": item.type, "id": item.id}
    return {"$handle": type(item).__name__}


def fault_of(error: BaseException, where: str) -> m.Fault:
    """Tell a script of a host error: code and message from a safe list, never a repr, path or traceback."""
    hint = getattr(error, "hint", None)
    if isinstance(error, ResourceExhausted):
        return m.Fault(error.code, error.message, {"limit": error.limit, "value": error.value}, True)
    if isinstance(error, Cancelled):
        return m.Fault("cancelled", error.message, None, True)
    if isinstance(error, BridgeError):
        message = error.message if not hint else f"{error.message}; {hint}"
        return m.Fault(error.code, message, error.details)
    if isinstance(error, PolicyError | NotFoundError | ConversionError):
        return m.Fault(error.code, error.message if not hint else f"{error.message}; {hint}")
    if isinstance(error, ScriptError):
        return _script_fault(error)
    if isinstance(error, LlmspellError):
        return m.Fault(error.code, error.message)
    if isinstance(error, TimeoutError):
        return m.Fault("timeout", f"{where} timed out")
    return m.Fault("internal", f"{where} failed inside the host; the host's log says why")


def _script_fault(error: ScriptError) -> m.Fault:
    """Give a script back what a function of its own raised inside an export: its code, and its table as details."""
    value = error.value
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        return m.Fault(value["code"], error.message, value)
    return m.Fault(error.fault_code if isinstance(error, BridgeCallError) else "script", error.message)
