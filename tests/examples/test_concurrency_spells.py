"""The example spells of concurrency, on real text, in every language that has the modules."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host
from llmspell.errors import ScriptModuleNotFoundError
from llmspell.spell import load_spell, named_paths

ROOT = Path(__file__).resolve().parents[2]
SPELLS = ROOT / "examples" / "spells"
REVIEWS = ROOT / "examples" / "data" / "reviews.txt"
TEXT = REVIEWS.read_text(encoding="utf-8")
PARAGRAPHS = re.split(r"\n\s*\n", TEXT.strip())


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(config={}) as host:
        yield host


@pytest.fixture(params=["lua", "js", "tengo"])
def ending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(host: Host, name: str, ending: str) -> Any:
    spell = load_spell(SPELLS / f"{name}.{ending}")
    params = {"file": str(REVIEWS)}
    policy = host.policy("sandbox").grant(read=list(named_paths(spell.manifest, params)))
    with host.session(policy) as session:
        try:
            return session.run(spell, params)
        except ScriptModuleNotFoundError as error:
            if "'async'" in error.message or "'channel'" in error.message:
                pytest.skip(f"{spell.source.language}: {error.message}")
            raise


def test_fan_out_fan_in(host: Host, ending: str) -> None:
    words = [re.findall("[A-Za-z]+", paragraph) for paragraph in PARAGRAPHS]
    result = run(host, "fan-out-fan-in", ending)
    assert result.value == {"paragraphs": len(PARAGRAPHS), "words": sum(map(len, words))}
    assert result.output.splitlines() == [
        f"{at}: {len(found)} words, the longest is {max(found, key=len)}" for at, found in enumerate(words, 1)
    ]


def test_worker_pool(host: Host, ending: str) -> None:
    letters = [len(re.findall("[A-Za-z]", line)) for line in TEXT.splitlines()]
    result = run(host, "worker-pool", ending)
    assert result.value == {"total": sum(letters), "letters": letters}
    assert result.output == f"3 workers counted {sum(letters)} letters in {len(letters)} lines\n"


def test_pipeline(host: Host, ending: str) -> None:
    counts: dict[str, int] = {}
    for word in re.findall("[a-z]+", TEXT.lower()):
        counts[word] = counts.get(word, 0) + 1
    top = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:3]
    result = run(host, "pipeline", ending)
    assert result.value == [{"word": word, "times": times} for word, times in top]
    assert result.output == "".join(f"{times:4}  {word}\n" for word, times in top)


def test_race_providers(host: Host, ending: str) -> None:
    began = time.monotonic()
    result = run(host, "race-providers", ending)
    assert result.value == {"provider": "quick", "answer": PARAGRAPHS[0].split(".")[0] + "."}
    assert time.monotonic() - began < 2, "the slow provider was waited for"
