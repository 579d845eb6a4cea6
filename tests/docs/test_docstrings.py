"""Every example in a docstring gives what it shows."""

import doctest
import importlib
from pathlib import Path

import pytest


def examples_of(module_name: str) -> list[doctest.DocTest]:
    # What a package publishes as its own says that it lives there.
    for place in (module_name, module_name.rpartition(".")[0]):
        found = doctest.DocTestFinder().find(importlib.import_module(place))
        if examples := [case for case in found if case.examples]:
            return examples
    return []


def test_every_example_of_a_module_runs(module_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    found = 0
    for case in examples_of(module_name):
        found += len(case.examples)
        runner.run(case, out=failures.append, clear_globs=False)
    assert found > 0
    assert not failures, "".join(failures)
