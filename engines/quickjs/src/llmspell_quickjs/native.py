"""What the binding does not offer of its engine: tripping the interrupt, reading the heap, hearing of rejections.

All of it goes by the layout of a C structure or by symbols of the extension, so every piece is tried out on a scratch
context before it is relied on (:func:`probe`). A piece that fails is None, and whoever needs it says so.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from llmspell_quickjs.extension import FILE, Context, JSException

_FAR = 2**62
_UNBOUNDED = 2**40
_HEAD = object.__basicsize__
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_MALLOC_SIZE = 6 * _POINTER
_MALLOC_LIMIT = 7 * _POINTER
_COMPILE_ONLY = 1 << 5
_BYTECODE, _STRIP = 1, 1 << 4 | 1 << 5
_ROUNDS = 50_000
"""Of a loop in which the engine is sure to look whether it is interrupted: it does so every 10,000."""

_LOOP = f"for (i = 0; i < {_ROUNDS}; i++); i"
_UNDEFINED, _BOOL, _EXCEPTION = 3, 1, 6


class _Value(ctypes.Structure):
    """``JSValue`` where it is not packed into one word: 64-bit platforms."""

    _fields_ = [("payload", ctypes.c_uint64), ("tag", ctypes.c_int64)]


class _Interrupt(ctypes.Structure):
    """The binding's ``RuntimeData``, up to what stops a script: its clock ticks allowed since ``start``."""

    _fields_ = [
        ("head", ctypes.c_char * _HEAD),
        ("runtime", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("has_time_limit", ctypes.c_int),
        ("time_limit", ctypes.c_long),
        ("thread_state", ctypes.c_void_p),
        ("start", ctypes.c_long),
        ("limit", ctypes.c_long),
    ]


_Tracker = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _Value, _Value, ctypes.c_int, ctypes.c_void_p)


class _Armer:
    """Installs the interrupt handler and at once allows calls into Python again.

    The binding forbids callbacks while a time limit is set, and removes its handler after each evaluation; but the
    limit is lifted here in the middle of one, and then the handler stays.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    def __call__(self) -> None:
        raise AssertionError("never called")

    def __del__(self) -> None:
        self._context.set_time_limit(-1)


def arm(context: Any) -> None:
    """Keep the interrupt handler of a fresh context installed for good, far from striking."""
    context.add_callable("__llmspell_arm", _Armer(context))
    context.set_time_limit(1e9)
    context.eval("delete globalThis.__llmspell_arm")


def trip(context: Any) -> None:
    """Make running JavaScript end with an error it cannot catch; from any thread. It stays so until :func:`untrip`."""
    _Interrupt.from_address(id(context)).limit = -_FAR


def untrip(context: Any) -> None:
    _Interrupt.from_address(id(context)).limit = _FAR


def heap_size(context: Any) -> ctypes.c_size_t:
    """Return the bytes of a context's heap: its ``value`` is what they are when it is read, from any thread.

    It is not to be read once the context is gone.
    """
    runtime = _Interrupt.from_address(id(context)).runtime
    return ctypes.c_size_t.from_address(runtime + _MALLOC_SIZE)


@cache
def main_stack() -> int | None:
    """Return what the main thread's C stack may grow to in bytes; None if that cannot be told.

    By the process's own limit: the C library would read a file, which a hardened worker cannot.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return _UNBOUNDED if soft == resource.RLIM_INFINITY else soft


def thread_stack() -> int | None:
    """Return the size of the calling thread's C stack in bytes; None if that cannot be told."""
    platform: str = sys.platform  # as a text: the type checker knows what it runs on, and calls the other unreachable
    try:
        if platform == "darwin":
            library = ctypes.CDLL(None)
            current = _declare(library.pthread_self, ctypes.c_void_p)()
            size: int = _declare(library.pthread_get_stacksize_np, ctypes.c_size_t, ctypes.c_void_p)(current)
            return size
        if platform == "linux":
            return _linux_thread_stack()
    except (AttributeError, OSError):
        return None
    return None


