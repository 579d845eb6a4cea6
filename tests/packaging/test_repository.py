"""What is committed: no addresses of registries, no paths of anybody's machine, no unfinished words."""

from __future__ import annotations

import ast
import re
import subprocess

# Written in pieces, so that this file is not what it looks for.
ADDRESSES = "|".join(["python" + "hosted", r"pypi\.o" + "rg", r"registry\.npm" + "js", r"deb\.deb" + "ian"])
MACHINE = r"(?:^|[^a-z.~\w])/(?:wo" + r"rk|fa" + r"rm)/"
CORPUS = "/corpus/"


def texts(tracked):
    for path in tracked:
        raw = path.read_bytes()
        if b"\0" not in raw[:4096]:
            yield path, raw.decode("utf-8", "replace")


def test_no_addresses_of_registries_are_committed(tracked, root) -> None:
    found = [str(path.relative_to(root)) for path, text in texts(tracked) if re.search(ADDRESSES, text)]
    assert found == []


def test_no_paths_of_a_machine_are_committed(tracked, root) -> None:
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path, text in texts(tracked)
        if CORPUS not in str(path) and (match := re.search(MACHINE, text, re.MULTILINE))
    ]
    assert found == []


def test_the_lock_file_is_not_committed(tracked, root) -> None:
    assert root / "uv.lock" not in tracked
    assert subprocess.run(["git", "check-ignore", "-q", "uv.lock"], cwd=root).returncode == 0


def test_no_large_or_built_files_are_committed(tracked, root) -> None:
    for path in tracked:
        assert path.stat().st_size < 1_000_000, f"{path.relative_to(root)} is {path.stat().st_size:,} bytes"
        assert path.suffix not in (".whl", ".so", ".pyc", ".gguf", ".pyd"), path


def test_script_code_does_not_live_in_python_strings(tracked, root) -> None:
    script = re.compile(r"\s*(local \w+ ?=|function\b.*\(|\(function|const \w+ ?=|let \w+ ?=)")
    found = []
    for path in tracked:
        if path.suffix == ".py" and "/src/" in str(path):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and "\n" in text and script.match(text):
                    found.append(f"{path.relative_to(root)}:{node.lineno}")
    assert found == []
