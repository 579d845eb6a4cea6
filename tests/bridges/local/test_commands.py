"""``llmspell models``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmspell_local.commands import models
from llmspell_local.weights import DEFAULT_MODEL, MODELS


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("LLMSPELL_MODELS_DIR", str(tmp_path / "models"))
    return CliRunner(catch_exceptions=False)


def test_list_shows_the_known_model(run: CliRunner, weights: Path) -> None:
    rows = json.loads(run.invoke(models, ["list", "--json"]).output)
    assert rows[0]["name"] == f"local:{DEFAULT_MODEL}"
    assert (rows[0]["status"], rows[0]["default"], rows[0]["path"]) == ("package", True, str(weights))
    assert f"* local:{DEFAULT_MODEL}" in run.invoke(models, ["list"]).output


def test_info_checks_the_digest(run: CliRunner, weights: Path) -> None:
    told = json.loads(run.invoke(models, ["info", "--json"]).output)
    assert told["intact"] is True
    assert told["sha256"] == MODELS[DEFAULT_MODEL].sha256


def test_a_file_of_the_users_own_is_taken_in_listed_and_removed(run: CliRunner, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"GGUF" + bytes(100))
    assert "local:other is there" in run.invoke(models, ["pull", "other", "--from", str(mine)]).output
    assert "local:mine is there" in run.invoke(models, ["pull", "--from", str(mine)]).output
    assert {row["name"] for row in json.loads(run.invoke(models, ["list", "--json"]).output)} >= {
        "local:other",
        "local:mine",
    }
    told = json.loads(run.invoke(models, ["info", "other", "--json"]).output)
    assert told["intact"] is None
    assert "removed" in run.invoke(models, ["rm", "other"]).output
    assert not (tmp_path / "models" / "other.gguf").exists()


def test_pull_of_what_is_there_fetches_nothing(run: CliRunner, weights: Path, tmp_path: Path) -> None:
    assert str(weights) in run.invoke(models, ["pull"]).output
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("arguments", [["pull", "nope"], ["info", "nope"], ["rm", "nope"]])
def test_what_is_not_there_is_said_so(run: CliRunner, arguments: list[str]) -> None:
    with pytest.raises(Exception, match="nope"):
        run.invoke(models, arguments)


def test_the_command_is_part_of_llmspell(weights: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", "from llmspell.cli import main; main()", "models", "list"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"local:{DEFAULT_MODEL}" in done.stdout, done.stderr
