"""The soak of tests/bench, for some seconds: nothing adds up, and every answer is right."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOAK = Path(__file__).parents[1] / "bench" / "soak.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    if sys.platform != "linux":
        pytest.skip("Linux is missing: leaks are looked for in /proc")
    spec = importlib.util.spec_from_file_location("bench_soak", SOAK)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["bench_soak"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_host_under_hostile_and_good_load_answers_rightly_and_leaks_nothing(bench: ModuleType) -> None:
    wrong, _ = bench.soak(8.0, rounds=3, apart_from_memory=True)
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_for_minutes_memory_and_latency_do_not_grow_either(bench: ModuleType) -> None:
    wrong, slower = bench.soak(240.0)
    assert wrong == []
    assert slower < 0.25
