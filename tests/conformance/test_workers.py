"""The conformance suite where guests live in workers: the same cases, the same results."""

from __future__ import annotations

import pytest

from llmspell.testing import EngineConformance

# A hardened worker is an ordinary one with less around it: the slow suite meets that one, too.


@pytest.mark.slow
class TestLuaInWorkers(EngineConformance):
    engine_spec = "lua"
    level = "standard"


class TestLuaHardened(EngineConformance):
    engine_spec = "lua"
    level = "strict"


@pytest.mark.slow
class TestJavaScriptInWorkers(EngineConformance):
    engine_spec = "javascript"
    level = "standard"


class TestJavaScriptHardened(EngineConformance):
    engine_spec = "javascript"
    level = "strict"


@pytest.mark.slow
class TestTengoInWorkers(EngineConformance):
    engine_spec = "tengo"
    level = "standard"


class TestTengoHardened(EngineConformance):
    engine_spec = "tengo"
    level = "strict"
