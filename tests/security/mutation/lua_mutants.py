"""The Lua engine with a defence of its prelude taken out. The zygote imports this, so that its workers have it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mutation:
    """A defence of the Lua prelude.

    Attributes:
        edits: What takes it out: part of the prelude, its text, and what stands there instead.
        attack: A file of the corpus, or Lua that returns true if it got through; ``params.code`` is bytecode.
    """

    attack: str
    edits: tuple[tuple[str, str, str], ...]


YIELDS = '"running", "status", "wrap", "yield" }'
MUTATIONS: dict[str, Mutation] = {
    "no bytecode": Mutation(
        "return load(params.code) ~= nil",
        (
            ("loader", "byte(chunk, 1) == 27 or ", "false or "),
            ("loader", 'chunk or name, "t", env)', 'chunk or name, "bt", env)'),
        ),
    ),
    "no string.dump": Mutation("escape-string-dump.lua", (("globals", "copy.dump = nil", ""),)),
    "no finalizers": Mutation(
        "return (pcall(setmetatable, {}, { __gc = function() end }))",
        (("globals", 'if type(mt) == "table" and rawget(mt, "__gc") ~= nil then', "if false then"),),
    ),
    "the locked metatable of strings": Mutation(
        "state-string-metatable.lua", (("globals", "string_metatable.__metatable = false", ""),)
    ),
    "the locked metatable of globals": Mutation(
        "return type(getmetatable(_G)) == 'table'",
        (("globals", "{ __metatable = false, __index = resolve", "{ __index = resolve"),),
    ),
    "globals of one's own": Mutation(
        "local seen = left_behind left_behind = true return seen == true",
        (
            (
                "globals",
                "setmetatable(env, globals)",
                "P.shared or rawset(P, 'shared', setmetatable(env, globals)).shared",
            ),
        ),
    ),
    "libraries of one's own": Mutation(
        "escape-os-exit.lua", (("globals", "local copy = {}", "do return originals[name] end local copy = {}"),)
    ),
    "globals that are listed": Mutation(
        "escape-debug-library.lua", (("globals", "_VERSION = _VERSION,", "_VERSION = _VERSION, debug = debug,"),)
    ),
    "load into the run's globals": Mutation(
        "escape-load-real-env.lua", (("loader", "local env = P.environment()", "local env = _G"),)
    ),
    "yields that only tasks make": Mutation(
        "protocol-yield-forge.lua", (("globals", YIELDS, YIELDS.replace(', "yield"', "")),)
    ),
}


class _File:
    def __init__(self, place: Any, part: str, edits: tuple[tuple[str, str, str], ...]) -> None:
        self._place, self._part, self._edits = place, part, edits

    def read_bytes(self) -> bytes:
        text = self._place.read_text(encoding="utf-8")
        for part, old, new in self._edits:
            if part == self._part:
                if text.count(old) != 1:
                    raise AssertionError(f"{part}.lua no longer says {old!r} once")
                text = text.replace(old, new)
        return text.encode()


class _Folder:
    def __init__(self, place: Any, edits: tuple[tuple[str, str, str], ...]) -> None:
        self._place, self._edits = place, edits

    def joinpath(self, name: str) -> Any:
        place = self._place.joinpath(name)
        if name.endswith(".lua"):
            return _File(place, name.removesuffix(".lua"), self._edits)
        return _Folder(place, self._edits)


def make(mutation: str = "", **options: Any) -> Any:
    """Make the engine, with one mutation."""
    from llmspell_lua import prelude_parts
    from llmspell_lua.engine import LuaEngine

    class Files:
        @staticmethod
        def files(package: str) -> Any:
            return _Folder(true_files(package), MUTATIONS[mutation].edits if mutation else ())

    true_files = prelude_parts.resources.files
    before = prelude_parts.resources
    prelude_parts.resources = Files  # type: ignore[assignment]
    try:
        return LuaEngine(**options)
    finally:
        prelude_parts.resources = before
