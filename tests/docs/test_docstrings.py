"""Every example in a docstring gives what it shows."""

import doctest
import importlib
from pathlib import Path

import pytest


def test_every_example_of_a_module_runs(module_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(module_name)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    found = 0
    for case in doctest.DocTestFinder(exclude_empty=True).find(module):
        found += len(case.examples)
        runner.run(case, out=failures.append, clear_globs=False)
    assert found > 0
    assert not failures, "".join(failures)
