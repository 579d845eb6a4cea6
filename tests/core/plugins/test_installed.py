"""Entry points, read from the directories on the path: the same as the library finds, wherever that can look."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import importlib_metadata
import pytest

from llmspell.host import installed
from llmspell.host.installed import EntryPoint, entry_points


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """A directory that is the whole import path."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def lay(directory: Path, name: str, points: str, metadata: str = "", ending: str = "dist-info") -> None:
    info = directory / f"{name}.{ending}"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(points)
    (info / ("METADATA" if ending == "dist-info" else "PKG-INFO")).write_text(metadata)


def test_it_finds_what_the_library_finds() -> None:
    for group in ("llmspell", "llmspell_llm.providers", "console_scripts", "pytest11"):
        theirs = {(p.name, p.value, p.dist.name, p.dist.version) for p in importlib_metadata.entry_points(group=group)}
        ours = {(p.name, p.value, p.distribution, p.version) for p in entry_points(group)}
        assert ours == theirs
        assert ours


def test_sections_comments_and_spaces_are_read(path) -> None:
    points = "[other]\nx = y\n[mine]\n# no\n; no\n a.b = m.n : o.p [extra] \nbroken\n = z\nempty =\n[more]\nq = r\n"
    lay(path, "some_thing-1.2", points, "Name: Some.Thing\nVersion: 1.2\n\nName: body\n")
    assert entry_points("mine") == [EntryPoint("a.b", "m.n : o.p [extra]", "Some.Thing", "1.2")]


def test_an_old_fashioned_installation_counts(path) -> None:
    lay(path, "old-1.0-py3.11", "[mine]\na = b\n", "Name: old\nVersion: 1.0\n", ending="egg-info")
    assert entry_points("mine") == [EntryPoint("a", "b", "old", "1.0")]


def test_the_first_on_the_path_hides_others_of_its_name_also_without_entry_points(path, monkeypatch) -> None:
    first, second = path / "first", path / "second"
    lay(first, "a_b-2.0", "", "Name: a-b\nVersion: 2.0\n")
    lay(second, "A.b-1.0", "[mine]\nx = y\n", "Name: A.b\nVersion: 1.0\n")
    monkeypatch.setattr(sys, "path", [str(first), str(second)])
    assert entry_points("mine") == []


@pytest.mark.parametrize("metadata", ["", "nonsense\n", "Version\n"])
def test_damaged_metadata_leaves_the_plugin_nameless_and_there(path, metadata) -> None:
    lay(path, "x-1", "[mine]\na = b\n", metadata)
    assert entry_points("mine") == [EntryPoint("a", "b")]


def test_places_that_cannot_be_read_are_passed_over(path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [str(path / "absent"), "", str(path)])
    monkeypatch.chdir(path)
    (path / "file-1.dist-info").write_text("no directory")
    lay(path, "x-1", "[mine]\na = b\n", "Name: x\nVersion: 1\n")
    assert [point.name for point in entry_points("mine")] == ["a"]


def test_what_lies_in_an_archive_is_found_through_the_library(path, monkeypatch) -> None:
    archive = path / "lib.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped-3.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: zipped\nVersion: 3.0\n")
        file.writestr("zipped-3.0.dist-info/entry_points.txt", "[mine]\na = b:c\n")
    lay(path, "x-1", "[mine]\nd = e\n", "Metadata-Version: 2.1\nName: x\nVersion: 1\n")
    monkeypatch.setattr(sys, "path", [str(archive), str(path)])
    assert set(entry_points("mine")) == {EntryPoint("a", "b:c", "zipped", "3.0"), EntryPoint("d", "e", "x", "1")}


def test_an_importer_with_distributions_of_its_own_is_asked_through_the_library(path, monkeypatch) -> None:
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return None

        @staticmethod
        def find_distributions(context=None):
            yield importlib_metadata.PathDistribution(path / "hidden" / "own-1.dist-info")

    lay(path / "hidden", "own-1", "[mine]\na = b\n", "Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert EntryPoint("a", "b", "own", "1") in entry_points("mine")


def test_without_such_things_the_library_is_not_even_imported(path, monkeypatch) -> None:
    monkeypatch.setattr(installed, "_asked_of_the_library", lambda group: pytest.fail("it was"))
    assert entry_points("mine") == []


def test_loading_follows_the_dots() -> None:
    assert EntryPoint("x", "os.path:join").load() is __import__("os").path.join
    assert (
        EntryPoint("x", "collections:OrderedDict.fromkeys [extra]").load()
        == __import__("collections").OrderedDict.fromkeys
    )
    assert EntryPoint("x", "json").load() is __import__("json")
    with pytest.raises(ValueError, match="not of the form"):
        EntryPoint("x", "not a module!").load()