def _linux_thread_stack() -> int | None:
    library = ctypes.CDLL(None)
    pointer = ctypes.c_void_p
    attributes = ctypes.create_string_buffer(256)  # a pthread_attr_t, which takes 56 bytes or 64
    current = _declare(library.pthread_self, pointer)()
    if _declare(library.pthread_getattr_np, ctypes.c_int, pointer, pointer)(current, attributes):
        return None
    size = ctypes.c_size_t()
    get = _declare(library.pthread_attr_getstacksize, ctypes.c_int, pointer, ctypes.POINTER(ctypes.c_size_t))
    failed = get(attributes, ctypes.byref(size))
    _declare(library.pthread_attr_destroy, ctypes.c_int, pointer)(attributes)
    return None if failed else size.value


class Symbols:
    """The engine's own functions, where the extension exports them (not on Windows).

    Raises:
        AttributeError: It does not.
        OSError: The extension cannot be opened.
    """

    def __init__(self) -> None:
        library = ctypes.CDLL(FILE)
        pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
        self._call = _declare(library.JS_Call, _Value, pointer, _Value, _Value, ctypes.c_int, ctypes.POINTER(_Value))
        self._get_exception = _declare(library.JS_GetException, _Value, pointer)
        self._free_value = _declare(library.JS_FreeValue, None, pointer, _Value)
        self._eval = _declare(library.JS_Eval, _Value, pointer, text, size, text, ctypes.c_int)
        self._write = _declare(library.JS_WriteObject, pointer, pointer, ctypes.POINTER(size), _Value, ctypes.c_int)
        self._read = _declare(library.JS_ReadObject, _Value, pointer, text, size, ctypes.c_int)
        self._run = _declare(library.JS_EvalFunction, _Value, pointer, _Value)
        self._free = _declare(library.js_free, None, pointer, pointer)
        self._set = _declare(library.JS_SetPropertyStr, ctypes.c_int, pointer, _Value, text, _Value)
        self._set_tracker = _declare(library.JS_SetHostPromiseRejectionTracker, None, pointer, _Tracker, pointer)
        self._listeners: dict[int, _Value] = {}
        self._callback = _Tracker(self._rejected)

    def compile(self, text: str, name: str) -> bytes:
        """Compile JavaScript of ours (never a script's) to bytecode, without source and line table.

        Raises:
            ValueError: It does not compile.
        """
        context = Context()
        pointer = _context(context)
        source = text.encode()
        function = self._eval(pointer, source, len(source), name.encode(), _COMPILE_ONLY)
        if function.tag == _EXCEPTION:
            raise ValueError(f"{name} does not compile")
        length = ctypes.c_size_t()
        written = self._write(pointer, ctypes.byref(length), function, _BYTECODE | _STRIP)
        data = ctypes.string_at(written, length.value)
        self._free(pointer, written)
        self._free_value(pointer, function)
        return data

    def run(self, context: Any, code: bytes) -> None:
        """Run bytecode made by :meth:`compile`."""
        self._free_value(_context(context), self._evaluate(context, code))

    def put(self, context: Any, holder: Any, name: str, code: bytes) -> None:
        """Run bytecode and put its value into the object ``holder``."""
        value = self._evaluate(context, code)
        if self._set(_context(context), _value_of(holder), name.encode(), value) < 0:
            self._clear(_context(context))
            raise MemoryError("the engine has no room for its own code")

    def _evaluate(self, context: Any, code: bytes) -> _Value:
        pointer = _context(context)
        value: _Value = self._read(pointer, code, len(code), _BYTECODE)
        if value.tag != _EXCEPTION:
            value = self._run(pointer, value)
        if value.tag == _EXCEPTION:
            self._clear(pointer)
            raise MemoryError("the engine has no room for its own code")
        return value

    def track_rejections(self, context: Any, listener: Any) -> None:
        """Tell ``listener(promise, reason, handled)`` of rejections nobody handles, and of those handled later.

        ``listener`` is a JavaScript function, called in the middle of whatever the engine is doing: it may only take
        note. It must be kept alive until :meth:`forget`.
        """
        runtime = _Interrupt.from_address(id(context)).runtime
        self._listeners[runtime] = _value_of(listener)
        self._set_tracker(runtime, self._callback, runtime)

    def forget(self, context: Any) -> None:
        runtime = _Interrupt.from_address(id(context)).runtime
        self._listeners.pop(runtime, None)

    def _rejected(self, context: int, promise: _Value, reason: _Value, handled: int, runtime: int) -> None:
        listener = self._listeners.get(runtime)
        if listener is None:
            return
        told = (_Value * 3)(promise, reason, _Value(1 if handled & 0xFF else 0, _BOOL))
        result = self._call(context, listener, _Value(0, _UNDEFINED), 3, told)
        if result.tag == _EXCEPTION:
            self._clear(context)

    def _clear(self, context: int) -> None:
        self._free_value(context, self._get_exception(context))


