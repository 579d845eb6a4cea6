"""The example spells that use a module of another language."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host
from llmspell.spell import load_spell, named_paths

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "spells" / "polyglot"
REVIEWS = ROOT / "examples" / "data" / "reviews.txt"
TEXT = REVIEWS.read_text(encoding="utf-8")


def run(name: str) -> Any:
    spell = load_spell(FOLDER / name)
    params = {"file": str(REVIEWS)}
    with Host(config={}) as host:
        for language in ("lua", "javascript", "tengo"):
            if language not in host.plugins.engines:
                pytest.skip(f"the engine {language} is not installed")
        policy = host.policy("sandbox").grant(read=list(named_paths(spell.manifest, params)))
        with host.session(policy) as session:
            return session.run(spell, params)


def test_lua_uses_javascript_which_calls_lua_back() -> None:
    counts = Counter(re.findall("[a-z]{4,}", TEXT.lower()))
    expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:5]
    result = run("main.lua")
    assert result.value == [list(pair) for pair in expected]
    assert result.output.splitlines() == [f"{word:<12} {'*' * count}" for word, count in expected]


def test_javascript_uses_lua_which_calls_javascript_back() -> None:
    lines = [line for line in TEXT.split("\n") if line]
    result = run("main.js")
    assert result.value == {"count": len(lines), "longest": max(map(len, lines))}


def test_tengo_uses_both_which_call_tengo_back() -> None:
    lines = [line for line in TEXT.split("\n") if line]
    counts = Counter(re.findall("[a-z]{4,}", TEXT.lower()))
    expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    result = run("main.tengo")
    longest = max(len(line.encode()) for line in lines)
    assert result.value == {"count": len(lines), "longest": longest, "words": [list(pair) for pair in expected]}
    assert result.output.splitlines() == [
        f"{len(lines)} lines, the longest has {longest} characters",
        *(f"{count:3}  {word}" for word, count in expected),
    ]
