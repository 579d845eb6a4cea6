"""Programs and their cache, the VMs, the switch of hooks, the plugin, the prelude's own code."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from llmspell.engine import GuestLimits, Source
from llmspell.errors import ConfigError, ScriptSyntaxError
from llmspell_lua import plugin
from llmspell_lua.engine import LuaEngine
from llmspell_lua.hooks import HookSwitch
from llmspell_lua.prelude_parts import DEPENDS, EAGER, LAZY
from llmspell_lua.programs import PROGRAM_CODEC, display_name, needs_of, shorten
from llmspell_lua.vm import VMS, Vm

PRELUDE = resources.files("llmspell_lua").joinpath("prelude")


def test_a_program_is_compiled_once() -> None:
    engine = LuaEngine()
    first = engine.compile(Source("return 1", "/a/x.lua"))
    assert engine.compile(Source("return 1", "/b/x.lua")) is first  # the same text under the same display name
    assert engine.compile(Source("return 1", "/a/y.lua")) is not first
    metrics = engine.program_metrics
    assert (metrics.hits, metrics.misses, metrics.entries) == (1, 2, 2)
    engine.close()
    assert engine.program_metrics.entries == 0


def test_programs_are_let_go_of_by_number_size_and_age() -> None:
    engine = LuaEngine(cache_entries=2)
    for n in range(3):
        engine.compile(Source(f"return {n}"))
    assert engine.program_metrics.evictions == 1
    engine = LuaEngine(cache_bytes=100)
    engine.compile(Source("return 'a long enough text to be more than a hundred bytes with its bytecode'"))
    assert engine.program_metrics.entries == 0
    engine = LuaEngine(cache_ttl=0.0)
    engine.compile(Source("return 1"))
    engine.compile(Source("return 1"))
    assert engine.program_metrics.expirations == 1


def test_programs_are_kept_on_disk_where_asked_for(tmp_path: Path, talk_to: Any) -> None:
    first = LuaEngine(disk=str(tmp_path))
    program = first.compile(Source("local t = {2, 1} table.sort(t) return t", "/x/spell.lua"))
    second = LuaEngine(disk=str(tmp_path))
    again = second.compile(Source("local t = {2, 1} table.sort(t) return t", "/x/spell.lua"))
    assert again == program
    assert second.program_metrics.disk_hits == 1
    assert talk_to(second)("local t = {2, 1} table.sort(t) return t", name="/x/spell.lua") == [1, 2]
    assert PROGRAM_CODEC.load(PROGRAM_CODEC.dump(program) or b"") == program


def test_a_program_of_another_vm_is_not_taken(tmp_path: Path) -> None:
    LuaEngine(disk=str(tmp_path)).compile(Source("return 1"))
    other = LuaEngine(vm="lua55", disk=str(tmp_path))
    other.compile(Source("return 1"))
    assert other.program_metrics.disk_hits == 0


def test_a_source_that_would_keep_the_parser_busy_is_refused() -> None:
    engine = LuaEngine()
    for text in ("::a:: " * 30_000, "goto a " * 30_000, "-- " + "x" * 5_000_000):
        with pytest.raises(ScriptSyntaxError, match="too large"):
            engine.compile(Source(text))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/home/me/spell.lua", "spell.lua"),
        ("C:\\spells\\a.lua", "a.lua"),
        ("<eval>", "<eval>"),
        ("<stdin>", "<stdin>"),
        ("plain", "plain"),
        ("x" * 80 + ".lua", "..." + "x" * 46 + ".lua"),
        ("ä" * 60, "..." + "ä" * 25),
    ],
)
def test_scripts_see_a_short_name_without_directories(name: str, shown: str) -> None:
    assert display_name(name) == shown
    assert len(shorten(shown).encode()) < 60


def test_long_names_stay_whole_in_failures(talk: Any) -> None:
    name = "/deep/" + "d" * 70 + "/" + "f" * 70 + ".lua"
    failure = talk.failure("\nerror('x')", name=name)
    assert (failure.file, failure.line, failure.message) == (name, 2, "x")


def test_parts_of_the_prelude_that_a_source_mentions_are_known() -> None:
    assert needs_of("return 1") == ()
    assert needs_of("for w in s:gmatch('x') do end") == ("strings",)
    assert needs_of("coroutine.wrap(f) table.sort(t)") == ("coroutines", "tables")


def test_only_known_vms_are_offered() -> None:
    assert VMS == ("lua54", "lua55")
    with pytest.raises(ConfigError, match="luajit21"):
        LuaEngine(vm="luajit21")
    with pytest.raises(ConfigError, match="auto, switch or count"):
        LuaEngine(interrupt="never")
    with pytest.raises(TypeError):
        LuaEngine(pool={"nonsense": 1})


def test_a_vm_tells_its_version() -> None:
    assert re.fullmatch(r"5\.4/lupa-\d+\.\d+.*", LuaEngine().version)
    assert LuaEngine(vm="lua55").version.startswith("5.5/")


def test_a_runtime_holds_no_way_into_python() -> None:
    runtime = Vm.load("lua54").runtime()
    with pytest.raises(Exception, match="denied"):
        runtime.execute(b"local f = ... return f.__class__", print)
    assert runtime.eval(b"python.eval == nil and python.builtins == nil") is True


@pytest.mark.parametrize("name", VMS)
def test_the_switch_of_hooks_is_shown_to_work(name: str) -> None:
    vm = Vm.load(name)
    switch = HookSwitch.probe(vm)
    if switch is None:
        pytest.skip("this build of lupa does not export lua_sethook")
    assert LuaEngine(vm=name, interrupt="switch").switch is not None
    assert LuaEngine(vm=name, interrupt="count").switch is None


def test_a_module_without_the_symbols_has_no_switch() -> None:
    import _json

    assert HookSwitch.probe(Vm("x", _json, MemoryError)) is None


def test_no_hook_runs_while_nothing_is_wrong(engine: LuaEngine, talk: Any) -> None:
    """Without a limit of steps a script's instructions are not counted: its hook is off until it must stop."""
    if engine.switch is None:
        pytest.skip("this build of lupa does not export lua_sethook")
    import ctypes

    library = ctypes.PyDLL(engine._vm.module.__file__)
    mask = library.lua_gethookmask
    mask.argtypes, mask.restype = (ctypes.c_void_p,), ctypes.c_int
    for limits, expected in ((GuestLimits(), 0), (GuestLimits(steps=10**9), 8)):
        guest = talk.open(limits)
        guest._state.start(engine.compile(Source("return 1")), None, ())
        assert [mask(address) for address in guest._state._threads] == [expected]
        guest.close()


