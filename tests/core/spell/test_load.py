"""Reading a spell from a file: what it becomes, and what is said of files that are no spells."""

import os
from pathlib import Path

import pytest

from llmspell.errors import ScriptSyntaxError, SpellNotFoundError, UsageError
from llmspell.spell import MAX_SOURCE_BYTES, decode_source, load_spell


def test_a_spell_knows_its_source_path_and_root(tmp_path: Path) -> None:
    file = tmp_path / "hello.lua"
    file.write_text('-- /// spell\n-- description = "Say hello."\n-- ///\nreturn "hällo"\n')
    spell = load_spell(file)
    assert spell.name == "hello"
    assert spell.manifest.description == "Say hello."
    assert spell.source.text.endswith('return "hällo"\n')
    assert spell.source.name == str(file)
    assert spell.source.root == os.path.realpath(tmp_path)
    assert spell.path == file.resolve()


def test_errors_call_a_spell_as_the_person_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.lua").write_text("return 1")
    monkeypatch.chdir(tmp_path)
    assert load_spell("./a.lua").source.name == "./a.lua"


def test_the_root_of_a_linked_spell_is_where_it_really_lies(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.lua").write_text("return 1")
    (tmp_path / "link.lua").symlink_to(tmp_path / "real" / "a.lua")
    assert load_spell(tmp_path / "link.lua").source.root == os.path.realpath(tmp_path / "real")


def test_a_given_language_wins(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text('-- /// spell\n-- engine = "lua"\n-- ///\n')
    assert load_spell(file).source.language == "lua"
    assert load_spell(file, language="tengo").source.language == "tengo"


def test_a_missing_spell_is_told_with_its_nearest_neighbour(tmp_path: Path) -> None:
    (tmp_path / "reviews.lua").write_text("")
    with pytest.raises(SpellNotFoundError, match="there is no spell at") as caught:
        load_spell(tmp_path / "review.lua")
    assert caught.value.hint == f"did you mean {str(tmp_path / 'reviews.lua')!r}?"
    assert caught.value.exit_code == 12


def test_a_missing_spell_in_a_missing_directory_has_no_hint(tmp_path: Path) -> None:
    with pytest.raises(SpellNotFoundError) as caught:
        load_spell(tmp_path / "no" / "x.lua")
    assert caught.value.hint is None


def test_a_directory_is_not_a_spell(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("")
    with pytest.raises(SpellNotFoundError, match="is a directory") as caught:
        load_spell(tmp_path)
    assert caught.value.hint is not None
    assert str(tmp_path / "a.lua") in caught.value.hint


@pytest.mark.parametrize("name", ["a.lua/b.lua", "x" * 300, "loop"])
def test_a_spell_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.lua").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(SpellNotFoundError, match="cannot be read: "):
        load_spell(tmp_path / name)


def test_an_unreadable_spell_is_told_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "a.lua"
    file.write_text("")
    file.chmod(0)
    root = os.geteuid() == 0
    if root:  # who may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(SpellNotFoundError, match="Permission denied"):
            load_spell(file)
    finally:
        if root:
            os.seteuid(0)


def test_a_name_with_nul_names_no_spell() -> None:
    with pytest.raises(SpellNotFoundError):
        load_spell("a\0b.lua")


def test_bytes_that_are_not_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "a.lua"
    file.write_bytes(b"local a = 1\nreturn '\xff'\n")
    with pytest.raises(ScriptSyntaxError, match="0xff") as caught:
        load_spell(file)
    location = caught.value.location
    assert location is not None
    assert (location.file, location.line, location.column) == (str(file), 2, 9)


def test_a_byte_order_mark_and_a_shebang_are_not_part_of_the_program(tmp_path: Path) -> None:
    file = tmp_path / "a.lua"
    file.write_bytes(b"\xef\xbb\xbf#!/usr/bin/env -S llmspell run\nreturn 1\n")
    assert load_spell(file).source.text == "\nreturn 1\n"
    file.write_bytes(b"#!only")
    assert load_spell(file).source.text == ""


def test_a_file_larger_than_a_spell_may_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.lua"
    with file.open("wb") as out:
        out.truncate(MAX_SOURCE_BYTES + 1)
    with pytest.raises(UsageError, match="larger than 16 MiB"):
        load_spell(file)
    with pytest.raises(UsageError, match="larger than 16 MiB"):
        decode_source(b" " * (MAX_SOURCE_BYTES + 1), "<stdin>")
