"""Write the tables of the reference from the code: ``python docs/generate.py`` (``--check`` only compares).

In a document, what stands between ``<!-- generated: NAME -->`` and ``<!-- end -->`` belongs to this program.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tables import core, languages, models

DOCS = Path(__file__).resolve().parent
_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

PARTS: dict[str, Callable[[], str]] = {
    "built-in-tools": models.built_in_tools,
    "commands": core.commands,
    "conformance": languages.conformance,
    "conversions": languages.conversions,
    "deviations": languages.deviations,
    "errors": core.errors,
    "exit-codes": core.exit_codes,
    "grants": core.grants,
    "hooks": core.hooks,
    "limits": core.limits,
    "messages": core.messages,
    "model-errors": models.model_errors,
    "parameter-types": core.parameter_types,
    "pool-settings": models.pool_settings,
    "provider-kinds": models.provider_kinds,
    "question-options": models.question_options,
    "sandbox-bridges": core.sandbox_bridges,
    "settings": core.settings,
    "tengo-builtins": languages.tengo_builtins,
    "tengo-modules": languages.tengo_modules,
}


def regenerate(text: str) -> str:
    """Return a document with its generated parts written anew; parts of other names are not ours."""

    def part(found: re.Match[str]) -> str:
        write = PARTS.get(found[2])
        return found[0] if write is None else f"{found[1]}{write()}{found[3]}"

    return _PART.sub(part, text)


def main(check: bool) -> int:
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        fresh = regenerate(text)
        if fresh != text:
            stale.append(path)
            if not check:
                path.write_text(fresh, encoding="utf-8")
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(DOCS.parent)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
