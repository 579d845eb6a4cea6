"""What the reference says of the code is what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_tables_are_up_to_date(generator: ModuleType) -> None:
    assert generator.main(check=True) == 0, "run: python docs/generate.py"


def test_every_table_the_generator_knows_is_shown(generator: ModuleType) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    for name in generator.PARTS:
        assert f"<!-- generated: {name} -->" in text


def test_a_table_that_is_out_of_date_is_written_anew(generator: ModuleType) -> None:
    stale = "before\n<!-- generated: errors -->\nold\n<!-- end -->\nafter"
    fresh = generator.regenerate(stale)
    assert "old" not in fresh
    assert "`LlmspellError`" in fresh
    assert fresh.startswith("before\n")
    assert fresh.endswith("after")
