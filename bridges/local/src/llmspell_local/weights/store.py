"""Where weights are: installed as a package, in the user's data directory, or at a path somebody named."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llmspell_local.errors import WeightsError
from llmspell_local.weights.catalog import MODELS, KnownModel

DIRECTORY_VARIABLE = "LLMSPELL_MODELS_DIR"
_GGUF_MAGIC = b"GGUF"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF file that is there.

    Attributes:
        name: Model name.
        path: Where it lies.
        origin: ``"package"`` (installed distribution) or ``"data"`` (the user's data directory).
        size: Bytes.
    """

    name: str
    path: Path
    origin: str
    size: int


class WeightsStore:
    """The weights on this machine.

    Args:
        directory: Where fetched and added weights are kept; by default ``LLMSPELL_MODELS_DIR``, else ``models``
            in the user's data directory.
        environ: Environment to read ``LLMSPELL_MODELS_DIR`` from; the process's own if not given.

    Example:
        >>> import tempfile
        >>> store = WeightsStore(Path(tempfile.mkdtemp()))
        >>> store.find("no-such-model") is None
        True
    """

    def __init__(self, directory: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._directory = directory
        self._environ = os.environ if environ is None else environ

    @property
    def directory(self) -> Path:
        if self._directory is not None:
            return self._directory
        if named := self._environ.get(DIRECTORY_VARIABLE):
            return Path(named).expanduser()
        import platformdirs

        return platformdirs.user_data_path("llmspell", appauthor=False) / "models"

    def find(self, name: str) -> ModelFile | None:
        """Return a model's file, or None if it is not on this machine."""
        known = MODELS.get(name)
        if known is not None and (installed := installed_file(known)) is not None:
            return installed
        path = self.path_of(name)
        size = _size(path)
        if size is None or (known is not None and size != known.size):
            return None
        return ModelFile(name, path, "data", size)

    def path_of(self, name: str) -> Path:
        """Return where a model's file belongs in the data directory.

        Raises:
            WeightsError: The name is not one a file can have.
        """
        if not name or name.startswith(".") or any(c in name for c in '/\\:\0<>|"?*'):
            raise WeightsError(f"{name!r} is no name for a model", hint="use letters, digits, '-', '_' and '.'")
        return self.directory / f"{name}.gguf"

    def __iter__(self) -> Iterator[ModelFile]:
        """Yield every model on this machine, sorted by name."""
        names = {path.stem for path in self.directory.glob("*.gguf")} | set(MODELS)
        for name in sorted(names):
            if (found := self.find(name)) is not None:
                yield found

    def add(self, source: Path, name: str | None = None) -> ModelFile:
        """Copy a GGUF file of the user's own into the data directory.

        Args:
            source: The file.
            name: What to call the model; the file's name without its suffix by default.

        Raises:
            WeightsError: It is not a GGUF file, cannot be read, or carries the name of a model of the catalog.
        """
        name = name or source.stem
        if name in MODELS:
            raise WeightsError(f"{name!r} is the name of a model llmspell knows", hint="give the file another --name")
        target = self.path_of(name)
        try:
            with source.open("rb") as stream:
                magic = stream.read(4)
            if magic != _GGUF_MAGIC:
                raise WeightsError(f"{source} is not a GGUF file")
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, staged = tempfile.mkstemp(dir=target.parent, prefix=".adding-")
            os.close(handle)
            try:
                shutil.copyfile(source, staged)
                Path(staged).replace(target)
            finally:
                Path(staged).unlink(missing_ok=True)
        except OSError as error:
            raise WeightsError(f"{source} cannot be added: {error.strerror or error}") from error
        return ModelFile(name, target, "data", target.stat().st_size)

    def remove(self, name: str) -> ModelFile:
        """Delete a model's file from the data directory; installed packages are pip's business.

        Raises:
            WeightsError: It is not there, or was installed as a package.
        """
        found = self.find(name)
        if found is None:
            raise WeightsError(f"there is no model {name!r} on this machine", hint="see `llmspell models list`")
        if found.origin != "data":
            known = MODELS[name]
            raise WeightsError(
                f"model {name!r} was installed as the package {known.package}",
                hint=f"remove it with: pip uninstall {known.package}",
            )
        found.path.unlink()
        return found


def installed_file(known: KnownModel) -> ModelFile | None:
    """Find a model's weights in its installed package, without importing the package.

    Importing it would import its own loader, which may be absent or take seconds.
    """
    try:
        spec = importlib.util.find_spec(known.module)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(place) / known.file
        if _size(path) == known.size:
            return ModelFile(known.name, path, "package", known.size)
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
