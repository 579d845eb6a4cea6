"""The table of conformance cases: one meaning, written in every language, with what must come of it.

Cases are TOML files beside this module, since scripts do not belong into Python strings. A case is::

    [[case]]
    id = "values.integer"
    what = "an integer comes back as it is"
    lua = "return 42"
    javascript = "return 42"
    tengo = "export 42"
    value = 42

What may be expected: ``value`` (``literal`` where TOML cannot say it: a Python literal such as ``"None"`` or
``"b'x'"``), ``values`` (all results), ``output`` (all that was printed), ``notes`` (what the script gave to
``kit.note``), ``calls`` (the records, as ``"bridge.method"``), or ``error`` (a class of :mod:`llmspell.errors`) with
``message`` (a regular expression), ``code``, ``line``, ``path``, ``incomplete`` and ``frame_lines``. ``params``,
``limits``, ``denied`` and ``files`` (by language and name) prepare the run; ``needs`` and ``modules`` tell what the
engine must have. ``but`` holds what one language does
otherwise, with ``why``: deviations are declared, and show in the published table. ``values``, ``notes`` and ``params``
may be a text: then it is a Python literal too.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

_LANGUAGES = ("lua", "javascript", "tengo")
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a case. ``None`` fields are not looked at; ``has_value`` tells if ``value`` is."""

    has_value: bool = False
    value: Any = None
    values: list[Any] | None = None
    output: str | None = None
    notes: list[Any] | None = None
    calls: list[str] | None = None
    error: str = ""
    message: str = ""
    code: str = ""
    line: int = 0
    path: str = ""
    incomplete: bool | None = None
    frame_lines: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        id: ``"topic.name"``, stable.
        what: What must be true, as a sentence.
        sources: Text by language; a language that cannot say it has none.
        expected: By language, where ``""`` stands for every other.
        deviations: Why a language does otherwise, by language.
        files: Modules beside the script, by language and name; ``"*"`` is for all languages.
        needs: What the engine must be able to do, e.g. ``"async"``; one that cannot skips the case by that name.
        modules: Modules of the language itself the case uses; an engine without one skips the case by its name.
    """

    id: str
    what: str
    sources: Mapping[str, str]
    expected: Mapping[str, Expected]
    deviations: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def expects(self, language: str) -> Expected:
        """Return what must come of it in a language."""
        return self.expected.get(language, self.expected[""])

    def files_for(self, language: str) -> dict[str, str]:
        """Return the modules beside the script."""
        return {**self.files.get("*", {}), **self.files.get(language, {})}


_CASE_KEYS = {"id", "what", "params", "limits", "denied", "files", "but", "needs", "modules"}
_EXPECTED_KEYS = {
    "value", "literal", "values", "output", "notes", "calls", "error", "message", "code", "line", "path", "incomplete",
    "frame_lines",
}  # fmt: skip


@cache
def load_cases() -> tuple[Case, ...]:
    """Read the whole table.

    Raises:
        ValueError: An id is used twice, a key is unknown, or a case expects nothing.
    """
    folder = files(__package__) / "cases"
    cases = [
        case
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name.endswith(".toml")
        for case in read_cases(path.read_text(encoding="utf-8"), path.name)
    ]
    _check_ids(cases)
    return tuple(cases)


def read_cases(text: str, where: str = "cases") -> tuple[Case, ...]:
    """Read cases of one's own; ``languages = ["rpn"]`` at the top names the languages they are written in.

    Raises:
        ValueError: As :func:`load_cases`.
    """
    table = tomllib.loads(text)
    languages = tuple(table.get("languages", _LANGUAGES))
    cases = tuple(_case(entry, where, languages) for entry in table["case"])
    _check_ids(cases)
    return cases


def _check_ids(cases: Iterable[Case]) -> None:
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise ValueError(f"case {case.id} is there twice")
        seen.add(case.id)


def cases_for(language: str, extra: Iterable[Case] = ()) -> list[Case]:
    """Return the cases that are written in a language."""
    return [case for case in (*load_cases(), *extra) if language in case.sources]


def _case(entry: dict[str, Any], where: str, languages: tuple[str, ...]) -> Case:
    unknown = entry.keys() - _CASE_KEYS - _EXPECTED_KEYS - {*languages}
    if unknown or "id" not in entry or "what" not in entry:
        raise ValueError(f"{where}: case {entry.get('id')!r}: unknown keys {sorted(unknown)}, or no id or what")
    expected = {"": _expected(entry, Expected(), where)}
    deviations = {}
    for language, other in entry.get("but", {}).items():
        if language not in entry or "why" not in other:
            raise ValueError(f"{where}: case {entry['id']}: a deviation of {language} needs a source and a why")
        said = {key: value for key, value in other.items() if key != "why"}
        if "error" in said or "value" in said or "literal" in said:
            expected[language] = _expected(said, Expected(), where)
        else:
            expected[language] = _expected(said, expected[""], where)
        deviations[language] = other["why"]
    return Case(
        id=entry["id"],
        what=entry["what"],
        sources={language: entry[language] for language in languages if language in entry},
        expected=expected,
        deviations=deviations,
        params=_literal(entry.get("params", {})),
        limits=entry.get("limits", {}),
        denied=tuple(entry.get("denied", ())),
        files=entry.get("files", {}),
        needs=tuple(entry.get("needs", ())),
        modules=tuple(entry.get("modules", ())),
    )


def _expected(entry: Mapping[str, Any], base: Expected, where: str) -> Expected:
    said = {key: entry[key] for key in _EXPECTED_KEYS - {"value", "literal"} if key in entry}
    said |= {key: _literal(said[key]) for key in ("values", "notes") if key in said}
    value = ast.literal_eval(entry["literal"]) if "literal" in entry else entry.get("value", _ABSENT)
    if value is not _ABSENT:
        said |= {"has_value": True, "value": value}
    if not said:
        raise ValueError(f"{where}: case {entry.get('id')} expects nothing")
    return replace(base, **said)


def _literal(said: Any) -> Any:
    return ast.literal_eval(said) if isinstance(said, str) else said
