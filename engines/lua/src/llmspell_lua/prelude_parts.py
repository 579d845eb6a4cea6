"""The prelude: Lua files of this package, compiled once per engine and loaded into every state."""

from __future__ import annotations

from importlib import resources

from llmspell_lua.vm import Vm

EAGER = ("control", "tasks", "globals")
"""Loaded into every state, in this order. Waiting spells are many: what not every one of them needs is not here."""

LAZY = (
    "account",
    "async",
    "channel",
    "combining",
    "coroutines",
    "cost",
    "decode",
    "encode",
    "ending",
    "errors",
    "failing",
    "forget",
    "gathering",
    "handling",
    "invocations",
    "loader",
    "matcher",
    "modules",
    "nudging",
    "objects",
    "patterns",
    "promise",
    "rejecting",
    "requiring",
    "scheduler",
    "scopes",
    "seconds",
    "selecting",
    "sharing",
    "sorter",
    "sources",
    "stopping",
    "strings",
    "substitute",
    "system",
    "tables",
    "taskproxy",
    "timers",
    "tokens",
    "unknown",
    "winding",
)
"""Loaded when a run first needs them; a state then keeps them."""


DEPENDS = {
    "async": ("scheduler", "seconds"),
    "channel": ("stopping",),
    "combining": ("async", "gathering"),
    "cost": ("strings", "patterns"),
    "gathering": ("scheduler",),
    "matcher": ("cost",),
    "promise": ("async", "rejecting"),
    "rejecting": ("scheduler",),
    "coroutines": ("failing",),
    "requiring": ("modules",),
    "scopes": ("async", "stopping"),
    "selecting": ("channel", "seconds"),
    "sharing": ("scheduler",),
    "sources": ("modules",),
    "stopping": ("errors", "scheduler"),
    "strings": ("failing",),
    "tables": ("failing",),
    "taskproxy": ("scheduler",),
    "timers": ("stopping",),
    "tokens": ("async", "stopping"),
    "winding": ("stopping",),
}
"""Parts that must be there when a part is loaded."""


class Prelude:
    """The prelude's bytecode for one VM.

    It is stripped of line numbers: scripts see neither its frames nor its positions in error messages, and a
    state of it is smaller.
    """

    def __init__(self, vm: Vm) -> None:
        dump = vm.runtime().eval(b"function(text, name) return string.dump(assert(load(text, name, 't')), true) end")
        folder = resources.files("llmspell_lua").joinpath("prelude")
        self.parts: dict[str, bytes] = {
            name: dump(folder.joinpath(f"{name}.lua").read_bytes(), f"={name}.lua".encode()) for name in (*EAGER, *LAZY)
        }
