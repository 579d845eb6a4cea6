"""``BridgeConformance``: what every bridge must do, as a test class to subclass."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from llmspell.bridge import Bridge, BridgeRegistry, BridgeSet, BridgeSpec, Export, HostObject, exports_of
from llmspell.bridge.registry import load_factory
from llmspell.errors import BridgeCallError
from llmspell.policy import Policy
from llmspell.testing.expect import check
from llmspell.testing.harness import BridgeHarness, bridge_spec_of
from llmspell.values import ValueConverter

RESERVED = frozenset({
    "and", "break", "continue", "do", "else", "elseif", "end", "error", "export", "false", "for", "func",
    "function", "goto", "if", "immutable", "import", "in", "local", "nil", "not", "or", "repeat", "return",
    "then", "true", "undefined", "until", "while",
})  # fmt: skip
"""Words that cannot stand after a dot in Lua or in Tengo."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Example:
    """One call of a bridge, and what must come of it.

    Attributes:
        expected: The value; not looked at when ``error`` is given or ``check`` is False.
        error: The code that a script sees.
    """

    method: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    error: str = ""
    check: bool = True


class BridgeConformance:
    """What every bridge must do: documented, typed exports, clear refusals, a clean life.

    Attributes:
        bridge: The bridge's class or description.
        requires: Bridges it requires, to be there too.
        examples: Calls that must work, or fail with a code.
        config: Its configuration.
        environ: The environment it may read.
        policy: Of the session; everything is granted if None.

    Example:
        A test module of a bridge's distribution::

            from llmspell.testing import BridgeConformance, Example

            class TestNotes(BridgeConformance):
                bridge = NotesBridge
                examples = (Example("count", expected=0), Example("read", ("absent",), error="not_found"))
    """

    bridge: ClassVar[BridgeSpec | type[Bridge]]
    requires: ClassVar[tuple[BridgeSpec | type[Bridge], ...]] = ()
    examples: ClassVar[Iterable[Example]] = ()
    config: ClassVar[Mapping[str, Any]] = {}
    environ: ClassVar[Mapping[str, str]] = {}
    policy: ClassVar[Policy | None] = None

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each export and each example; called by pytest."""
        if "export" in metafunc.fixturenames:
            names = sorted(exports_of(self.bridge_class()))
            metafunc.parametrize("export", names)
        if "example" in metafunc.fixturenames:
            examples = list(self.examples)
            metafunc.parametrize("example", examples, ids=[f"{e.method}-{i}" for i, e in enumerate(examples)])

    @classmethod
    def spec(cls) -> BridgeSpec:
        """Return the bridge's description."""
        return bridge_spec_of(cls.bridge)

    @classmethod
    def bridge_class(cls) -> type[Bridge]:
        """Return the bridge's class."""
        made = load_factory(cls.spec().factory, f"bridge {cls.spec().name!r}")
        return made if isinstance(made, type) else type(made())

    def harness(self) -> BridgeHarness:
        """Open a harness with the bridge and what it requires."""
        name = self.spec().name
        return BridgeHarness(
            self.bridge, *self.requires, policy=self.policy, config={name: self.config}, environ=self.environ
        )

    def _export(self, name: str) -> Export:
        return exports_of(self.bridge_class())[name]

    def test_class_and_description_agree(self) -> None:
        spec, kind = self.spec(), self.bridge_class()
        assert spec.name == kind.name, f"the class calls itself {kind.name!r}, the description {spec.name!r}"
        assert _NAME.fullmatch(spec.name), f"{spec.name!r} is no name of a module"
        assert spec.name not in RESERVED, f"{spec.name!r} is a word of a language"
        assert kind.__doc__, "the class has no docstring"
        if spec.requires or kind.requires:
            assert set(spec.requires) == set(kind.requires), "description and class require different bridges"
        assert exports_of(kind), "nothing is exported"

    def test_it_opens_and_closes_and_is_well(self) -> None:
        specs = [bridge_spec_of(bridge) for bridge in (self.bridge, *self.requires)]
        name = self.spec().name

        async def life() -> None:
            bridges = BridgeSet(
                BridgeRegistry(specs), scope=self.spec().scope, config={name: self.config}, environ=self.environ
            )
            bridge = bridges.get(name)
            bridge = bridge if isinstance(bridge, Bridge) else await bridge
            health = await bridge.health()
            assert health.get("ok") is True, f"{name} is not well: {health}"
            assert (await bridges.health())[name] == health
            await bridges.close()

        for _ in range(2):
            asyncio.run(life())

    def test_export_is_documented(self, export: str) -> None:
        found = self._export(export)
        assert found.doc, f"{export} has no docstring"
        assert found.doc.splitlines()[0].strip(), f"the docstring of {export} does not begin with a sentence"

    def test_export_is_typed(self, export: str) -> None:
        function = self._export(export).function
        hints = typing.get_type_hints(function)
        names = list(inspect.signature(function).parameters)[1:]
        untyped = [name for name in names if name not in hints]
        assert not untyped, f"{export}: no types for {', '.join(untyped)}"
        assert "return" in hints, f"{export}: no type of its result"

    def test_export_has_a_schema(self, export: str) -> None:
        schema = self._export(export).signature.json_schema()
        assert schema["type"] == "object"
        json.dumps(schema)

    def test_export_is_named_for_every_language(self, export: str) -> None:
        found = self._export(export)
        names = [export, *(parameter.name for parameter in found.signature.parameters if parameter.option)]
        for name in names:
            assert _NAME.fullmatch(name), f"{export}: {name!r} is not snake_case"
            assert name not in RESERVED, f"{export}: {name!r} is a word of a language"

    def test_defaults_are_values(self, export: str) -> None:
        for parameter in self._export(export).signature.parameters:
            if not parameter.required:
                ValueConverter().to_value(parameter.default)

    def test_wrong_arguments_are_refused_by_name(self, export: str) -> None:
        signature = self._export(export).signature
        if any(parameter.variadic for parameter in signature.parameters):
            return
        with self.harness() as harness:
            try:
                harness.call(export, *([True] * (len(signature.parameters) + 3)))
            except BridgeCallError as error:
                code, message = error.fault_code, error.message
            else:
                raise AssertionError(f"{export} took {len(signature.parameters) + 3} arguments")
        assert code in ("invalid_argument", "denied"), f"{export}: {code}: {message}"

    def test_an_unknown_export_is_refused(self) -> None:
        with self.harness() as harness:
            try:
                harness.call("no_such_export_of_anybody")
            except BridgeCallError as error:
                code = error.fault_code
            else:
                raise AssertionError("it took a call of what it does not export")
        assert code in ("unknown_method", "denied")

    def test_example(self, example: Example) -> None:
        code, message, value = "", "", None
        with self.harness() as harness:
            try:
                value = harness.call(example.method, *example.args, **example.options)
            except BridgeCallError as error:
                code, message = error.fault_code, error.message
        assert code == example.error, f"{example.method}: {code or repr(value)}: {message}"
        if example.check and not code and not isinstance(value, HostObject):
            check(value, example.expected, example.method)
