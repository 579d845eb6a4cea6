"""An engine for tests: spells are Python, so that a worker can be made to do anything at all.

A spell sees ``call(target, method, *args)``, ``write(text)``, ``params``, ``port``, ``guest`` and ``engine``, and sets
``result``. A spell that says ``later = {...}`` stays suspended: calls are then answered by ``Reply`` steps.
"""

import ctypes
import sys
import threading
from typing import Any

from llmspell.engine import Capabilities, EngineSpec, GuestLimits, GuestUsage
from llmspell.engine import messages as m


class Stopped(BaseException):
    pass


class Fault(Exception):
    def __init__(self, fault: m.Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class PythonGuest:
    def __init__(self, engine: "PythonEngine", limits: GuestLimits, port: Any) -> None:
        self.engine = engine
        self.limits = limits
        self.port = port
        self.calls = 0
        self.reason = ""
        self.stepping = False
        self.asking = False
        self.heap: dict[str, Any] = {}
        self.functions: dict[int, Any] = {}
        self.waiting: set[int] = set()

    def step(self, message: Any) -> list[Any]:
        self.thread = threading.get_ident()
        self.stepping = True
        try:
            if self.reason:
                raise Stopped
            return self._step(message)
        except Stopped:
            kind = "cancelled" if self.reason == "cancelled" else "limit"
            return [m.Failed(m.Failure(kind=kind, message=f"stopped: {self.reason}", limit=self.reason))]
        except Fault as error:
            fatal = error.fault.fatal
            failure = m.Failure(kind="limit" if fatal else "runtime", message=str(error), code=error.fault.code)
            return [m.Failed(failure)]
        except MemoryError:
            return [m.Failed(m.Failure(kind="limit", limit="memory", message="no more memory", state_spent=True))]
        except Exception as error:
            return [m.Failed(m.Failure(kind="runtime", message=f"{type(error).__name__}: {error}"))]
        finally:
            self.stepping = False

    def _step(self, message: Any) -> list[Any]:
        if isinstance(message, m.Start):
            names = {
                "call": self.call,
                "engine": self.engine,
                "guest": self,
                "later": None,
                "params": message.params,
                "port": self.port,
                "write": lambda text: self.port.emit(m.Emit("output", text)),
            }
            self.heap = names
            exec(compile(message.source.text, message.source.name, "exec"), names)
            if names["later"] is None:
                return [m.Done(m.MAIN, [names["result"]] if "result" in names else [])]
            said = [m.Call(self._next(), target, method, args) for target, method, *args in names["later"]]
            self.waiting = {call.id for call in said}
            self.heap["answers"] = {}
            return said
        if isinstance(message, m.Reply):
            self.waiting.discard(message.id)
            self.heap["answers"][message.id] = message.value
            return [] if self.waiting else [m.Done(m.MAIN, [list(self.heap["answers"].values())])]
        if isinstance(message, m.Invoke):
            return [m.Done(message.id, [self.heap["functions"][message.function](*message.args)])]
        if isinstance(message, m.Cancel):
            self.reason = self.reason or message.reason
            raise Stopped
        raise AssertionError(f"not a message: {message}")

    def _next(self) -> int:
        self.calls += 1
        return self.calls

    def call(self, target: str, method: str, *args: Any) -> Any:
        self.asking = True
        reply = self.port.ask([m.Call(self._next(), target, method, list(args))])
        self.asking = False
        if self.reason:
            raise Stopped
        if reply.fault is not None:
            raise Fault(reply.fault)
        return reply.value

    def interrupt(self, reason: str) -> None:
        self.reason = self.reason or reason
        if self.stepping and not self.asking:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(Stopped))

    def usage(self) -> GuestUsage:
        return GuestUsage(memory=sys.getsizeof(self.heap))

    def close(self) -> None:
        self.engine.closed += 1


class PythonEngine:
    def __init__(self, greeting: str = "") -> None:
        self.greeting = greeting
        self.opened = 0
        self.closed = 0
        self.seen: list[Any] = []

    def compile(self, source: Any) -> Any:
        return source

    def open(self, limits: GuestLimits, port: Any) -> PythonGuest:
        self.opened += 1
        if self.greeting == "cannot open":
            raise RuntimeError("no state to be had")
        return PythonGuest(self, limits, port)

    def close(self) -> None: ...


def spec(factory: str = "python_spells:PythonEngine", **more: Any) -> EngineSpec:
    worker = frozenset({"deadline", "memory", "output", "cancel", "steps"})
    return EngineSpec("python", factory, capabilities=Capabilities(worker=worker, suspends=False), **more)


def broken() -> PythonEngine:
    raise ValueError("this engine is broken")


def threaded() -> PythonEngine:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return PythonEngine()


def without_resource_limits() -> PythonEngine:
    sys.modules["resource"] = None  # type: ignore[assignment]
    return PythonEngine()
