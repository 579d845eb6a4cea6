"""The bridge kit: a good bridge passes it, and each defect fails the test that is there for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from llmspell.errors import BridgeCallError, BridgeError, PolicyDeniedError
from llmspell.plugin import Bridge, BridgeSpec, Call, HostObject, Policy, ScriptFunction, Secret, export
from llmspell.testing import BridgeConformance, BridgeHarness, CallFailed, Example


class Pen(HostObject):
    @export
    def write(self, text: str) -> str:
        """Write."""
        return f"~{text}~"


class Notes(Bridge):
    """Notes, kept while the session lives."""

    name = "notes"

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}

    @export
    def put(self, name: str, text: str, *, append: bool = False) -> int:
        """Keep a note; return its length."""
        self.notes[name] = self.notes.get(name, "") * append + text
        return len(self.notes[name])

    @export
    def read(self, name: str) -> str:
        """Return a note."""
        if name not in self.notes:
            raise BridgeError(f"no note named {name!r}", code="not_found", details={"name": name})
        return self.notes[name]

    @export
    async def each(self, function: ScriptFunction) -> list[Any]:
        """Call a function with each note."""
        return [await function(name, text) for name, text in list(self.notes.items())]

    @export
    async def letters(self, name: str) -> AsyncIterator[str]:
        """Stream a note's letters."""
        for letter in self.notes[name]:
            yield letter

    @export
    def pen(self) -> Pen:
        """Lend a pen."""
        return Pen()

    @export
    def login(self, call: Call, user: str, password: Annotated[str, Secret()]) -> str:
        """Log in."""
        call.emit(f"hello {user}\n")
        return user


class TestNotes(BridgeConformance):
    bridge = Notes
    examples = (
        Example("put", ("a", "text"), expected=4),
        Example("put", ("a", "text"), {"append": True}, expected=4),
        Example("read", ("absent",), error="not_found"),
        Example("put", (1, 2), error="invalid_argument"),
        Example("pen", check=False),
    )


class TestNotesByDescription(BridgeConformance):
    bridge = BridgeSpec("notes", Notes, "Notes, kept while the session lives.")
    policy = Policy.minimal().narrow(time=5)
    examples = (Example("put", ("a", "text"), expected=4),)


def kit(bridge: type[Bridge]) -> BridgeConformance:
    return type("Kit", (BridgeConformance,), {"bridge": bridge})()


def bridge(**members: Any) -> type[Bridge]:
    return type("Sample", (Bridge,), {"name": "sample", "__doc__": "A sample.", "__module__": __name__, **members})


@export
def undocumented(self: Any, name: str) -> str:
    return name


@export
def untyped(self, name):  # type: ignore[no-untyped-def]
    """Do something."""


@export
def end(self: Any) -> None:
    """Be named like a keyword."""


@export
def odd_default(self: Any, name: object = object()) -> None:
    """Have a default that cannot cross."""


@pytest.mark.parametrize(
    ("function", "test"),
    [
        (undocumented, "test_export_is_documented"),
        (untyped, "test_export_is_typed"),
        (end, "test_export_is_named_for_every_language"),
        (odd_default, "test_defaults_are_values"),
    ],
)
def test_a_defect_of_an_export_fails_its_test(function, test) -> None:
    name = function.__name__
    with pytest.raises(Exception, match=name if test != "test_defaults_are_values" else "cannot cross"):
        getattr(kit(bridge(**{name: function})), test)(name)


def test_a_bridge_without_documentation_or_exports_fails() -> None:
    with pytest.raises(AssertionError, match="docstring"):
        kit(bridge(__doc__=None)).test_class_and_description_agree()
    with pytest.raises(AssertionError, match="nothing is exported"):
        kit(bridge()).test_class_and_description_agree()


def test_a_bridge_that_is_not_well_fails() -> None:
    async def health(self) -> dict[str, Any]:
        return {"ok": False, "error": "asleep"}

    with pytest.raises(AssertionError, match="asleep"):
        kit(bridge(health=health)).test_it_opens_and_closes_and_is_well()


def test_an_example_that_does_not_hold_fails() -> None:
    notes = kit(Notes)
    for wrong in (
        Example("put", ("a", "b"), expected=2),
        Example("put", ("a", "b"), error="not_found"),
        Example("read", ("absent",), expected="text"),
    ):
        with pytest.raises(AssertionError):
            notes.test_example(wrong)


@pytest.fixture
def harness():
    with BridgeHarness(Notes) as made:
        yield made


def test_the_harness_calls_through_the_gate(harness) -> None:
    assert harness.call("put", "a", "text") == 4
    assert harness.call("notes.put", "a", "more", append=True) == 8
    with pytest.raises(BridgeCallError) as caught:
        harness.call("read", "absent")
    assert caught.value.fault_code == "not_found"
    assert isinstance(caught.value.__cause__, BridgeError)
    assert [record.method for record in harness.records] == ["put", "put", "read"]


def test_the_harness_keeps_state_over_calls_and_hears_output(harness) -> None:
    harness.call("put", "a", "text")
    assert harness.call("read", "a") == "text"
    assert harness.call("login", "ada", "secret-word") == "ada"
    assert harness.output == ["hello ada\n"]
    assert "secret-word" not in repr(harness.records)


def test_a_python_function_arrives_as_a_scripts_function(harness) -> None:
    harness.call("put", "a", "text")
    assert harness.call("each", lambda name, text: f"{name}: {text}") == ["a: text"]


def test_a_script_uses_handles_streams_and_failures(harness) -> None:
    def script():
        yield ("notes", "put", "a", "xyz")
        pen = yield ("notes", "pen")
        written = yield (pen, "write", "hi")
        stream = yield ("notes", "letters", "a")
        letters = []
        while True:
            done, letter = yield (stream, "next")
            if done:
                break
            letters.append(letter)
        try:
            yield ("notes", "read", "absent")
        except CallFailed as error:
            return [written, letters, error.code, error.details]

    assert harness.run(script).value == ["~hi~", ["x", "y", "z"], "not_found", {"name": "absent"}]


def test_a_function_of_a_script_may_call_the_host(harness) -> None:
    def shout(name, text):
        yield ("notes", "put", "seen", name)
        return text.upper()

    harness.call("put", "a", "text")
    assert harness.call("each", shout) == ["TEXT"]
    assert harness.call("read", "seen") == "a"


def test_the_harness_holds_to_a_policy() -> None:
    policy = Policy.minimal().grant(denied={"notes.put"})
    with BridgeHarness(Notes, policy=policy) as harness, pytest.raises(BridgeCallError) as caught:
        harness.call("put", "a", "b")
    assert isinstance(caught.value.__cause__, PolicyDeniedError)


def test_the_harness_works_on_a_loop() -> None:
    async def scenario() -> list[int]:
        with BridgeHarness(Notes) as harness:
            return await asyncio.gather(*(harness.acall("put", str(n), "x" * n) for n in range(5)))

    assert asyncio.run(scenario()) == [0, 1, 2, 3, 4]