def test_the_plugin_offers_the_engine_without_loading_it() -> None:
    (spec,) = plugin.llmspell_engines()
    assert (spec.name, spec.extensions, spec.factory) == ("lua", (".lua",), "llmspell_lua.engine:LuaEngine")
    assert spec.capabilities.suspends
    assert "recursion" not in spec.capabilities.inline
    code = "import sys, llmspell_lua.plugin as p; p.llmspell_engines(); print('lupa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# The prelude's own code


def prelude_files() -> list[str]:
    return sorted(item.name.removesuffix(".lua") for item in PRELUDE.iterdir() if item.name.endswith(".lua"))


def code_of(part: str) -> str:
    """Return a part without its comments and strings."""
    text = PRELUDE.joinpath(f"{part}.lua").read_text("utf-8")
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"--[^\n]*", "", text)


def test_every_file_of_the_prelude_is_a_part_of_it() -> None:
    assert prelude_files() == sorted((*EAGER, *LAZY))
    assert set(DEPENDS) <= set(LAZY)
    assert {other for others in DEPENDS.values() for other in others} <= set(LAZY)


@pytest.mark.parametrize("part", [*EAGER, *LAZY])
def test_the_prelude_calls_no_method_of_a_string(part: str) -> None:
    """Methods of strings are looked up in a table of the script's. A ``host`` is a host object."""
    calls = re.findall(r"([\w\]\)\"]+):[a-z_]+\(", code_of(part))
    assert [receiver for receiver in calls if receiver != "host"] == []


@pytest.mark.parametrize("part", [*EAGER, *LAZY])
def test_a_part_says_what_it_is(part: str) -> None:
    text = PRELUDE.joinpath(f"{part}.lua").read_text("utf-8")
    assert text.startswith("-- ")
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("part", [*EAGER, *LAZY])
def test_a_part_uses_no_global_that_does_not_exist(part: str) -> None:
    """Read from the bytecode: every access to _ENV with a constant name."""
    runtime = Vm.load("lua54").runtime()
    text = PRELUDE.joinpath(f"{part}.lua").read_bytes()
    dump = runtime.eval(b"function(text) return string.dump(assert(load(text, '=p', 't')), false) end")(text)
    known = {key.decode() for key in runtime.globals()}
    assert Chunk(dump).globals() <= known


class Chunk:
    """Just enough of a reader of Lua 5.4 bytecode to find the globals that it names."""

    GETTABUP, SETTABUP = 11, 15

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 4 + 1 + 1 + 6 + 1 + 1 + 1 + 8 + 8 + 1
        self.found: set[str] = set()
        self.function()

    def globals(self) -> set[str]:
        return self.found

    def byte(self) -> int:
        self.at += 1
        return self.raw[self.at - 1]

    def size(self) -> int:
        value = 0
        while True:
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if byte & 0x80:
                return value

    def skip(self, width: int) -> None:
        count = self.size()
        self.at += width * count

    def text(self) -> bytes:
        length = self.size()
        if length:
            self.at += length - 1
        return self.raw[self.at - max(length - 1, 0) : self.at]

    def function(self) -> None:
        self.text()
        self.size()
        self.size()
        self.at += 3
        count = self.size()
        code = [int.from_bytes(self.raw[self.at + 4 * i : self.at + 4 * i + 4], "little") for i in range(count)]
        self.at += 4 * count
        constants: list[bytes] = []
        for _ in range(self.size()):
            kind = self.byte()
            constants.append(b"")
            if kind in (3, 19):
                self.at += 8
            elif kind in (4, 20):
                constants[-1] = self.text()
        self.skip(3)
        for _ in range(self.size()):
            self.function()
        self.skip(1)
        for _ in range(self.size()):
            self.size()
            self.size()
        for _ in range(self.size()):
            self.text()
            self.size()
            self.size()
        upvalues = [self.text() for _ in range(self.size())]
        for word in code:
            operation, a, b, c = word & 0x7F, word >> 7 & 0xFF, word >> 16 & 0xFF, word >> 24 & 0xFF
            if operation == self.GETTABUP and upvalues[b] == b"_ENV":
                self.found.add(constants[c].decode())
            elif operation == self.SETTABUP and upvalues[a] == b"_ENV":
                self.found.add(constants[b].decode())


def test_the_reader_of_bytecode_finds_globals() -> None:
    runtime = Vm.load("lua54").runtime()
    dump = runtime.eval(b"function(text) return string.dump(load(text), false) end")
    assert Chunk(dump(b"local x = 1 print(x, y.z) function f() return g + x end")).globals() == {"print", "y", "f", "g"}
