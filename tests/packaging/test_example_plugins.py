"""The example plugins are real distributions: built, installed, and passing their own tests."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "plugins"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site directory with every example installed from its wheel."""
    from hatchling.builders.wheel import WheelBuilder

    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    for example in sorted(EXAMPLES.iterdir()):
        for wheel in WheelBuilder(str(example)).build(directory=str(wheels), versions=["standard"]):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
    return target


def run(site: Path, cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(site), "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd)}
    return subprocess.run([sys.executable, *command], cwd=cwd, env=environ, capture_output=True, text=True)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example_passes_its_own_tests(site, tmp_path, name) -> None:
    out = run(
        site, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(EXAMPLES / name / "tests")
    )
    assert out.returncode == 0, out.stdout[-3000:]
    assert " passed" in out.stdout


def llmspell(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(site, cwd, "-c", "import sys; from llmspell.cli import main; sys.exit(main())", *arguments)


@pytest.mark.parametrize("level", ["minimal", "standard", "strict"])
def test_an_installed_engine_runs_from_the_command_line(site, tmp_path, level) -> None:
    (tmp_path / "sum.rpn").write_text('"adding" print\n2 40 +\n')
    out = llmspell(site, tmp_path, "run", "sum.rpn", "--level", level)
    assert out.returncode == 0, out.stderr
    assert out.stdout.split() == ["adding", "42"]


def test_an_error_of_an_installed_engine_is_shown_with_its_line(site, tmp_path) -> None:
    (tmp_path / "sum.rpn").write_text("2\n+\n")
    out = llmspell(site, tmp_path, "run", "sum.rpn")
    assert out.returncode == 4
    assert "+ needs 2 on the stack" in out.stderr
    assert "sum.rpn:2" in out.stderr


def test_installed_examples_are_listed(site, tmp_path) -> None:
    out = llmspell(site, tmp_path, "plugins", "--json")
    assert '"rpn"' in out.stdout
    assert '"llmspell-bridge-notes"' in out.stdout
