"""Load an engine in the process that is going to run it, or to fork those that are."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

from llmspell.engine.contract import ScriptEngine
from llmspell.runtime.hardening.plan import Hardening
from llmspell.runtime.worker.protocol import EngineOrder, Order

_ONE_ARENA = (-8, 1)  # M_ARENA_MAX: else every thread reserves 64 MiB of the address space that is limited


def one_arena() -> None:
    """Let all threads of this process share one heap, where the C library knows of more."""
    with suppress(AttributeError, OSError, TypeError):  # another libc has no such thing, and no arenas either
        ctypes.CDLL(None).mallopt(*_ONE_ARENA)


def load_engine(order: EngineOrder) -> ScriptEngine:
    """Make an engine, with everything it would otherwise load later.

    Raises:
        RuntimeError: Loading it left threads running.
        BaseException: Whatever the plugin raises.
    """
    module, _, attribute = order.factory.partition(":")
    factory: Any = importlib.import_module(module)
    for part in attribute.split("."):
        factory = getattr(factory, part)
    engine: ScriptEngine = factory(**order.options)
    # What an engine leaves for later cannot be loaded any more once a worker has given up its files.
    preload = getattr(engine, "preload", None)
    if preload is not None:
        preload()
    if threads := _threads():
        raise RuntimeError(
            f"loading the engine left {threads} threads running; what is forked then may never get a lock"
        )
    gc.freeze()  # it is never collected; so forked workers share what it has loaded
    return engine


def plan_of(order: Order) -> Hardening:
    """Return an order's plan, with the files of the engine that is loaded now where the order says so."""
    plan = order.plan
    if not order.engine_files:
        return plan
    return replace(plan, readable=tuple(dict.fromkeys((*plan.readable, *_loaded_from()))))


def _threads() -> int:
    """Count the threads besides this one, those of native libraries included."""
    try:
        return len(os.listdir("/proc/self/task")) - 1
    except OSError:
        return threading.active_count() - 1


def _loaded_from() -> tuple[str, ...]:
    """List the directories that loaded modules came from: each top-level package's, and the standard library's."""
    found = {os.path.dirname(os.__file__)}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or name == "__main__":
            continue
        top = sys.modules.get(name.partition(".")[0])
        paths = getattr(top, "__path__", None)
        found.update(paths or (file,))
    library = os.path.dirname(os.__file__) + os.sep
    return tuple(sorted(path for path in found if not path.startswith(library)))
