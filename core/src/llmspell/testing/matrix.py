"""The matrix of engines and cases, as a table for people: ``python -m llmspell.testing.matrix``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from llmspell.engine import EngineSpec
from llmspell.host.plugins import PluginHost
from llmspell.testing.cases import Case, load_cases
from llmspell.testing.engine import run_case
from llmspell.testing.stage import Stage

Results = Mapping[str, Mapping[str, str]]
"""By engine and case id: ``"yes"``, ``"differs"`` as declared, ``""`` if not written in it, or what went wrong."""


def run_matrix(engines: Iterable[EngineSpec], level: str = "minimal", cases: Sequence[Case] = ()) -> Results:
    """Run all cases on all engines."""
    results: dict[str, dict[str, str]] = {}
    for spec in engines:
        stage = Stage(spec, level)
        try:
            results[spec.name] = {case.id: _outcome(stage, case) for case in cases or load_cases()}
        finally:
            stage.close()
    return results


def _outcome(stage: Stage, case: Case) -> str:
    language = stage.spec.name
    if language not in case.sources:
        return ""
    can = stage.spec.capabilities.inline if stage.level == "minimal" else stage.spec.capabilities.worker
    if not set(case.needs) <= can:
        return f"no {', '.join(set(case.needs) - can)}"
    try:
        run_case(stage, case).check(case.expects(language), case)
    except AssertionError as error:
        return f"fails: {error}"
    return "differs" if language in case.deviations else "yes"


def matrix_table(results: Results, cases: Sequence[Case] = ()) -> str:
    """Write the matrix as a Markdown table.

    Example:
        >>> case = Case("a.b", "something holds", {"lua": "return 1"}, {})
        >>> print(matrix_table({"lua": {"a.b": "yes"}}, [case]))
        | case | what | lua |
        |---|---|---|
        | `a.b` | something holds | yes |
    """
    engines = list(results)
    lines = [f"| case | what | {' | '.join(engines)} |", f"|---|---|{'---|' * len(engines)}"]
    for case in cases or load_cases():
        marks = (results[engine].get(case.id, "") or "–" for engine in engines)
        lines.append(f"| `{case.id}` | {case.what} | {' | '.join(marks)} |")
    return "\n".join(lines)


def deviations_table(cases: Sequence[Case] = ()) -> str:
    """Write what engines do otherwise, and why, as a Markdown table."""
    lines = ["| case | what holds elsewhere | engine | why not here |", "|---|---|---|---|"]
    for case in cases or load_cases():
        lines += [
            f"| `{case.id}` | {case.what} | {engine} | {why} |" for engine, why in sorted(case.deviations.items())
        ]
    return "\n".join(lines)


def main() -> int:
    """Print the matrix of the installed engines; the exit status tells whether all cases hold."""
    results = run_matrix(PluginHost().engines.values())
    failures = [
        f"{engine}: {outcome}"
        for engine, outcomes in results.items()
        for outcome in outcomes.values()
        if outcome.startswith("fails")
    ]
    sys.stdout.write(f"{matrix_table(results)}\n\n{deviations_table()}\n")
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
