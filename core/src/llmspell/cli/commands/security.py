"""``llmspell security``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llmspell.cli.lazy import Lazy, LazyGroup
from llmspell.cli.streams import Stream

if TYPE_CHECKING:
    from llmspell.runtime.hardening import Hardening
    from llmspell.runtime.hardening.probe import MachineReport

_UNENFORCEABLE = 6


@click.group(
    cls=LazyGroup,
    lazy={"doctor": Lazy("llmspell.cli.commands.security:doctor", "Show what this machine can enforce, and why not.")},
)
def security() -> None:
    """Show what this machine can enforce."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def doctor(as_json: bool) -> int:
    """Show what this machine can enforce at each level, and why not.

    Every piece of hardening is tried on a child process that is then thrown away. The exit code is 0 if level
    strict can be enforced, 6 if not.
    """
    from llmspell.runtime.hardening import Hardening
    from llmspell.runtime.hardening.probe import probe

    found = probe()
    plans = {"standard": Hardening.standard(), "strict": Hardening.strict()}
    if as_json:
        from llmspell.cli.payload import dumps

        Stream.out().line(dumps(_described(found, plans)))
    else:
        _show(found, plans)
    return _UNENFORCEABLE if found.applied.missing(plans["strict"]) else 0


def _described(found: MachineReport, plans: dict[str, Hardening]) -> dict[str, Any]:
    levels: dict[str, Any] = {"minimal": {"enforceable": True, "missing": {}}}
    for level, plan in plans.items():
        missing = found.applied.missing(plan)
        levels[level] = {
            "enforceable": not missing,
            "missing": {str(state.piece): state.detail for state in missing},
        }
    return {
        "system": found.system,
        "architecture": found.architecture,
        "levels": levels,
        "pieces": {
            str(state.piece): {"available": state.applied, "detail": state.detail} for state in found.applied.states
        },
    }


def _show(found: MachineReport, plans: dict[str, Hardening]) -> None:
    from llmspell.cli.show import show_table

    out = Stream.out()
    out.line(f"{found.system}, {found.architecture}\n")
    rows = []
    for state in found.applied.states:
        asked = [
            f"{level} {'needs it' if state.piece in plan.required else 'wants it'}"
            for level, plan in plans.items()
            if plan.asks(state.piece)
        ]
        rows.append((str(state.piece), "yes" if state.applied else "no", ", ".join(asked), state.detail))
    show_table(("PIECE", "HERE", "ASKED BY", "DETAIL"), rows, out)
    out.line("\nlevel minimal   in the host's own process, deadline cooperative: always available")
    for level, plan in plans.items():
        missing = found.applied.missing(plan)
        names = ", ".join(str(state.piece) for state in missing)
        verdict = f"is refused, for want of {names}" if missing else "can be enforced"
        out.line(f"level {level:<9} {verdict}")
