"""The attack corpus: one file per attack, with a header that says what it tries and what must come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import llmspell
from llmspell import LlmspellError

CORPUS = Path(__file__).parent / "corpus"
COMMENT = {".lua": "--", ".js": "//", ".tengo": "//"}


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        id: Unique, e.g. ``LUA-ESC-001``.
        kind: Class of attack.
        expected: Alternatives: ``("value", anything)`` or ``("error", class names)``.
    """

    id: str
    kind: str
    tries: str
    expected: tuple[tuple[str, Any], ...]
    path: Path

    @property
    def language(self) -> str:
        return {"js": "javascript"}.get(self.path.parent.name, self.path.parent.name)

    @property
    def is_endless(self) -> bool:
        """The deadline may be what ends it."""
        return any("DeadlineExceeded" in wanted for form, wanted in self.expected if form == "error")

    @property
    def seconds(self) -> float:
        """Time limit to run it with: short only if it is to be ended by it, else a busy machine would end it too."""
        return 0.25 if self.is_endless else 30.0

    def judge(self, outcome: Any) -> str | None:
        """Return what is wrong with an outcome (a value, or an exception), or None."""
        for form, wanted in self.expected:
            if form == "value":
                if not isinstance(outcome, BaseException) and outcome == wanted and type(outcome) is type(wanted):
                    return None
            elif isinstance(outcome, LlmspellError) and isinstance(
                outcome, tuple(getattr(llmspell, name) for name in wanted)
            ):
                return None
        return f"{self.id} ({self.tries}): expected {self.expected}, got {outcome!r:.300}"


def read_attack(path: Path) -> Attack:
    mark = COMMENT[path.suffix]
    header: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith(mark):
            break
        name, _, text = line.removeprefix(mark).strip().partition(": ")
        header[name] = text
    expected: list[tuple[str, Any]] = []
    for alternative in header["expect"].split(" | "):
        form, _, rest = alternative.partition(" ")
        expected.append((form, json.loads(rest) if form == "value" else tuple(rest.split())))
    return Attack(header["id"], header["class"], header["tries"], tuple(expected), path)


def read_corpus() -> list[Attack]:
    return [read_attack(path) for path in sorted(CORPUS.glob("*/*")) if path.suffix in COMMENT]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "attack" in metafunc.fixturenames:
        attacks = read_corpus()
        metafunc.parametrize("attack", attacks, ids=[attack.id for attack in attacks])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Wait for each attack's deadline once: at the other level, it is ``slow``."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        attack = params.get("attack")
        if isinstance(attack, Attack) and attack.is_endless and params.get("session") == "standard":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def corpus() -> list[Attack]:
    return read_corpus()
