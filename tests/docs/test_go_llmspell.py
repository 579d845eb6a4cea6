"""The page that leads from the original system to this one leaves no function of the model modules out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("llmspell_llm", reason="llmspell-llm is not installed")

from llmspell.bridge import exports_of
from llmspell.bridge.registry import load_factory
from llmspell_llm.plugin import llmspell_bridges

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "go-llmspell.md").read_text(encoding="utf-8")
CATALOGUE = ROOT.parent / "shared" / "bridges" / "catalogue.md"
SECTIONS = ("3.1", "3.2", "3.3", "3.4", "3.5", "3.9")
EXPORTS = {spec.name: set(exports_of(load_factory(spec.factory, spec.name))) for spec in llmspell_bridges()}


def originals() -> dict[str, set[str]]:
    """Return the methods of the original's model bridges, by section of the catalogue."""
    text = CATALOGUE.read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for section in SECTIONS:
        part = re.split(rf"(?m)^## {re.escape(section)} ", text)[1]
        part = re.split(r"(?m)^#{1,2} |^### Built-in", part)[0]
        found[section] = set(re.findall(r"(?:^- |· )([a-z][A-Za-z]+)\(", part, re.MULTILINE))
    return found


@pytest.mark.parametrize("section", SECTIONS)
def test_every_original_method_is_told_of(section: str) -> None:
    if not CATALOGUE.exists():
        pytest.skip("../shared/bridges/catalogue.md is not here")
    methods = originals()[section]
    assert len(methods) >= 5
    assert sorted(name for name in methods if f"`{name}`" not in PAGE) == []


def test_everything_it_leads_to_is_there() -> None:
    said = re.findall(r"`(\w+)\.(\w+)`", PAGE)
    assert len(said) > 150
    assert sorted(f"{m}.{name}" for m, name in said if m in EXPORTS and name not in EXPORTS[m]) == []
