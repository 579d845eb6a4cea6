"""The conformance suite on the Lua engine, inside this process."""

from __future__ import annotations

from llmspell.testing import EngineConformance


class TestLua(EngineConformance):
    engine_spec = "lua"
