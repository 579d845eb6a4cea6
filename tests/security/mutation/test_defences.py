"""Every defence is one: with it the attack fails, without it the attack succeeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_attack_fails(defence: Any, tmp_path: Path) -> None:
    assert not defence.attack(tmp_path)


def test_the_attack_succeeds_once_the_defence_is_off(defence: Any, off: Callable[[Any], None], tmp_path: Path) -> None:
    off(defence)
    assert defence.attack(tmp_path)


def test_at_least_twenty_defences_are_switched_off(count_of_defences: Callable[[], int]) -> None:
    assert count_of_defences() >= 20
