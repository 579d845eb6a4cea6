"""Local modules: what a name means, and that nothing outside of the spell's directory is ever read."""

from __future__ import annotations

import os

import pytest

from llmspell.engine import Source
from llmspell.engine.modules import ModuleForm, Resolver, shown_root
from llmspell.errors import PolicyDeniedError, ScriptModuleNotFoundError, ScriptSyntaxError

LUA = ModuleForm("lua", (".lua",), dotted=True)
JS = ModuleForm("javascript", (".js", ".mjs"))
TENGO = ModuleForm("tengo", (".tengo",), dotted=True)


@pytest.fixture
def root(tmp_path):
    spell = tmp_path / "spell"
    for name in (
        "lib.lua", "tools.js", "deep/inner.lua", "deep/other.lua", "pack/init.lua", "jspack/index.js",
        "both.lua", "both/init.lua", "extra.mjs", "calc.tengo", "dotted.name.lua",
    ):  # fmt: skip
        path = spell / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"-- {name}")
    (tmp_path / "outside.lua").write_text("-- outside")
    return spell


@pytest.fixture
def resolver(root):
    return Resolver(str(root), [LUA, JS, TENGO])


@pytest.mark.parametrize(
    ("name", "language", "found"),
    [
        ("lib", "lua", "lib.lua"),
        ("./lib", "lua", "lib.lua"),
        ("lib.lua", "lua", "lib.lua"),
        ("deep.inner", "lua", "deep/inner.lua"),
        ("deep/inner", "lua", "deep/inner.lua"),
        ("deep/../lib", "lua", "lib.lua"),
        ("pack", "lua", "pack/init.lua"),
        ("both", "lua", "both.lua"),
        ("dotted.name", "lua", "dotted.name.lua"),
        ("./tools", "javascript", "tools.js"),
        ("./tools.js", "javascript", "tools.js"),
        ("./jspack", "javascript", "jspack/index.js"),
        ("./extra", "javascript", "extra.mjs"),
        ("calc", "tengo", "calc.tengo"),
    ],
)
def test_a_name_means_a_file(resolver, name, language, found) -> None:
    source = resolver.resolve(name, language)
    assert (source.text, source.name, source.language) == (f"-- {found}", found, language)


def test_a_name_with_another_languages_ending_finds_that_file(resolver) -> None:
    assert resolver.resolve("./tools.js", "lua").language == "javascript"
    assert resolver.resolve("./lib.lua", "javascript").language == "lua"


def test_a_dot_means_a_directory_only_where_the_language_says_so(resolver) -> None:
    with pytest.raises(ScriptModuleNotFoundError):
        Resolver(resolver._root, [LUA, JS]).resolve("deep.inner", "javascript")


def test_a_relative_name_starts_at_the_file_that_asks(resolver) -> None:
    assert resolver.resolve("./other", "lua", importer="deep/inner.lua").name == "deep/other.lua"
    assert resolver.resolve("../lib", "lua", importer="deep/inner.lua").name == "lib.lua"
    assert resolver.resolve("lib", "lua", importer="deep/inner.lua").name == "lib.lua"


def test_names_begin_as_the_person_named_the_spell(root) -> None:
    main = Source("", "my/spells/main.lua", root=str(root))
    resolver = Resolver(str(root), [LUA], shown=shown_root(main))
    source = resolver.resolve("deep.inner", "lua")
    assert source.name == "my/spells/deep/inner.lua"
    assert resolver.resolve("./other", "lua", importer=source.name).name == "my/spells/deep/other.lua"
    assert source.root == str(root)


def test_a_source_without_a_file_has_no_shown_root() -> None:
    assert shown_root(Source("return 1")) == ""


@pytest.mark.parametrize("name", ["../outside", "deep/../../outside", "./../outside.lua", ".."])
def test_what_leads_out_by_dots_is_refused(resolver, name) -> None:
    with pytest.raises(PolicyDeniedError, match="outside of the spell's directory"):
        resolver.resolve(name, "lua")


def test_dots_relative_to_a_deep_importer_are_refused_beyond_the_root(resolver) -> None:
    with pytest.raises(PolicyDeniedError, match="outside"):
        resolver.resolve("../../outside", "lua", importer="deep/inner.lua")


@pytest.mark.parametrize("importer", ["../../x/main.lua", "/etc/x.lua", "<eval>"])
def test_a_made_up_importer_reaches_nothing_outside(resolver, importer) -> None:
    with pytest.raises((PolicyDeniedError, ScriptModuleNotFoundError)):
        resolver.resolve("./outside", "lua", importer=importer)


@pytest.mark.parametrize("name", ["", "/etc/passwd", "a\0b", "a\\b", "C:/x", "x" * 2000])
def test_what_cannot_name_a_module_is_not_found(resolver, name) -> None:
    with pytest.raises(ScriptModuleNotFoundError, match="cannot name a module"):
        resolver.resolve(name, "lua")


def test_an_absolute_path_into_the_root_is_refused_too(resolver, root) -> None:
    with pytest.raises(ScriptModuleNotFoundError):
        resolver.resolve(str(root / "lib"), "lua")


