"""The README keeps to its measure, and its two commands are the ones that work."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def text() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_fits_two_screens(text: str) -> None:
    assert len(text.splitlines()) <= 110


def test_it_gives_one_command_to_run_and_one_to_test(text: str) -> None:
    commands = re.findall(r"^pip install -q uv && (.+)$", text, re.MULTILINE)
    assert commands == [
        "uv run llmspell run examples/spells/reviews.lua -p file=examples/data/reviews.txt",
        "uv run pytest",
    ]


def test_ci_runs_the_test_command_of_the_readme(text: str) -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "uv run pytest" in lines
    assert "set -euo pipefail" in lines


def test_its_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / target).exists(), target


def test_links_between_documents_lead_somewhere() -> None:
    for document in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document}: {target}"


def test_every_document_is_listed_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index)}
    missing = [path.name for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md" and path not in listed]
    assert not missing
