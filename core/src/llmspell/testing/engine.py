"""``EngineConformance``: what every engine must do, as a test class to subclass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn

from llmspell import errors
from llmspell.engine import EngineSpec
from llmspell.errors import BridgeCallError, EngineNotFoundError, LlmspellError, ScriptError, ScriptSyntaxError
from llmspell.testing.cases import Case, Expected, cases_for
from llmspell.testing.expect import check
from llmspell.testing.guest import GuestConformance
from llmspell.testing.sessions import SessionConformance
from llmspell.testing.stage import Stage, engine_spec_of, snippets_for


class EngineConformance(GuestConformance, SessionConformance):
    """Every case of the table, and what only Python can test, for one engine.

    Subclass it in a test module, name the engine, and let pytest collect it. An engine of a language that the table is
    not written in gives its own ``cases`` and ``snippets``; a test whose snippet is missing is skipped by that name.

    Attributes:
        engine_spec: The engine, or the name of an installed one.
        level: Where its guests live: ``"minimal"`` in this process, ``"standard"`` and ``"strict"`` in workers.
        cases: More cases than the table's.
        snippets: Small sources by name, for a language of one's own; see ``snippets.toml`` for the names.
        left_out: Cases the engine does not pass, by id, each with the reason; they are skipped by it.

    Example:
        A test module of an engine's distribution::

            from llmspell.testing import EngineConformance

            class TestLua(EngineConformance):
                engine_spec = "lua"
    """

    engine_spec: ClassVar[EngineSpec | str]
    level: ClassVar[str] = "minimal"
    cases: ClassVar[Iterable[Case]] = ()
    snippets: ClassVar[Mapping[str, str]] = {}
    left_out: ClassVar[Mapping[str, str]] = {}
    stage: ClassVar[Stage]

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each case; called by pytest."""
        if "case" in metafunc.fixturenames:
            cases = self.all_cases()
            metafunc.parametrize("case", cases, ids=[case.id for case in cases])

    @classmethod
    def all_cases(cls) -> list[Case]:
        """Return the cases that are written in the engine's language."""
        spec = cls.engine_spec
        return cases_for(spec if isinstance(spec, str) else spec.name, cls.cases)

    @classmethod
    def setup_class(cls) -> None:
        """Open the host; called by pytest."""
        try:
            spec = engine_spec_of(cls.engine_spec)
        except EngineNotFoundError as error:
            skip(f"{error.message} ({error.hint})")
        cls.stage = Stage(spec, cls.level)

    @classmethod
    def teardown_class(cls) -> None:
        """Close the host; called by pytest."""
        if hasattr(cls, "stage"):
            cls.stage.close()

    def snippet(self, name: str) -> str:
        """Return a small source, or skip the test that needs it."""
        if not self.has_snippet(name):
            skip(f"the {self.stage.spec.name} engine has no snippet {name!r}")
        return {**snippets_for(self.stage.spec.name), **self.snippets}[name]

    def has_snippet(self, name: str) -> bool:
        """Tell whether there is a small source of this name; ``spin`` may be missing where it would take long."""
        return name in self.snippets or name in snippets_for(self.stage.spec.name)

    def test_case(self, case: Case) -> None:
        """One case of the table."""
        if case.id in self.left_out:
            skip(f"{case.id}: {self.left_out[case.id]}")
        spec = self.stage.spec
        can = spec.capabilities.inline if self.level == "minimal" else spec.capabilities.worker
        missing = [need for need in case.needs if need not in can]
        if missing:
            skip(f"the {spec.name} engine cannot enforce {', '.join(missing)} at level {self.level}")
        absent = [module for module in case.modules if not self.stage.has_module(module)]
        if absent:
            skip(f"the {spec.name} engine has no module {', '.join(absent)} yet")
        outcome = run_case(self.stage, case)
        outcome.check(case.expects(spec.name), case)


def skip(reason: str) -> NoReturn:
    """Skip the test that is running; needs pytest."""
    import pytest

    pytest.skip(reason)


