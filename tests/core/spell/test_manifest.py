"""What a spell may say of itself, and how mistakes in it are told."""

import pytest

from llmspell.errors import ScriptSyntaxError
from llmspell.plugin import Source
from llmspell.spell import Spell


def spell(*lines: str) -> Spell:
    text = "\n".join(["-- /// spell", *(f"-- {line}" for line in lines), "-- ///", "return 1"])
    return Spell.from_source(Source(text, "x.lua"))


def test_a_whole_manifest_is_read() -> None:
    manifest = spell(
        'name = "reviews"',
        'description = "Read reviews."',
        'version = "1.2"',
        'permissions = ["read", "net:api.example.org"]',
        "[parameters.file]",
        'type = "file"',
        "required = true",
        'description = "A text file."',
        "[parameters.tone]",
        'choices = ["dry", "warm"]',
        'default = "dry"',
    ).manifest
    assert (manifest.name, manifest.description, manifest.version) == ("reviews", "Read reviews.", "1.2")
    assert manifest.permissions == ["read", "net:api.example.org"]
    assert manifest.parameters["file"].type == "file"
    assert manifest.parameters["file"].required
    assert manifest.parameters["tone"].type == "string"
    assert manifest.parameters["tone"].default == "dry"


def test_a_spell_without_front_matter_has_an_empty_manifest() -> None:
    plain = Spell.from_source(Source("return 1", "x.lua"))
    assert plain.manifest.parameters == {}
    assert plain.name == "x.lua"


def test_the_engine_of_the_manifest_is_taken_unless_one_is_given() -> None:
    assert spell('engine = "lua"').source.language == "lua"
    text = '// /// spell\n// engine = "lua"\n// ///'
    assert Spell.from_source(Source(text, "x", "javascript")).source.language == "javascript"


@pytest.mark.parametrize(
    ("lines", "line", "message", "hint"),
    [
        (['nam = "x"'], 2, "no setting 'nam'", "'name'"),
        (["[parameters.n]", 'typ = "integer"'], 3, "no setting 'parameters.n.typ'", "'type'"),
        (
            ["[parameters.n]", 'type = "interger"'],
            3,
            "parameters.n.type: must be one of string, integer.*, not 'interger'",
            "'integer'",
        ),
        (["[parameters.n]", 'type = "whatever"'], 3, "must be one of string, integer.*, not 'whatever'", None),
        (["name = 3"], 2, "name: must be a text, not an integer", None),
        (["parameters = 3"], 2, "parameters: must be a table", None),
        (["[parameters]", 'n = "integer"'], 3, r"parameters.n: must be a table such as \[parameters.n\]", None),
        (["[parameters.n]", 'required = "yes"'], 3, "must be true or false", None),
        (["[parameters.n]", "required = true", 'default = "x"'], 2, "a required parameter has no default", None),
        (
            ["[parameters.n]", 'type = "integer"', 'default = "x"'],
            2,
            "the default must be an integer, not a text",
            None,
        ),
        (["[parameters.n]", 'choices = ["a"]', 'default = "b"'], 2, "none of the choices: a", None),
        (["[parameters.n]", "choices = [1]"], 2, "the choice 1 must be a text", None),
        (["[parameters.n]", 'type = "json"', "default = 2024-01-01"], 2, "must be plain data", None),
        (['[parameters."a=b"]'], 2, "cannot be the name of a parameter", None),
        (['permissions = "net"'], 2, "must be a list", None),
    ],
)
def test_mistakes_are_told_with_line_and_remedy(lines: list[str], line: int, message: str, hint: str | None) -> None:
    with pytest.raises(ScriptSyntaxError, match=message) as caught:
        spell(*lines)
    assert caught.value.location is not None
    assert (caught.value.location.file, caught.value.location.line) == ("x.lua", line)
    if hint is not None:
        assert caught.value.hint is not None
        assert hint in caught.value.hint
