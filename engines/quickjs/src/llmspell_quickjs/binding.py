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
    """Check that the module ``quickjs`` is the one that quickjs-ng installed; return its version.

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
    spec = importlib.util.find_spec("quickjs")
    if spec is None or spec.origin is None:
        raise _refuse(f"{DISTRIBUTION} is installed, but its module 'quickjs' is not there")
    for path in distribution.files or ():
        if path.name == "__init__.py" and path.parent.name == "quickjs" and path.hash is not None:
            located = Path(str(distribution.locate_file(path)))
            same_place = located.resolve() == Path(spec.origin).resolve()
            if same_place and _digest(located, path.hash.mode) == path.hash.value:
                return distribution.version
    others = [name for name in providers() if name.lower() != DISTRIBUTION]
    who = ", ".join(others) if others else "something else"
    raise _refuse(f"the module 'quickjs' at {spec.origin} is not {DISTRIBUTION}'s: {who} replaced or hides it")


def providers() -> list[str]:
    """Return the installed distributions that say they provide ``quickjs``."""
    return sorted(set(metadata.packages_distributions().get("quickjs", ())))


def _digest(path: Path, mode: str) -> str:
    digest = hashlib.new(mode, path.read_bytes()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _refuse(message: str) -> PluginLoadError:
    return PluginLoadError(message, plugin="llmspell-quickjs", hint=_REMEDY)
