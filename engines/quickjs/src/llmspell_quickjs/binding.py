"""Which package ``import quickjs`` really is. Several on PyPI share the name, and only one of them will do."""

from __future__ import annotations

import hashlib
import importlib.util
from base64 import urlsafe_b64encode
from importlib import metadata
from pathlib import Path

from llmspell.errors import PluginLoadError

DISTRIBUTION = "quickjs-ng"
_REMEDY = f"pip uninstall the others, then: pip install --force-reinstall {DISTRIBUTION}"


def check_binding() -> str:
    """Check that ``quickjs`` and its extension are those that quickjs-ng installed; return its version.

    The files are compared with what the distribution recorded at installation, since another package of the same
    import name overwrites them silently.

    Raises:
        PluginLoadError: It is missing, or another package provides the module.
    """
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        others = providers()
        found = f"; 'quickjs' here comes from {', '.join(others)}" if others else ""
        raise _refuse(f"the JavaScript engine needs the package {DISTRIBUTION}{found}") from None
    for name in ("quickjs", "_quickjs"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise _refuse(f"{DISTRIBUTION} is installed, but its module {name!r} is not there")
        if not _is_recorded(distribution, Path(spec.origin)):
            others = [other for other in providers() if other.lower() != DISTRIBUTION]
            who = ", ".join(others) if others else "something else"
            raise _refuse(f"the module {name!r} at {spec.origin} is not {DISTRIBUTION}'s: {who} replaced or hides it")
    return distribution.version


def _is_recorded(distribution: metadata.Distribution, file: Path) -> bool:
    """Tell whether a file is as the distribution installed it: by hash, or by size for the large extension."""
    for path in distribution.files or ():
        if path.name != file.name or Path(str(distribution.locate_file(path))).resolve() != file.resolve():
            continue
        if file.suffix != ".py" and path.size is not None:
            return file.stat().st_size == path.size
        return path.hash is not None and _digest(file, path.hash.mode) == path.hash.value
    return False


def providers() -> list[str]:
    """Return the installed distributions that say they provide ``quickjs``."""
    return sorted(set(metadata.packages_distributions().get("quickjs", ())))


def _digest(path: Path, mode: str) -> str:
    digest = hashlib.new(mode, path.read_bytes()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _refuse(message: str) -> PluginLoadError:
    return PluginLoadError(message, plugin="llmspell-quickjs", hint=_REMEDY)