def _declare(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    function.restype = result
    function.argtypes = arguments
    return function  # type: ignore[no-any-return]


def _context(context: Any) -> int:
    return _Interrupt.from_address(id(context)).context  # type: ignore[no-any-return]


def _value_of(item: Any) -> _Value:
    """Return the value inside a ``quickjs.Object``, borrowed from it."""
    return _Value.from_address(id(item) + _HEAD + _POINTER)


@dataclass(frozen=True, slots=True)
class Native:
    """What works here.

    Attributes:
        interrupt: Scripts can be stopped from outside.
        heap: Their heap can be read while they run.
        symbols: The engine's own functions, or None: rejections that nobody handles then go unnoticed, and VMs take
            longer to make.
        missing: Why a piece is not there, by its name.
    """

    interrupt: bool
    heap: bool
    symbols: Symbols | None
    missing: dict[str, str]


def probe() -> Native:
    """Try each piece on a scratch context. Takes a few milliseconds."""
    missing: dict[str, str] = {}
    interrupt = heap = False
    symbols: Symbols | None = None
    if sys.platform == "win32" or _POINTER != 8:
        reason = f"not known to work on {sys.platform} with {_POINTER * 8}-bit pointers"
        missing = {"interrupt": reason, "heap": reason, "symbols": reason}
    else:
        interrupt = _attempt("interrupt", _probe_interrupt, missing)
        heap = interrupt and _attempt("heap", _probe_heap, missing)
        if heap:
            try:
                symbols = Symbols()
            except (AttributeError, OSError) as error:
                missing["symbols"] = str(error)
            else:
                if not _attempt("symbols", lambda: _probe_symbols(symbols), missing):
                    symbols = None
    return Native(interrupt, heap, symbols, missing)


def _attempt(name: str, check: Callable[[], bool], missing: dict[str, str]) -> bool:
    if check():
        return True
    missing[name] = "the layout of this build of quickjs-ng is not the one that was measured"
    return False


def _probe_interrupt() -> bool:
    context = Context()
    context.set_time_limit(1.5)
    context.eval("0")
    data = _Interrupt.from_address(id(context))
    if (data.has_time_limit, data.time_limit, data.limit) != (1, 1_500_000, 1_500_000):
        return False
    if abs(data.start - time.process_time() * 1e6) > 60e6 or data.thread_state:
        return False
    context = Context()
    arm(context)
    data = _Interrupt.from_address(id(context))
    if data.has_time_limit != 0 or context.eval(f"let i = 0; {_LOOP}") != _ROUNDS:
        return False
    trip(context)
    try:
        context.eval(_LOOP)
    except JSException as error:
        untrip(context)
        return "interrupted" in str(error) and context.eval(_LOOP) == _ROUNDS
    return False


def _probe_heap() -> bool:
    context = Context()
    odd = 123_456_789
    context.set_memory_limit(odd)
    runtime = _Interrupt.from_address(id(context)).runtime
    limit = ctypes.c_size_t.from_address(runtime + _MALLOC_LIMIT).value
    return limit == odd and heap_size(context).value == context.memory()["malloc_size"]


def _probe_symbols(symbols: Symbols | None) -> bool:
    assert symbols is not None
    context = Context()
    code = symbols.compile("globalThis.seen = []; globalThis.tell = (p, r, h) => seen.push([r, h])", "<probe>")
    symbols.run(context, code)
    listener = context.get("tell")
    symbols.track_rejections(context, listener)
    context.eval("const p = Promise.reject(7); p.catch(() => 0); Promise.reject(8); 0")
    seen = context.eval("JSON.stringify(seen)")
    symbols.forget(context)
    return bool(seen == "[[7,false],[7,true],[8,false]]")
