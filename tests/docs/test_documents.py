"""Every code block of every document does what it says."""

from collections.abc import Callable
from typing import Any

import pytest


def test_every_block_runs(document: Any, reader: Callable[[Any], Any]) -> None:
    one = reader(document)
    one.follow()
    if one.missing and not one.ran:
        pytest.skip("; ".join(one.missing))
