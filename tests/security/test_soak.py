"""The soak of tests/bench: nothing adds up, and every answer is right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "bench" / "soak.py"


def soak(*options: str) -> str:
    """Soak in a process of its own: it counts all its children, and other tests keep theirs."""
    if sys.platform != "linux":
        pytest.skip("Linux is missing: leaks are looked for in /proc")
    done = subprocess.run([sys.executable, str(SOAK), *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_host_under_hostile_and_good_load_answers_rightly_and_leaks_nothing() -> None:
    assert "nothing is wrong" in soak("--seconds", "3", "--rounds", "3", "--short")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_for_minutes_memory_and_latency_do_not_grow_either() -> None:
    assert "nothing is wrong" in soak("--seconds", "240")
