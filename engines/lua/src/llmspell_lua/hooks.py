"""Switching a Lua hook on from another thread, through Lua's own C interface.

A hook that counts instructions makes every instruction slower, by a factor of two on tight loops. A hook that is
switched on only when a script must stop costs nothing until then. ``lua_sethook`` is meant for that: the ``lua``
program calls it from a signal handler.
"""

from __future__ import annotations

import ctypes
from typing import Any

from llmspell_lua.vm import Vm

_MASK_COUNT = 8

_PROBE = b"""
local stopped = false
local function hook() stopped = true error("stopped", 0) end
local thread = coroutine.create(function() for i = 1, 100000 do end end)
debug.sethook(thread, hook, "", 1)
return string.format("%p", thread), function()
  coroutine.resume(thread)
  return stopped
end
"""


class HookSwitch:
    """Switch the hook of a coroutine by its address.

    A coroutine must be alive while its hook is switched, and its hook function must have been set once with
    ``debug.sethook``.
    """

    __slots__ = ("_hook", "_sethook")

    def __init__(self, sethook: Any, hook: int) -> None:
        self._sethook = sethook
        self._hook = hook

    @classmethod
    def probe(cls, vm: Vm) -> HookSwitch | None:
        """Return a switch if it is shown to work with this build, else None.

        Shown: a coroutine whose hook is switched off is not stopped, and one whose hook is switched on again is.
        """
        try:
            library = ctypes.PyDLL(vm.module.__file__)
            gethook, sethook = library.lua_gethook, library.lua_sethook
        except (OSError, AttributeError):
            return None
        gethook.argtypes, gethook.restype = (ctypes.c_void_p,), ctypes.c_void_p
        sethook.argtypes, sethook.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int), None
        for switch_on in (False, True):
            runtime = vm.runtime()
            text, run = runtime.execute(_PROBE)
            try:
                address = int(text, 16)
            except ValueError:
                return None
            hook = gethook(address)
            if not address or not hook:
                return None
            switch = cls(sethook, hook)
            switch.off(address)
            if switch_on:
                switch.on(address)
            if run() is not switch_on:
                return None
        return switch

    def off(self, address: int) -> None:
        """Switch the hook off."""
        self._sethook(address, None, 0, 0)

    def on(self, address: int) -> None:
        """Make the hook run before the coroutine's next instruction. From any thread."""
        self._sethook(address, self._hook, _MASK_COUNT, 1)
