"""Every bridge of the house against the kit that third parties use."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from llmspell.bridge import exports_of
from llmspell.plugin import BridgeSpec
from llmspell.testing import BridgeConformance, Example
from llmspell.testing.bridge import RESERVED
from llmspell_std.plugin import llmspell_bridges

SPECS = {spec.name: spec for spec in llmspell_bridges()}


class StdConformance(BridgeConformance):
    """The kit, with one exception for names the original system has, such as ``log.error``."""

    def test_export_is_named_for_every_language(self, export: str) -> None:
        """A name that is a word of one language is fine if the same function has another name, too."""
        exports = exports_of(self.bridge_class())
        others = [name for name, found in exports.items() if found.function is exports[export].function]
        if export in RESERVED and any(name not in RESERVED for name in others):
            return
        super().test_export_is_named_for_every_language(export)


def conformance(name: str, *examples: Example) -> type[StdConformance]:
    class Suite(StdConformance):
        bridge: ClassVar[Any] = SPECS[name]
        requires: ClassVar[tuple[Any, ...]] = tuple(SPECS[each] for each in SPECS[name].requires)

    Suite.examples = examples
    return Suite


TestAuth = conformance(
    "auth",
    Example("detect_scheme", ({"username": "a", "password": "b"},), expected="basic"),
    Example("parse_jwt_claims", ("x",), error="invalid_token"),
)
TestCore = conformance(
    "core", Example("trim", (" x ",), expected="x"), Example("sleep", (-1,), error="invalid_argument")
)
TestData = conformance(
    "data", Example("parse_json", ("[1]",), expected=[1]), Example("parse_json", ("[",), error="invalid_json")
)
TestErrors = conformance(
    "errors", Example("categorize", ("connection lost",), expected="network"), Example("raise", ("x", "y"), error="y")
)
TestEvents = conformance(
    "events", Example("emit", ("x",), expected=False), Example("get_aggregated_data", (1,), error="not_found")
)
TestFs = conformance(
    "fs", Example("exists", ("/no/such/file",), expected=False), Example("read", ("",), error="invalid_path")
)
TestHooks = conformance("hooks", Example("list_hooks", expected=[]), Example("enable_hook", ("x",), error="not_found"))
TestHttp = conformance(
    "http", Example("allows", ("example.org",), expected=True), Example("get", ("nonsense",), error="invalid_url")
)
TestJson = conformance(
    "json", Example("minify", ("[ 1 ]",), expected="[1]"), Example("decode", ("",), error="invalid_json")
)
TestLog = conformance("log", Example("get_level", expected="info"), Example("export", ("xml",), error="unknown_format"))
TestState = conformance("state", Example("has", ("x",), expected=False), Example("get", ("",), error="invalid_path"))
TestTerminal = conformance(
    "terminal", Example("interactive", expected=False), Example("read_line", error="no_terminal")
)
TestTesting = conformance(
    "testing", Example("get_results", expected=None), Example("assert_equals", (1, 2), error="assertion")
)
TestUtil = conformance(
    "util",
    Example("format_duration", (5_430_000,), expected="1h30m30s"),
    Example("parse_human_duration", ("x",), error="invalid_duration"),
)


def test_every_bridge_has_a_suite() -> None:
    suites = [kind for kind in globals().values() if isinstance(kind, type) and issubclass(kind, StdConformance)]
    assert {
        kind.bridge.name for kind in suites if isinstance(getattr(kind, "bridge", None), BridgeSpec)
    } == SPECS.keys()


@pytest.mark.parametrize("name", SPECS)
def test_descriptions_say_something(name: str) -> None:
    assert SPECS[name].description
