"""Reads the documents, and runs what stands in their code blocks."""

import json
import os
import re
import subprocess
import sysconfig
import tomllib
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"lua": "lua", "js": "javascript", "javascript": "javascript", "ts": "javascript", "tengo": "tengo"}
INSTALL = re.compile(r"(pip install|git clone|cd|uv (run|sync)|mkdir) ")
RUNNABLE = re.compile(r"(\w+=\S+ )*(llmspell|cat|echo|printf|python) ")

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")


@dataclass(frozen=True)
class Block:
    """A fenced code block: its language, the words after it, its text, and the line it begins at."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    def option(self, name: str) -> str | None:
        """Return the value of ``name=value`` among the words."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), None)


@dataclass(frozen=True)
class Document:
    path: Path
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))


def read_document(path: Path) -> Document:
    blocks: list[Block] = []
    lines = path.read_text(encoding="utf-8").split("\n")
    number = 0
    while number < len(lines):
        opened = _FENCE.match(lines[number])
        number += 1
        if opened is None:
            continue
        start, marks = number, opened["marks"]
        while number < len(lines) and lines[number].strip() != marks:
            number += 1
        words = opened["info"].split()
        blocks.append(Block(words[0] if words else "", tuple(words[1:]), "\n".join(lines[start:number]), start + 1))
        number += 1
    return Document(path, tuple(blocks))


def documents() -> list[Document]:
    """Return every document that people read."""
    paths = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    for pattern in ("*/README.md", "*/*/README.md"):
        paths += [path for path in sorted(ROOT.glob(pattern)) if not path.relative_to(ROOT).parts[0].startswith(".")]
    return [read_document(path) for path in dict.fromkeys(paths) if path.is_file()]


def matches(shown: str, expected: str) -> bool:
    """Compare loosely: white space counts once, and ``...`` stands for anything."""
    pieces = [re.escape(" ".join(piece.split())) for piece in expected.split("...")]
    return re.fullmatch(r".*?".join(pieces).replace(r"\ ", r"\s+"), " ".join(shown.split()), re.DOTALL) is not None


@dataclass
class Reader:
    """Someone who follows a document from its first block to its last, in a directory of their own."""

    document: Document
    directory: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    shown: str | None = ""
    ran: int = 0
    missing: list[str] = field(default_factory=list)
    host: Any = None

    def follow(self) -> None:
        for block in self.document.blocks:
            where = f"{self.document.name}:{block.line}"
            saved = block.option("file")
            if saved is not None:
                path = self.directory / saved
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text + "\n", encoding="utf-8")
            if block.language in LANGUAGES:
                if saved is None:
                    self._spell(block, where)
            elif (step := getattr(self, f"_{block.language}", None)) is not None:
                step(block, where)
            else:
                pytest.fail(f"{where}: a block of {block.language or 'no language'}; use text if nothing can run it")

    def _python(self, block: Block, where: str) -> None:
        if block.option("file") is not None:
            return
        output = StringIO()
        with redirect_stdout(output):
            exec(compile("\n" * (block.line - 1) + block.text, str(self.document.path), "exec"), self.names)
        self.shown = output.getvalue()
        self.ran += 1

    def _spell(self, block: Block, where: str) -> None:
        from llmspell import Host, Source, Spell

        language = LANGUAGES[block.language]
        if self.host is None:
            self.host = Host(config={})
        if language not in self.host.plugins.engines:
            self.missing.append(f"{where}: engine {language}")
            self.shown = None
            return
        source = Source(block.text, where, language, str(self.directory))
        with self.host.session() as session:
            result = session.run(Spell.from_source(source))
        self.shown = result.output
        self.ran += 1

    def _console(self, block: Block, where: str) -> None:
        command, expected = "", ""
        for line in [*block.text.split("\n"), "$ "]:
            if not line.startswith("$ "):
                expected += line + "\n"
                continue
            if command:
                self._command(command, expected, where)
            command, expected = line[2:], ""

    def _command(self, command: str, expected: str, where: str) -> None:
        if not RUNNABLE.match(command):
            pytest.fail(f"{where}: {command!r} is not run by the tests; use sh for installation")
        environment = {
            "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])),
            "HOME": str(self.directory / ".home"),
            "LANG": "C.UTF-8",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=100,
            text=True,
        )
        if not matches(done.stdout, expected):
            pytest.fail(f"{where}: $ {command}\nshould show\n{expected}\nbut shows\n{done.stdout}")
        self.ran += 1

    def _text(self, block: Block, where: str) -> None:
        """Nothing runs it; ``text output`` is what the block before it printed."""
        if "output" not in block.words or self.shown is None:
            return
        if not matches(self.shown, block.text):
            pytest.fail(f"{where}: should be\n{block.text}\nbut is\n{self.shown}")
        self.ran += 1

    def _sh(self, block: Block, where: str) -> None:
        for line in block.text.split("\n"):
            if line and not INSTALL.match(line):
                pytest.fail(f"{where}: {line!r} is no installation; use console")

    def _toml(self, block: Block, where: str) -> None:
        tomllib.loads(block.text)
        self.ran += 1

    def _json(self, block: Block, where: str) -> None:
        json.loads(block.text)
        self.ran += 1

    def close(self) -> None:
        if self.host is not None:
            self.host.close()


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Document], Reader]]:
    """Make a reader who stands beside the examples."""
    readers: list[Reader] = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".home").mkdir()

    def make(document: Document) -> Reader:
        readers.append(Reader(document, tmp_path))
        return readers[-1]

    yield make
    for one in readers:
        one.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "document" in metafunc.fixturenames:
        found = documents()
        metafunc.parametrize("document", found, ids=[document.name for document in found])
    if "module_name" in metafunc.fixturenames:
        metafunc.parametrize("module_name", modules_with_examples())


def modules_with_examples() -> list[str]:
    """Name the modules of every member whose docstrings hold examples; none is imported for it."""
    names: list[str] = []
    for source in (ROOT / "core" / "src", *sorted(ROOT.glob("engines/*/src")), *sorted(ROOT.glob("bridges/*/src"))):
        for path in sorted(source.rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                parts = path.relative_to(source).with_suffix("").parts
                names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names