class Outcome:
    """What came of a case."""

    def __init__(self) -> None:
        self.values: tuple[Any, ...] = ()
        self.output = ""
        self.error: LlmspellError | None = None
        self.notes: list[Any] = []
        self.calls: list[str] = []

    def check(self, expected: Expected, case: Case) -> None:
        """Compare with what must come of it.

        Raises:
            AssertionError: Naming the case and the difference.
        """
        what = f"{case.id} ({case.what})"
        if expected.error:
            self._check_error(expected, what)
        elif self.error is not None:
            raise AssertionError(f"{what}: {_describe(self.error)}") from self.error
        if expected.has_value:
            check(self.values[0] if self.values else None, expected.value, what)
        for name in ("values", "notes", "calls", "output"):
            wanted = getattr(expected, name)
            if wanted is not None:
                actual = getattr(self, name)
                check(list(actual) if name == "values" else actual, wanted, f"{what}: {name}")

    def _check_error(self, expected: Expected, what: str) -> None:
        error = self.error
        kind = getattr(errors, expected.error)
        if error is None:
            raise AssertionError(f"{what}: expected {expected.error}, but the run ended with {self.values!r}")
        if not isinstance(error, kind):
            raise AssertionError(f"{what}: expected {expected.error}, got {_describe(error)}") from error
        said = f"{error.message} {error.hint or ''}".strip()
        if "Traceback" in said:
            raise AssertionError(f"{what}: the message shows the host's own code: {said}")
        found: dict[str, tuple[Any, Any]] = {
            "code": (_code_of(error), expected.code),
            "line": (_line_of(error), expected.line),
            "path": (getattr(error, "path", ""), expected.path),
        }
        for name, (actual, wanted) in found.items():
            if wanted and actual != wanted:
                raise AssertionError(f"{what}: {name} is {actual!r}, expected {wanted!r}: {_describe(error)}")
        if expected.message and not re.search(expected.message, said, re.DOTALL):
            raise AssertionError(f"{what}: {said!r} does not match {expected.message!r}")
        if expected.incomplete is not None:
            assert isinstance(error, ScriptSyntaxError)
            check(error.incomplete, expected.incomplete, f"{what}: incomplete")
        if expected.frame_lines is not None:
            frames = getattr(error, "frames", ())
            check([frame.location.line for frame in frames], expected.frame_lines, f"{what}: lines of the frames")


def run_case(stage: Stage, case: Case) -> Outcome:
    """Run one case in a session of its own, and see that the session still works afterwards.

    Raises:
        AssertionError: The session does not.
    """
    language = stage.spec.name
    outcome = Outcome()
    policy = stage.policy(case.limits, case.denied)
    before = len(stage.kits)
    with (
        stage.spell(case.sources[language], case.files_for(language)) as spell,
        stage.session(policy) as (session, recorder),
    ):
        try:
            result = session.run(spell, params=dict(case.params))
            outcome.values, outcome.output = result.values, result.output
        except LlmspellError as error:
            outcome.error = error
            outcome.output = error.result.output if error.result is not None else ""
        outcome.calls = [f"{record.target}.{record.method}" for record in recorder.records if record.target != "@host"]
        outcome.notes = [note for kit in stage.kits[before:] for note in kit.notes]
        one = snippets_for(language).get("one")
        if one is not None and session.run(stage.source(one)).value != 1:
            raise AssertionError(f"{case.id}: the session does not work any more")
    return outcome


def _code_of(error: LlmspellError) -> str:
    if isinstance(error, BridgeCallError):
        return error.fault_code
    value = getattr(error, "value", None)
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        return str(value["code"])
    return error.code


def _line_of(error: LlmspellError) -> int:
    location = error.location if isinstance(error, ScriptError) else None
    return location.line if location is not None else 0


def _describe(error: LlmspellError) -> str:
    place = f" at {error.location}" if isinstance(error, ScriptError) and error.location else ""
    return f"{type(error).__name__}{place}: {error.message}" + (f" ({error.hint})" if error.hint else "")
