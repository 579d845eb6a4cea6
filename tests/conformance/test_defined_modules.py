"""Modules that the host's program defines, required by scripts of every language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmspell import BridgeCallError, Host, Policy, Source
from llmspell.engine.modules import ModuleDefinition
from llmspell.errors import EngineNotFoundError

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
