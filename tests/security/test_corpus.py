"""Every attack of the corpus, at every level that is meant for code one did not write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from llmspell import DeadlineExceeded, Host, LlmspellError, Policy, Session, Source

LIMITS: dict[str, Any] = {"memory": "24MB", "output": "64KB", "calls": 20_000}
GOOD = {"lua": "return 6 * 7", "javascript": "6 * 7", "tengo": "export 6 * 7"}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(config={}) as host:
        yield host


@pytest.fixture(scope="module", params=["standard", "strict"])
def session(request: pytest.FixtureRequest, host: Host) -> Iterator[Session]:
    policy = Policy.at_level(request.param).narrow(**LIMITS)
    with host.session(policy=policy, principal="attacker") as session:
        for language in GOOD.keys() & host.plugins.engines.keys():
            _warm(session, language)
        yield session


def _warm(session: Session, language: str) -> None:
    """Run until a worker is there: a deadline includes its cold start, which on a busy machine takes longer."""
    for _ in range(50):
        try:
            session.eval(language, GOOD[language])
        except DeadlineExceeded:
            continue
        return


def test_an_attack_fails_as_announced_and_the_next_run_works(attack: Any, session: Session, host: Host) -> None:
    if attack.language not in host.plugins.engines:
        pytest.skip(f"the {attack.language} engine is not installed")
    text = attack.path.read_text("utf-8")
    try:
        policy = session.policy.narrow(time=attack.seconds)
        outcome: Any = session.run(Source(text, attack.path.name, attack.language), policy=policy).value
    except LlmspellError as error:
        outcome = error
    wrong = attack.judge(outcome)
    assert wrong is None, wrong
    assert session.eval(attack.language, GOOD[attack.language]).value == 42


def test_the_corpus_is_large_enough_and_its_ids_are_unique(corpus: list[Any]) -> None:
    assert len({attack.id for attack in corpus}) == len(corpus)
    counts = Counter(attack.language for attack in corpus)
    for language, wanted in {"lua": 100, "javascript": 100, "tengo": 60}.items():
        if counts[language]:
            assert counts[language] >= wanted
