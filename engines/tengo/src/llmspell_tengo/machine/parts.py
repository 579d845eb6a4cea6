"""The parts of the runtime: which file brings what, and their bytecode.

Most of the runtime is loaded into a state when a program first uses it, which keeps a waiting guest small.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

ALWAYS = ("base", "limits", "driver")
"""Loaded into every state, in this order."""

_FILES = (
    *("allocations", "args", "arithmetic", "bytes", "calls", "channel_passing", "channel_select", "channel_shared"),
    *("chars", "containers", "convert", "copying", "decode"),
    *("division", "encode", "ending", "floats", "format", "futures", "globals", "growing", "host", "immutable"),
    *("invocations", "json_reading", "json_writing", "lists", "live", "loops", "modules", "numbers", "os"),
    *("refusals", "show", "strings", "tasks", "text_numbers", "text_regexps", "text_trimming", "things", "time"),
    *("truth", "types", "verbs"),
)
STANDARD = ("base64", "fmt", "hex", "json", "math", "rand", "text", "times")
"""Standard modules of the reference; each is a part of the same name."""
CONCURRENT = ("async", "channel", "promise", "stream")
"""Modules of our own; their functions may run script code and let other tasks run."""

NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "args": ("calls",),
        "arithmetic": ("chars",),
        "async": ("calls", "containers", "tasks", "modules"),
        "base64": ("args", "modules"),
        "bytes": ("calls", "containers", "show"),
        "channel": ("channel_select", "modules"),
        "channel_passing": ("calls", "containers", "tasks"),
        "channel_select": ("channel_passing",),
        "channel_shared": ("channel_passing",),
        "copying": ("containers",),
        "fmt": ("show", "modules"),
        "format": ("verbs",),
        "futures": ("show",),
        "hex": ("args", "modules"),
        "json": ("show", "modules"),
        "json_writing": ("show", "base64"),
        "live": ("show",),
        "math": ("args", "modules"),
        "os": ("args", "bytes", "chars", "things", "time", "immutable"),
        "promise": ("async",),
        "rand": ("args", "modules"),
        "stream": ("calls", "containers", "things", "modules"),
        "strings": ("chars",),
        "tasks": ("futures", "live"),
        "things": ("host",),
        "text": ("text_numbers", "text_regexps", "text_trimming"),
        "text_numbers": ("args", "modules"),
        "text_regexps": ("args", "modules"),
        "text_trimming": ("args", "modules"),
        "time": ("calls", "show"),
        "times": ("args", "modules", "time"),
    }
)
"""Parts that a part uses while it is being loaded."""

_DEFINITION = re.compile(
    r"^\s*(?:function R\.(\w+)\(|(R\.\w+(?:, R\.\w+)*) = |(?:define|conversion|test)\(\"(\w+)\")", re.M
)
_TABLE_KEY = re.compile(r"^  (is_\w+) = \"", re.M)


@cache
def source(name: str) -> bytes:
    """Read a file of the runtime."""
    return (importlib.resources.files("llmspell_tengo") / "runtime" / name).read_bytes()


@cache
def providers() -> Mapping[str, str]:
    """Return which part brings each name of the runtime, read off the definitions in their sources."""
    found: dict[str, str] = {}
    for part in _FILES:
        text = source(f"{part}.lua").decode()
        builtins = 'R["builtin_" .. name] = f' in text
        for function, fields, builtin in _DEFINITION.findall(text):
            if builtin and builtins:
                found.setdefault(f"builtin_{builtin}", part)
            for field in [function] if function else fields.split(", "):
                found.setdefault(field.removeprefix("R."), part)
        if builtins:
            for name in _TABLE_KEY.findall(text):
                found.setdefault(f"builtin_{name}", part)
    found.pop("", None)
    return MappingProxyType(found)


@cache
def bytecode(name: str) -> bytes:
    """Compile a part; all states load the same bytes.

    Names of variables and lines of code are left out: they would cost each state as much as the code.
    """
    from llmspell_tengo.machine.vm import new_runtime

    dump = new_runtime().eval(b"function(text, name) return string.dump(assert(load(text, name, 't')), true) end")
    return bytes(dump(source(f"{name}.lua"), f"={name}".encode()))


def load_all() -> None:
    """Read and compile every part now, where files can still be read."""
    providers()
    for name in (*ALWAYS, *_FILES, *STANDARD, *CONCURRENT):
        bytecode(name)
