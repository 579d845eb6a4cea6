"""The conformance suite on the Tengo engine, inside this process."""

from __future__ import annotations

from llmspell.testing import EngineConformance


class TestTengo(EngineConformance):
    engine_spec = "tengo"
