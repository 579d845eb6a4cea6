"""The conformance suite on the JavaScript engine, inside this process."""

from __future__ import annotations

from llmspell.testing import EngineConformance


class TestJavaScript(EngineConformance):
    engine_spec = "javascript"
