"""Files that require files: wherever they are, each means what stands beside it, and a circle is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmspell import Host, Policy
from llmspell.errors import ScriptModuleNotFoundError

pytest.importorskip("llmspell_lua", reason="the package llmspell-lua is not installed")
pytest.importorskip("llmspell_quickjs", reason="the package llmspell-quickjs is not installed")
pytest.importorskip("llmspell_tengo", reason="the package llmspell-tengo is not installed")

SPELLS = {
    "lua": ('return require("./second")', 'return require("./first")'),
    "js": ('import { b } from "./second.js"; export const a = b', 'import { a } from "./first.js"; export const b = a'),
    "cjs": ('module.exports = require("./second.cjs")', 'module.exports = require("./first.cjs")'),
    "tengo": ('second := import("./second"); export second', 'first := import("./first"); export first'),
}


@pytest.mark.parametrize("extension", SPELLS)
def test_a_circle_through_the_spell_is_named(tmp_path: Path, extension: str) -> None:
    for name, text in zip(("first", "second"), SPELLS[extension], strict=True):
        (tmp_path / f"{name}.{extension}").write_text(text)
    with Host(config={}) as host, host.session(policy=Policy.standard()) as session:
        with pytest.raises(ScriptModuleNotFoundError, match=r"circ|cyclic") as caught:
            session.run(tmp_path / f"first.{extension}")
        assert f"second.{extension}" in caught.value.message
        assert session.eval("lua", "return 1").value == 1


CHAINS = {
    "lua": ('return require("./inner/second")', 'return require("./third") + 1', "return 41"),
    "js": (
        'import { b } from "./inner/second.js"; export default b',
        'import { c } from "./third.js"; export const b = c + 1',
        "export const c = 41",
    ),
    "tengo": ('export import("./inner/second")', 'export import("./third") + 1', "export 41"),
}


@pytest.mark.parametrize("extension", CHAINS)
def test_a_file_finds_its_neighbour_however_long_the_way_to_it_is(tmp_path: Path, extension: str) -> None:
    directory = tmp_path / ("directory" * 8)
    (directory / "inner").mkdir(parents=True)
    for name, text in zip(("first", "inner/second", "inner/third"), CHAINS[extension], strict=True):
        (directory / f"{name}.{extension}").write_text(text)
    with Host(config={}) as host, host.session(policy=Policy.standard()) as session:
        assert session.run(directory / f"first.{extension}").value == 42