def test_a_link_to_a_file_outside_is_refused(resolver, root) -> None:
    (root / "sly.lua").symlink_to(root.parent / "outside.lua")
    with pytest.raises(PolicyDeniedError, match="'sly' is a link out of the spell's directory"):
        resolver.resolve("sly", "lua")


def test_a_link_to_a_directory_outside_is_refused(resolver, root) -> None:
    (root / "up").symlink_to(root.parent)
    with pytest.raises(PolicyDeniedError, match="link out"):
        resolver.resolve("up.outside", "lua")


def test_a_link_inside_of_the_root_is_followed(resolver, root) -> None:
    (root / "alias.lua").symlink_to("lib.lua")
    assert resolver.resolve("alias", "lua").text == "-- lib.lua"


def test_a_root_that_is_reached_by_a_link_works(root, tmp_path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert Resolver(str(tmp_path / "link"), [LUA]).resolve("lib", "lua").text == "-- lib.lua"


def test_a_pipe_is_no_module_and_does_not_hang(resolver, root) -> None:
    os.mkfifo(root / "pipe.lua")
    with pytest.raises(ScriptModuleNotFoundError, match="cannot be read"):
        resolver.resolve("pipe", "lua")


@pytest.mark.parametrize("pattern", ["deep/*", "deep.*", "deep/inner.lua", "deep.inner", "deep/inner", "*"])
def test_a_pattern_grants_a_module_by_path_or_dotted_name(root, pattern) -> None:
    resolver = Resolver(str(root), [LUA], patterns=frozenset({pattern}))
    assert resolver.resolve("deep.inner", "lua").name == "deep/inner.lua"


def test_a_directory_module_is_granted_by_its_name(root) -> None:
    assert Resolver(str(root), [LUA], patterns=frozenset({"pack"})).resolve("pack", "lua").name == "pack/init.lua"


def test_what_no_pattern_grants_is_refused_and_says_nothing_of_the_disk(root) -> None:
    resolver = Resolver(str(root), [LUA], patterns=frozenset({"lib"}))
    texts = []
    for name in ("deep.inner", "deep.absent"):
        with pytest.raises(PolicyDeniedError) as caught:
            resolver.resolve(name, "lua")
        texts.append(caught.value.message.replace(name, "NAME"))
    assert texts[0] == texts[1]


def test_no_patterns_grant_nothing(root) -> None:
    with pytest.raises(PolicyDeniedError):
        Resolver(str(root), [LUA], patterns=frozenset()).resolve("lib", "lua")


def test_a_file_beyond_the_size_is_refused(root) -> None:
    (root / "big.lua").write_text("x" * 101)
    resolver = Resolver(str(root), [LUA], max_bytes=100)
    with pytest.raises(PolicyDeniedError, match="larger than 100 bytes"):
        resolver.resolve("big", "lua")


def test_a_file_that_is_not_utf8_says_where(resolver, root) -> None:
    (root / "latin.lua").write_bytes(b"local a\nlocal s = 'caf\xe9'\n")
    with pytest.raises(ScriptSyntaxError, match="byte 0xe9") as caught:
        resolver.resolve("latin", "lua")
    assert str(caught.value.location) == "latin.lua:2:15"


def test_a_byte_order_mark_is_dropped(resolver, root) -> None:
    (root / "bom.lua").write_bytes(b"\xef\xbb\xbfreturn 1")
    assert resolver.resolve("bom", "lua").text == "return 1"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lbi", "did you mean 'lib'?"),
        ("deep.iner", "did you mean 'deep.inner'?"),
        ("./deep/iner", "did you mean './deep/inner'?"),
        ("tools", "there is tools.js; name it with its ending"),
        ("nothing-like-it", None),
    ],
)
def test_a_module_that_is_not_there_suggests_one_that_is(resolver, name, hint) -> None:
    with pytest.raises(ScriptModuleNotFoundError, match="there is no module") as caught:
        resolver.resolve(name, "lua")
    assert caught.value.hint == hint
    assert caught.value.name == name


def test_a_script_without_a_directory_has_no_local_modules() -> None:
    with pytest.raises(ScriptModuleNotFoundError, match="no directory of its own"):
        Resolver("", [LUA]).resolve("lib", "lua")


@pytest.mark.parametrize("name", ["https://esm.sh/lodash", "node:fs", ".", "./"])
def test_an_address_is_not_looked_for_as_a_file(resolver, name) -> None:
    with pytest.raises(ScriptModuleNotFoundError) as caught:
        resolver.resolve(name, "javascript")
    assert caught.value.message == f"there is no module {name!r} in the spell's directory"


def test_a_file_that_is_no_module_is_told_from_one_that_is_missing(root, resolver) -> None:
    (root / "notes.txt").write_text("hello")
    with pytest.raises(ScriptModuleNotFoundError) as caught:
        resolver.resolve("./notes.txt", "javascript")
    assert caught.value.hint == (
        "./notes.txt is a file but no module; a text is read by the bridge fs, where the policy grants it"
    )
