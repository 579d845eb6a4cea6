"""The loaded set of one run."""

from __future__ import annotations

import pytest

from llmspell.engine.modules import LoadedSet
from llmspell.errors import ScriptModuleNotFoundError


def test_a_module_is_new_once() -> None:
    loaded = LoadedSet()
    assert loaded.begin("a") == "new"
    loaded.finish("a")
    assert loaded.begin("a") == "loaded"
    assert loaded.names == ("a",)


def test_a_circle_is_named_from_where_it_begins() -> None:
    loaded = LoadedSet()
    loaded.begin("a")
    loaded.begin("b", importer="a")
    loaded.begin("c", importer="b")
    with pytest.raises(ScriptModuleNotFoundError, match="circle: b -> c -> b"):
        loaded.begin("b", importer="c")


def test_a_module_that_requires_itself_is_a_circle() -> None:
    loaded = LoadedSet()
    loaded.begin("a")
    with pytest.raises(ScriptModuleNotFoundError, match="circle: a -> a"):
        loaded.begin("a", importer="a")


def test_a_module_another_task_is_loading_is_pending_and_no_circle() -> None:
    loaded = LoadedSet()
    loaded.begin("shared", importer="left")
    assert loaded.begin("shared", importer="right") == "pending"
    assert loaded.begin("shared") == "pending"


def test_two_that_share_a_third_are_no_circle() -> None:
    loaded = LoadedSet()
    with loaded.loading("top"):
        for name in ("left", "right"):
            with loaded.loading(name, importer="top"), loaded.loading("shared", importer=name):
                pass
    assert loaded.names == ("shared", "left", "right", "top")


def test_what_failed_may_be_tried_again() -> None:
    loaded = LoadedSet()
    with pytest.raises(ValueError, match="broken"):
        with loaded.loading("a"):
            raise ValueError("broken")
    assert loaded.begin("a") == "new"


def test_a_loaded_module_stays_loaded_when_its_second_importer_fails() -> None:
    loaded = LoadedSet()
    with loaded.loading("a"):
        pass
    with pytest.raises(ValueError, match="later"):
        with loaded.loading("a", importer="b"):
            raise ValueError("later")
    assert loaded.begin("a") == "loaded"
