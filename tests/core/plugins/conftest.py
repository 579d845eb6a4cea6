"""Distributions that are really installed: built as wheels, unpacked into a site directory of the test's own."""

from __future__ import annotations

import base64
import hashlib
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


class Site:
    """A directory of installed distributions.

    ``install`` builds a wheel and installs it, as an installer does: the files of the wheel, unpacked.
    """

    def __init__(self, directory: Path, wheels: Path) -> None:
        self.directory = directory
        self.wheels = wheels
        self.modules: list[str] = []

    def install(
        self, distribution: str, files: dict[str, str], entry_points: dict[str, str], *, version: str = "1.0"
    ) -> Path:
        """Install ``files`` (by path) with entry points of group ``llmspell``; return the wheel."""
        wheel = build_wheel(self.wheels, distribution, version, files, entry_points)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.directory)
        self.modules += [name.split("/")[0].removesuffix(".py") for name in files]
        return wheel

    def plugin(self, name: str, source: str, *, distribution: str = "", version: str = "1.0") -> None:
        """Install a distribution of one module that is one plugin called ``name``."""
        distribution = distribution or f"llmspell-{name}"
        module = f"plugin_{distribution.replace('-', '_')}_{name}"
        text = "from llmspell.plugin import *\n" + textwrap.dedent(source)
        self.install(distribution, {f"{module}.py": text}, {name: module}, version=version)


def build_wheel(
    directory: Path, distribution: str, version: str, files: dict[str, str], entry_points: dict[str, str]
) -> Path:
    stem = f"{distribution.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    points = "".join(f"{name} = {target}\n" for name, target in entry_points.items())
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[llmspell]\n{points}",
    }
    rows = [f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site directory on this process's path."""
    directory = tmp_path / "site"
    directory.mkdir()
    (tmp_path / "wheels").mkdir()
    monkeypatch.syspath_prepend(str(directory))
    made = Site(directory, tmp_path / "wheels")
    yield made
    for name in made.modules:
        sys.modules.pop(name, None)


@pytest.fixture
def notes_source() -> Callable[..., str]:
    """Source of a plugin that offers one bridge."""

    def source(bridge: str = "notes", **more: object) -> str:
        options = "".join(f", {name}={value!r}" for name, value in more.items())
        return f"""
            @hookimpl
            def llmspell_bridges():
                return [BridgeSpec({bridge!r}, "nowhere:Bridge"{options})]
        """

    return source
