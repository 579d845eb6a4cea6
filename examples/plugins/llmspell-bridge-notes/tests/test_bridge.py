"""The bridge passes llmspell's kits, and does what its documentation says."""

from __future__ import annotations

import pytest
from llmspell_bridge_notes.bridge import NotesBridge

from llmspell import BridgeCallError
from llmspell.testing import BridgeConformance, BridgeHarness, Example, PluginConformance


class TestNotes(BridgeConformance):
    bridge = NotesBridge
    examples = (
        Example("add", ("bees", "They count to four."), expected=0),
        Example("add", ("bees", "x"), {"tags": ["insects"]}, expected=0),
        Example("add", (" ", "x"), error="invalid_name"),
        Example("add", ("bees", 4), error="invalid_argument"),
        Example("read", ("absent",), error="not_found"),
        Example("remove", ("absent",), expected=False),
        Example("each_changed", (lambda note: note,), expected=[]),
    )


class TestPlugin(PluginConformance):
    plugin = "llmspell-bridge-notes"


@pytest.fixture
def notes():
    with BridgeHarness(NotesBridge) as harness:
        harness.call("add", "ants", "They farm.", tags=["insects"])
        harness.call("add", "bees", "They count to four.", tags=["insects", "sums"])
        harness.call("add", "rooks", "They count too.")
        yield harness


def found(harness: BridgeHarness, *args: object) -> list[str]:
    def script():
        stream, names = (yield ("notes", "search", *args)), []
        while True:
            done, note = yield (stream, "next")
            if done:
                return names
            names.append(note["name"])

    return harness.run(script).value


def test_a_note_is_read_as_it_was_kept(notes) -> None:
    assert notes.call("read", "bees") == {
        "name": "bees", "text": "They count to four.", "tags": ["insects", "sums"], "changes": 0,
    }  # fmt: skip


def test_notes_are_searched_by_words_and_tag(notes) -> None:
    assert found(notes) == ["ants", "bees", "rooks"]
    assert found(notes, "count") == ["bees", "rooks"]
    assert found(notes, "count", {"tag": "insects"}) == ["bees"]


def test_a_function_hears_of_changed_notes(notes) -> None:
    notes.call("add", "ants", "They farm mushrooms.")
    assert notes.call("each_changed", lambda note: note["text"]) == ["They farm mushrooms."]


def test_a_removed_note_is_gone(notes) -> None:
    assert notes.call("remove", "bees") is True
    with pytest.raises(BridgeCallError) as caught:
        notes.call("read", "bees")
    assert caught.value.fault_code == "not_found"


def test_notes_outlive_a_session_in_the_configured_file_and_belong_to_their_principal(tmp_path) -> None:
    config = {"notes": {"path": str(tmp_path / "notes.sqlite")}}
    with BridgeHarness(NotesBridge, config=config, principal="ada") as harness:
        harness.call("add", "bees", "They count to four.")
    with BridgeHarness(NotesBridge, config=config, principal="ada") as harness:
        assert found(harness) == ["bees"]
    with BridgeHarness(NotesBridge, config=config, principal="bob") as harness:
        assert found(harness) == []


@pytest.mark.parametrize("language", ["lua", "javascript"])
def test_scripts_use_it_as_their_own(language) -> None:
    pytest.importorskip({"lua": "llmspell_lua", "javascript": "llmspell_quickjs"}[language])
    from llmspell import Host, Policy

    source = {
        "lua": "notes.add('a', 'x', {tags = {'t'}}); for n in notes.search('x') do return n.tags[1] end",
        "javascript": "await notes.add('a', 'x', {tags: ['t']}); for await (const n of notes.search()) return n.tags",
    }[language]
    with Host(config={}) as host, host.session(policy=Policy.minimal()) as session:
        assert session.eval(language, source).value in ("t", ["t"])
