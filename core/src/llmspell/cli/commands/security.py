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


def _why_spawned() -> str:
    """Say why workers are not forked here, if they are not; namespaces are then never entered, whatever there is."""
    from llmspell.runtime.worker.launch import no_zygote

    return no_zygote() or ""


def _described(found: MachineReport, plans: dict[str, Hardening]) -> dict[str, Any]:
    levels: dict[str, Any] = {"minimal": {"enforceable": True, "missing": {}}}
    for level, plan in plans.items():
        missing = found.applied.missing(plan)
        levels[level] = {
            "enforceable": not missing,
            "missing": {str(state.piece): state.detail for state in missing},
        }
    reason = _why_spawned()
    return {
        "system": found.system,
        "architecture": found.architecture,
        "workers": {"made": "spawned" if reason else "forked", "reason": reason},
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
    reason = _why_spawned()
    out.line(
        f"\nworkers         spawned one by one, without namespaces: {reason}" if reason else "\nworkers         forked"
    )
    out.line("level minimal   in the host's own process, deadline cooperative: always available")
    for level, plan in plans.items():
        missing = found.applied.missing(plan)
        names = ", ".join(str(state.piece) for state in missing)
        verdict = f"is refused, for want of {names}" if missing else "can be enforced"
        out.line(f"level {level:<9} {verdict}")
