"""Plans, reports, and the refusal of what a machine cannot do."""

import os
import sys
from pathlib import Path

import pytest

from llmspell.errors import PolicyUnsupportedError
from llmspell.runtime.hardening import Applied, Hardening, Piece, ProcessLimits, State, kernel
from llmspell.runtime.hardening.probe import probe


def test_equal_plans_are_one_key() -> None:
    assert len({Hardening.strict(readable=["/a"]), Hardening.strict(readable=["/a"])}) == 1
    assert Hardening.strict(ProcessLimits(memory=1)) != Hardening.strict(ProcessLimits(memory=2))


def test_strict_requires_what_standard_requires_and_more() -> None:
    assert Hardening.strict().required > Hardening.standard().required


@pytest.mark.parametrize("piece", [Piece.SECCOMP, Piece.LANDLOCK_FILES, Piece.CAPABILITIES, Piece.NO_NEW_PRIVILEGES])
def test_a_level_without_a_required_piece_is_refused_by_the_pieces_name(piece: Piece) -> None:
    plan = Hardening.strict()
    applied = Applied(tuple(State(other, other is not piece, "no such kernel") for other in Piece))
    with pytest.raises(PolicyUnsupportedError, match=f"'strict'.*{piece} \\(no such kernel\\)") as refusal:
        applied.require(plan, "strict")
    assert refusal.value.missing == (str(piece),)


def test_a_piece_nobody_attempted_is_missing() -> None:
    with pytest.raises(PolicyUnsupportedError, match="not attempted"):
        Applied().require(Hardening.standard(), "standard")


def test_a_wanted_piece_that_is_missing_refuses_nothing() -> None:
    plan = Hardening.strict()
    applied = Applied(tuple(State(piece, piece not in plan.wanted) for piece in Piece))
    applied.require(plan, "strict")
    assert applied.pieces == plan.required


def test_probing_reports_every_piece_and_leaves_this_process_alone() -> None:
    def self_portrait() -> list[str]:
        fields = ("Cap", "NoNewPrivs", "Seccomp", "Threads")
        status = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(fields)]
        spaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("user", "pid", "net", "ipc", "mnt")]
        return [*status, *spaces, *sorted(os.environ), *sorted(os.listdir("/proc/self/fd"))]

    if sys.platform != "linux":
        pytest.skip("Linux is missing")
    before = self_portrait()
    report = probe()
    assert self_portrait() == before
    assert [state.piece for state in report.applied.states] == list(Piece)


def test_this_machine_can_enforce_strict() -> None:
    applied = probe().applied
    missing = applied.missing(Hardening.strict())
    if missing:
        pytest.skip("this machine lacks " + ", ".join(f"{state.piece} ({state.detail})" for state in missing))
    applied.require(Hardening.strict(), "strict")


def test_an_unknown_processor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "riscv64" in (kernel.unsupported() or "")


def test_another_operating_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "darwin" in (kernel.unsupported() or "")


def test_standard_asks_of_other_systems_only_what_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    plan = Hardening.standard()
    assert plan.required == {Piece.ENVIRONMENT, Piece.DESCRIPTORS, Piece.SESSION, Piece.LIMITS}
    assert plan.wanted == frozenset()
