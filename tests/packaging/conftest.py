"""The members of the workspace, their metadata, and wheels built from them as they stand."""

from __future__ import annotations

import subprocess
import tomllib
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Member:
    """One distribution of the workspace."""

    path: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def package(self) -> Path:
        (package,) = (entry for entry in (self.path / "src").iterdir() if (entry / "__init__.py").exists())
        return package


def members() -> list[Member]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = config["tool"]["uv"]["workspace"]["members"]
    paths = sorted(path.parent for pattern in patterns for path in ROOT.glob(f"{pattern}/pyproject.toml"))
    return [Member(path, tomllib.loads((path / "pyproject.toml").read_text())["project"]) for path in paths]


MEMBERS = members()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "member" in metafunc.fixturenames:
        metafunc.parametrize("member", MEMBERS, ids=[member.name for member in MEMBERS])


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def all_members() -> list[Member]:
    return MEMBERS


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """Files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("git cannot list the files of this checkout")
    return [root / name for name in listed.stdout.decode().split("\0") if name and (root / name).is_file()]


class Wheel:
    """A built wheel."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.names = archive.namelist()
            (metadata,) = (name for name in self.names if name.endswith(".dist-info/METADATA"))
            self.metadata: Message = Parser().parsestr(archive.read(metadata).decode())
            points = [name for name in self.names if name.endswith(".dist-info/entry_points.txt")]
            self.entry_points = archive.read(points[0]).decode() if points else ""

    @property
    def requires(self) -> list[str]:
        return self.metadata.get_all("Requires-Dist") or []


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wheel]:
    """A wheel of every member, by distribution name."""
    from hatchling.builders.wheel import WheelBuilder

    directory = tmp_path_factory.mktemp("wheels")
    return {
        member.name: Wheel(
            Path(next(iter(WheelBuilder(str(member.path)).build(directory=str(directory), versions=["standard"]))))
        )
        for member in MEMBERS
    }
