"""Every defence of the Lua prelude is one: in a worker whose engine lacks it, an attack gets through."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llmspell import Host, LlmspellError, Policy, Source
from llmspell.plugin import hookimpl

HERE = Path(__file__).parent
CORPUS = HERE.parent / "corpus" / "lua"

plugin = pytest.importorskip("llmspell_lua.plugin", reason="the lua engine is not installed")


class Mutant:
    def __init__(self, mutation: str) -> None:
        self.mutation = mutation

    @hookimpl
    def llmspell_engines(self) -> list[Any]:
        (spec,) = plugin.llmspell_engines()
        return [dataclasses.replace(spec, factory="lua_mutants:make", options={"mutation": self.mutation})]


def bytecode() -> bytes:
    from lupa import lua54

    dump: bytes = lua54.LuaRuntime(encoding=None).eval(b"string.dump(function() return 1 end)")
    return dump


@pytest.fixture
def got_through(corpus: list[Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], bool]:
    """Tell whether an attack gets through an engine with a mutation, at level standard."""
    monkeypatch.syspath_prepend(str(HERE))
    by_name = {attack.path.name: attack for attack in corpus}

    def attempt(mutation: str, attack: str) -> bool:
        policy = Policy.standard().narrow(time=2, memory="24MB")
        with Host(config={}, block=["lua"]) as host:
            host.register(Mutant(mutation), "mutant")
            with host.session(policy=policy) as session:
                known = by_name.get(attack)
                if known is None:
                    session.eval("lua", attack, {"code": bytecode()})
                    return session.eval("lua", attack, {"code": bytecode()}).value is True
                try:
                    outcome: Any = session.run(Source(known.path.read_text("utf-8"), attack, "lua")).value
                except LlmspellError as error:
                    outcome = error
                return known.judge(outcome) is not None

    return attempt


def test_an_attack_gets_through_only_where_its_defence_is_missing(
    lua_defence: str, mutants: ModuleType, got_through: Callable[[str, str], bool]
) -> None:
    attack = mutants.MUTATIONS[lua_defence].attack
    assert not got_through("", attack)
    assert got_through(lua_defence, attack)
