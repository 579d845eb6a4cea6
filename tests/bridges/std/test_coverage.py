"""Nothing is exported that no test calls."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import llmspell_std
from llmspell.bridge import HostObject, exports_of
from llmspell.bridge.registry import load_factory
from llmspell_std.plugin import llmspell_bridges

HERE = Path(__file__).parent
TEXT = "".join(path.read_text() for path in HERE.glob("test_*.py") if path.name != "test_coverage.py")
SPECS = {spec.name: spec for spec in llmspell_bridges()}


def objects() -> list[type]:
    for module in pkgutil.walk_packages(llmspell_std.__path__, "llmspell_std."):
        importlib.import_module(module.name)
    found, left = [], [HostObject]
    while left:
        for kind in left.pop().__subclasses__():
            left.append(kind)
            if kind.__module__.startswith("llmspell_std.") and exports_of(kind):
                found.append(kind)
    return found


@pytest.mark.parametrize("name", SPECS)
def test_every_export_is_called_by_a_test(name: str) -> None:
    spec = SPECS[name]
    known = [spec.name, *spec.aliases]
    kind = load_factory(spec.factory, name)
    called = set(re.findall(rf'"(?:{"|".join(known)})\.(\w+)"', TEXT))
    if name in _BY_TABLE:
        called |= set(re.findall(r'"(\w+)"', TEXT))
    if name == "testing":
        called |= {f"assert_{each}" for each in re.findall(r'\("(\w+)", ', TEXT)}
    missing = sorted(exports_of(kind).keys() - called)
    assert missing == []


_BY_TABLE = {"log", "errors", "util", "core", "http", "auth", "hooks", "state"}
"""Bridges some of whose tests put the export's name together from a table of names."""


def test_every_method_of_an_object_is_called_by_a_test() -> None:
    missing = {
        kind.__name__: sorted(name for name in exports_of(kind) if f'"{name}"' not in TEXT and f'.{name}"' not in TEXT)
        for kind in objects()
    }
    assert {kind: names for kind, names in missing.items() if names} == {}


def test_importing_the_plugin_imports_nothing_of_it() -> None:
    import subprocess
    import sys

    code = (
        "import llmspell_std.plugin, sys\n"
        "heavy = ('yaml', 'jsonschema', 'joserfc', 're2', 'httpx2', 'json_repair', 'sqlite3', 'defusedxml')\n"
        "print([m for m in sys.modules if m in heavy or m.startswith('llmspell_std.') and m != 'llmspell_std.plugin'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_opening_every_bridge_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from llmspell.bridge.registry import load_factory\n"
        "from llmspell_std.plugin import llmspell_bridges\n"
        "[load_factory(spec.factory, spec.name)() for spec in llmspell_bridges()]\n"
        "heavy = ('yaml', 'jsonschema', 'joserfc', 're2', 'httpx2', 'json_repair', 'defusedxml')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
