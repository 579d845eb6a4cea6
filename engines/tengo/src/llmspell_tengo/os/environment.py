"""Variables of the environment, as far as ``Grants.env`` shows them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping

from llmspell.errors import PolicyDeniedError
from llmspell.policy import Grants

_REFERENCE = re.compile(r"\$(?:\{([^}]*)\}|([*#$@!?\-0-9])|([A-Za-z_]\w*)|\{)", re.ASCII)
_SPECIAL = frozenset("*#$@!?-0123456789")


def shows(grants: Grants, name: str) -> bool:
    """Tell whether a variable of that name may be seen."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in grants.env)


def lookup(environ: Mapping[str, str], grants: Grants, name: str) -> str | None:
    """Return a variable's value, None if it is not set.

    Raises:
        PolicyDeniedError: The variable is not granted, whether it is set or not.
    """
    if not shows(grants, name):
        raise PolicyDeniedError(
            f"the policy does not allow reading the environment variable {name!r}",
            hint=f"grant it: --allow-env {name}",
        )
    return environ.get(name)


def granted(environ: Mapping[str, str], grants: Grants) -> dict[str, str]:
    """Return all variables that may be seen."""
    return {name: value for name, value in environ.items() if shows(grants, name)}


def expand(environ: Mapping[str, str], grants: Grants, text: str) -> str:
    """Replace ``$name`` and ``${name}``, as Go's ``os.ExpandEnv`` does: what is not set is empty, and so are
    the shell's own ``$1``, ``$?`` and the like; a broken ``${`` goes; a dollar before anything else stays.

    Raises:
        PolicyDeniedError: A variable in it is not granted.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return (lookup(environ, grants, name) or "") if name and name not in _SPECIAL else ""

    return _REFERENCE.sub(value, text)
