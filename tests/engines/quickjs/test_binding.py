"""Which package ``import quickjs`` is, and what of it works here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell.errors import PluginLoadError
from llmspell_quickjs import binding
from llmspell_quickjs.native import probe

HIDDEN = """
import sys
sys.path.insert(0, {path!r})
from llmspell.errors import PluginLoadError
from llmspell_quickjs.binding import check_binding
try:
    check_binding()
except PluginLoadError as error:
    print(error.message)
    print(error.hint)
"""


@pytest.fixture
def other_package(tmp_path: Path) -> Iterator[Path]:
    """A distribution that provides a module of the same name, as several on PyPI do."""
    (tmp_path / "quickjs").mkdir()
    (tmp_path / "quickjs" / "__init__.py").write_text("class Context: ...\n")
    info = tmp_path / "quickjs_bindings-0.1.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quickjs-bindings\nVersion: 0.1.1\n")
    (info / "RECORD").write_text("quickjs/__init__.py,,\n")
    (info / "top_level.txt").write_text("quickjs\n")
    return tmp_path


def test_the_installed_binding_is_the_right_one() -> None:
    assert binding.check_binding().startswith("0.17.")


def test_another_package_of_the_name_is_refused_by_name_with_the_remedy(
    other_package: Path, in_child: Callable[[str], str]
) -> None:
    message, hint = in_child(HIDDEN.format(path=str(other_package))).strip().split("\n")
    assert "is not quickjs-ng's" in message
    assert "quickjs-bindings" in message
    assert "pip install --force-reinstall quickjs-ng" in hint


def test_a_missing_binding_is_refused_with_what_is_there_instead(
    other_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "DISTRIBUTION", "quickjs-ng-that-is-not-there")
    monkeypatch.syspath_prepend(str(other_package))
    with pytest.raises(PluginLoadError, match="needs the package quickjs-ng-that-is-not-there") as caught:
        binding.check_binding()
    assert "quickjs-bindings" in caught.value.message


def test_a_changed_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "_digest", lambda path, mode: "changed")
    with pytest.raises(PluginLoadError, match="replaced or hides it"):
        binding.check_binding()


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the layout is known on Linux and macOS only")
def test_every_piece_works_here() -> None:
    pieces = probe()
    assert pieces.missing == {}
    assert (pieces.interrupt, pieces.heap, pieces.symbols is not None) == (True, True, True)


def test_loading_the_engine_starts_no_thread(in_child: Callable[[str], str]) -> None:
    code = """
import os, threading
from llmspell_quickjs.engine import JavaScriptEngine
JavaScriptEngine()
print(threading.active_count(), len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1)
"""
    assert in_child(code).split() == ["1", "1"]


def test_the_plugin_loads_nothing_of_the_engine(in_child: Callable[[str], str]) -> None:
    code = """
import sys
from llmspell_quickjs.plugin import llmspell_engines
[spec] = llmspell_engines()
print(spec.name, spec.version, *sorted(m for m in sys.modules if m in ("_quickjs", "quickjs", "tree_sitter")))
"""
    from llmspell_quickjs import __version__

    assert in_child(code).split() == ["javascript", __version__]


def test_closing_an_engine_ends_its_thread(in_child: Callable[[str], str]) -> None:
    code = """
import threading
from llmspell.engine import GuestLimits, Source
from llmspell.engine.messages import Start
from llmspell_quickjs.engine import JavaScriptEngine
engine = JavaScriptEngine()
guest = engine.open(GuestLimits(memory=2**26), None)
print(guest.step(Start(Source("6 * 7", "a.js")))[0].values)
guest.close()
before = threading.active_count()
engine.close()
print(before, threading.active_count())
"""
    value, counts = in_child(code).strip().split("\n")
    assert value == "[42]"
    assert counts == "2 1"


def test_compile_checks_without_running() -> None:
    from llmspell.engine import Source
    from llmspell.errors import ScriptSyntaxError
    from llmspell_quickjs.engine import JavaScriptEngine

    engine = JavaScriptEngine(spares=0)
    source = Source("for (;;);", "loop.js")
    program: Any = engine.compile(source)
    assert program.source is source
    with pytest.raises(ScriptSyntaxError) as caught:
        engine.compile(Source("let a = 1;\nlet x = ;", "bad.js"))
    assert str(caught.value.location) == "bad.js:2:9"
    with pytest.raises(ScriptSyntaxError) as caught:
        engine.compile(Source("enum A {}", "bad.ts"))
    assert "enum" in caught.value.message
    engine.close()
