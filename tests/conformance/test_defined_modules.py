"""Modules that the host's program defines, required by scripts of every language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmspell import BridgeCallError, Host, MemoryRecorder, Policy, Source
from llmspell.engine.modules import Bundle, ModuleDefinition
from llmspell.errors import EngineNotFoundError, LlmspellError

SOURCES = {
    "lua": (
        "local t = require('greet'); return t.hello('Ada')",
        "return {hello = function(n) return 'Hello, ' .. n end}",
    ),
    "javascript": ("return require('greet').hello('Ada')", "exports.hello = n => 'Hello, ' + n"),
    "tengo": (
        'greet := import("greet")\nexport greet.hello("Ada")',
        'export {hello: func(n) { return "Hello, " + n }}',
    ),
}


@pytest.fixture
def host():
    with Host(config={}) as made:
        yield made


@pytest.fixture(params=sorted(SOURCES))
def language(request, host):
    try:
        host.plugins.engine(request.param)
    except EngineNotFoundError as error:
        pytest.skip(f"{error.message} ({error.hint})")
    return request.param


def test_a_script_requires_a_module_of_the_host(host, language) -> None:
    script, module = SOURCES[language]
    host.modules.defined.add(ModuleDefinition("greet", Source(module, language=language)))
    with host.session(Policy.minimal()) as session:
        assert session.eval(language, script).value == "Hello, Ada"


def test_a_module_of_the_host_that_is_not_granted_is_refused(host, language) -> None:
    script, module = SOURCES[language]
    host.modules.defined.add(ModuleDefinition("greet", Source(module, language=language)))
    policy = Policy.minimal()
    policy = replace(policy, grants=replace(policy.grants, modules=frozenset()))
    with host.session(policy) as session, pytest.raises(BridgeCallError, match="does not grant the module 'greet'"):
        session.eval(language, script)


def test_a_module_may_be_in_another_language(host, language) -> None:
    if language != "lua":
        pytest.skip("one direction is enough here; the suites of the languages have all")
    host.modules.defined.add(ModuleDefinition("greet", Source(SOURCES["javascript"][1], language="javascript")))
    with host.session(Policy.minimal()) as session:
        assert session.eval("lua", SOURCES["lua"][0]).value == "Hello, Ada"


TRACED = {
    "lua": 'require("log").info("NAME"); USES return {of = "NAME"}',
    "javascript": 'require("log").info("NAME"); USES exports.of = "NAME";',
    "tengo": 'log := import("log")\nlog.info("NAME")\nUSES\nexport {of: "NAME"}',
}
USE = {"lua": 'require("NAME");', "javascript": 'require("NAME");', "tengo": 'import("NAME")'}
MAIN = {
    "lua": 'local m = require("NAME"); return PATH',
    "javascript": 'const m = require("NAME"); return PATH',
    "tengo": 'm := import("NAME")\nexport PATH',
}


def traced(language: str, name: str, uses: str = "", **more: object) -> ModuleDefinition:
    """A module that logs when it is loaded."""
    text = TRACED[language].replace("NAME", name).replace("USES", USE[language].replace("NAME", uses) if uses else "")
    return ModuleDefinition(name, Source(text, language=language), **more)


def loaded_by(host, language, name: str, path: str) -> tuple[object, list[object]]:
    """Require a module; return what of it was asked for, and what was loaded, in order.

    Tengo evaluates a module with every import; the first time counts.
    """
    recorder = MemoryRecorder()
    with host.session(Policy.minimal(), recorder=recorder) as session:
        value = session.eval(language, MAIN[language].replace("NAME", name).replace("PATH", path)).value
    return value, list(dict.fromkeys(record.args[0] for record in recorder.records if record.target == "log"))


def test_what_a_module_depends_on_is_loaded_before_it_by_priority(host, language) -> None:
    for module in (
        traced(language, "app", dependencies=("text>=1,<2", "base")),
        traced(language, "text", dependencies=("base",)),
        traced(language, "text", version="2.0"),
        traced(language, "base", priority=90),
        traced(language, "early", priority=1),
    ):
        host.modules.defined.add(module)
    assert loaded_by(host, language, "app", "m.of") == ("app", ["base", "text", "app"])


def test_a_bundle_is_a_table_of_its_members(host, language) -> None:
    for module in (
        Bundle("kit", ("slow", "quick>=1", "inner")),
        Bundle("inner", ("deep",)),
        traced(language, "slow", priority=90),
        traced(language, "quick", priority=10),
        traced(language, "deep", dependencies=("quick",)),
    ):
        host.modules.defined.add(module)
    path = "m.slow.of + m.inner.deep.of" if language != "lua" else "m.slow.of .. m.inner.deep.of"
    assert loaded_by(host, language, "kit", path) == ("slowdeep", ["quick", "deep", "slow"])


def test_a_version_can_be_asked_for_by_name(host, language) -> None:
    host.modules.defined.add(traced(language, "text", version="1.0"))
    host.modules.defined.add(traced(language, "text", version="2.0"))
    assert loaded_by(host, language, "text@1.0", "m.of")[0] == "text"
    with host.session(Policy.minimal()) as session, pytest.raises(LlmspellError, match=r"no version of module 'text'"):
        session.eval(language, MAIN[language].replace("NAME", "text@3").replace("PATH", "m"))


def test_modules_that_require_each_other_while_loading_name_the_circle(host, language) -> None:
    host.modules.defined.add(traced(language, "one", uses="two"))
    host.modules.defined.add(traced(language, "two", uses="one"))
    circle = r"one@1\.0\.0 -> two@1\.0\.0 -> one@1\.0\.0" if language != "tengo" else r"cyclic module import: one@"
    with host.session(Policy.minimal()) as session, pytest.raises(LlmspellError, match=circle):
        session.eval(language, MAIN[language].replace("NAME", "one").replace("PATH", "m"))


def test_a_misspelt_module_suggests_the_hosts(host, language) -> None:
    host.modules.defined.add(traced(language, "textual"))
    with host.session(Policy.minimal()) as session, pytest.raises(LlmspellError) as caught:
        session.eval(language, MAIN[language].replace("NAME", "textuals").replace("PATH", "m"))
    assert "textual'" in f"{caught.value.message} {caught.value.hint}".replace("'textuals'", "")
