"""Front matter: where it stands, and what is said when it is wrong."""

import pytest

from llmspell.errors import ScriptSyntaxError
from llmspell.spell.front_matter import read_front_matter


def block(*lines: str, mark: str = "--") -> str:
    return "\n".join([f"{mark} /// spell", *(f"{mark} {line}".rstrip() for line in lines), f"{mark} ///", "return 1"])


@pytest.mark.parametrize("mark", ["--", "//", "#", ";"])
def test_is_read_in_the_comments_of_every_language(mark: str) -> None:
    found = read_front_matter(block('name = "bees"', "", "[parameters.n]", 'type = "integer"', mark=mark), "x")
    assert found is not None
    assert found.data == {"name": "bees", "parameters": {"n": {"type": "integer"}}}


def test_may_follow_other_lines_and_end_lines_in_crlf() -> None:
    text = "-- a comment\n\n" + block('name = "x"')
    found = read_front_matter(text.replace("\n", "\r\n"), "x.lua")
    assert found is not None
    assert found.data == {"name": "x"}
    assert found.first == 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "return 1",
        '-- /// script\n-- name = "x"\n-- ///',
        '  -- /// spell\n  -- name = "x"\n  -- ///',
        'local s = "-- /// spell"',
    ],
)
def test_is_absent_where_no_line_opens_it(text: str) -> None:
    assert read_front_matter(text, "x.lua") is None


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('-- /// spell\n-- name = "x"\nreturn 1', 1, "does not end"),
        ('-- /// spell\n-- name = "x"', 1, "does not end"),
        ('\n-- /// spell\n--name = "x"\n-- ///', 2, "does not end"),
        ('-- /// spell\n// name = "x"\n-- ///', 1, "does not end"),
        ("-- /// spell\n-- ///\n\n-- /// spell\n-- ///", 4, "second front-matter block"),
        ('-- /// spell\n-- name = "x"\n-- oops oops\n-- ///', 3, "not TOML"),
        ("-- /// spell\n-- name = \n-- ///", 2, "not TOML"),
        ("-- /// spell\n-- name = 1\n-- name = 2\n-- ///", 3, "not TOML"),
        ('-- /// spell\n-- text = """\n-- never\n-- ///', 3, "not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ScriptSyntaxError, match=message) as caught:
        read_front_matter(text, "spells/x.lua")
    assert caught.value.location is not None
    assert (caught.value.location.file, caught.value.location.line) == ("spells/x.lua", line)


def test_tells_the_line_of_a_setting() -> None:
    found = read_front_matter(
        block('name = "x"', "[parameters.file]", 'type = "file"', '[parameters."odd name"]', "required = true"), "x"
    )
    assert found is not None
    assert found.line_of(("name",)) == 2
    assert found.line_of(("parameters", "file")) == 3
    assert found.line_of(("parameters", "file", "type")) == 4
    assert found.line_of(("parameters", "file", "default")) == 3
    assert found.line_of(("parameters", "odd name", "required")) == 6


def test_tells_the_line_of_dotted_and_inline_settings() -> None:
    found = read_front_matter(block('parameters.a.type = "x"', 'parameters.b = { type = "y" }'), "x")
    assert found is not None
    assert found.line_of(("parameters", "a", "type")) == 2
    assert found.line_of(("parameters", "b", "type")) == 3
