"""The house keeps its rooms: each imports only those above it, and members do not reach into each other."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOMS = [
    "errors",
    "fields",
    "values",
    "policy",
    "guards",
    "bridge",
    "engine",
    "gate",
    "runtime",
    "spell",
    "host",
    "cli",
]
"""From the top of the house down: a room may import those before it."""

FACADES = {"plugin": {"bridge", "engine", "errors", "host", "policy", "values"}}
"""Modules at the top that gather names for one kind of reader."""


@cache
def imports(path: Path) -> frozenset[str]:
    """Return all that a module imports anywhere in it, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def imported(path: Path, package: str) -> set[str]:
    """Return the parts of ``package`` that a module imports."""
    return {name for name in imports(path) if name == package or name.startswith(f"{package}.")}


def room_of(path: Path, package: Path) -> str:
    return path.relative_to(package).parts[0].removesuffix(".py")


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


@pytest.fixture(scope="module")
def core(all_members) -> Path:
    return next(member.package for member in all_members if member.name == "llmspell")


def test_every_room_of_core_is_known(core) -> None:
    there = {entry.name.removesuffix(".py") for entry in core.iterdir() if entry.suffix == ".py" or entry.is_dir()}
    assert there - {"__pycache__", "py.typed"} == {*ROOMS, *FACADES, "__init__", "testing"} | (there & {"__main__"})


def test_rooms_import_only_rooms_above_them(core) -> None:
    offences = []
    for path in modules(core):
        room = room_of(path, core)
        if room not in ROOMS:
            continue
        allowed = {*ROOMS[: ROOMS.index(room) + 1]}
        for name in imported(path, "llmspell"):
            target = name.split(".")[1] if "." in name else ""
            if target in {*ROOMS, *FACADES, "testing"} and target not in allowed:
                offences.append(f"{path.relative_to(core)} imports {name}")
    assert sorted(set(offences)) == []


def test_facades_gather_from_their_rooms_only(core) -> None:
    for facade, allowed in FACADES.items():
        for name in imported(core / f"{facade}.py", "llmspell"):
            assert name == "llmspell" or name.split(".")[1] in allowed, name


def test_every_room_says_what_lives_there_and_what_it_may_import(core) -> None:
    for room in (entry for entry in core.iterdir() if (entry / "__init__.py").exists()):
        doc = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
        assert doc, f"{room.name} has no docstring"
        if room.name in ROOMS[1:-1]:
            assert "May import" in doc or "may import" in doc, f"{room.name} does not say what it may import"


def test_core_imports_no_other_member(core, all_members) -> None:
    others = [member.package.name for member in all_members if member.name != "llmspell"]
    for path in modules(core):
        for other in others:
            assert not imported(path, other), f"{path.relative_to(core)} imports {other}"


def test_members_import_only_what_they_declare(member, all_members) -> None:
    declared = {text.split(">")[0].split("[")[0].strip() for text in member.project.get("dependencies", [])}
    packages = {other.package.name: other.name for other in all_members}
    for path in modules(member.package):
        for package, name in packages.items():
            if name not in (member.name, "llmspell") and imported(path, package):
                assert name in declared, f"{path.relative_to(member.path)} imports {package}, which is not declared"


def test_engines_and_bridges_use_no_private_names_of_core(member) -> None:
    if member.name == "llmspell":
        return
    for path in modules(member.package):
        private = [name for name in imported(path, "llmspell") if any(part.startswith("_") for part in name.split("."))]
        assert not private, f"{path.relative_to(member.path)} imports {private}"


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after a statement."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(out.stdout))


HEAVY = {
    "pydantic_ai", "openai", "anthropic", "httpx", "httpx2", "click", "rich", "yaml", "lupa", "quickjs", "_quickjs",
    "jinja2", "jsonschema", "tree_sitter", "xllamacpp", "google_re2", "re2", "pytest", "hypothesis", "numpy",
    "opentelemetry", "prometheus_client", "platformdirs", "importlib_metadata", "packaging", "tomllib",
}  # fmt: skip


def test_importing_llmspell_loads_nothing_heavy() -> None:
    loaded = loaded_by("import llmspell")
    assert not loaded & (HEAVY | {"pydantic", "pluggy", "msgspec", "asyncio"})
    assert not {name for name in loaded if name.startswith("llmspell_")}


@pytest.mark.parametrize(
    "statement",
    ["from llmspell import Host, Policy, Session, Source, Spell", "import llmspell.plugin", "import llmspell.errors"],
)
def test_the_public_names_load_no_engine_bridge_or_heavy_library(statement) -> None:
    loaded = loaded_by(statement)
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith("llmspell_")}


def test_the_test_kits_load_without_pytest() -> None:
    assert "pytest" not in loaded_by("import llmspell.testing")


def test_importing_registers_nothing() -> None:
    script = (
        "import threading, atexit\n"
        "before = threading.active_count()\n"
        "import llmspell.host.host, llmspell.plugin\n"
        "assert threading.active_count() == before\n"
        "assert not hasattr(llmspell, 'hosts')"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
