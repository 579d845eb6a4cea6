"""Levels: what a worker is held by is what its result reports, and what is missing is refused by name."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmspell.errors import PolicyUnsupportedError
from llmspell.policy import Policy
from llmspell.runtime.worker.levels import plan_for

HERE = Path(__file__).parent
REFUSED = {"Permission denied", "No such file or directory"}


def isolation(bench: Any, policy: Policy) -> Any:
    seat = bench.seat(policy=policy)
    seat.step(bench.start("result = 1"))
    try:
        return seat.isolation
    finally:
        seat.close()


def names(pieces: tuple[str, ...]) -> set[str]:
    return {piece.partition(" ")[0] for piece in pieces}


def test_a_result_reports_what_holds_at_standard(bench: Any) -> None:
    report = isolation(bench, Policy.standard())
    assert report.placement == "worker"
    assert {"session", "limits", "environment", "descriptors", "no-new-privileges"} <= names(report.applied)
    assert "seccomp" not in names(report.applied) | set(report.missing)
    assert report.enforced["deadline"] == report.enforced["cancel"] == "kill"
    assert report.enforced["memory"] == "engine and address space"


def test_a_result_reports_what_holds_at_strict(bench: Any) -> None:
    report = isolation(bench, Policy.strict())
    assert report.placement == "hardened"
    required = {str(piece) for piece in plan_for(Policy.strict()).required}
    assert required <= names(report.applied)
    assert {"seccomp", "landlock-files", "capabilities"} <= required


def test_the_report_is_true(bench: Any) -> None:
    """What the kernel says of the process is what the report says of it."""
    report = isolation(bench, Policy.standard())
    text = "result = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())"
    status = bench.run(text).value
    assert status["NoNewPrivs"].strip() == "1"
    assert ("capabilities" in names(report.applied)) == (int(status["CapEff"], 16) == 0)
    assert status["Seccomp"].strip() == "0"


def test_at_strict_nothing_but_the_engines_files_can_be_read(bench: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    text = f"""
result = {{}}
for path in ({str(secret)!r}, '/etc/passwd', '/proc/self/environ', {str(HERE / "test_runs.py")!r}):
    try:
        result[path] = open(path).read()[:20]
    except OSError as error:
        result[path] = error.strerror
import wave
result['stdlib'] = wave.__name__
"""
    got = bench.run(text, policy=Policy.strict()).value
    assert got.pop("stdlib") == "wave"
    assert set(got.values()) <= REFUSED


def test_the_hosts_script_directory_is_not_readable_at_strict(bench: Any) -> None:
    """The test engine is a single file: the file is the engine's, its directory is not."""
    text = f"""
import os
try:
    result = os.listdir({str(HERE)!r})
except OSError as error:
    result = error.strerror
"""
    assert bench.run(text, policy=Policy.strict()).value in REFUSED


def test_a_limit_the_engine_cannot_enforce_is_refused_by_name(bench: Any) -> None:
    with pytest.raises(PolicyUnsupportedError, match="recursion") as refusal:
        bench.seat(policy=Policy.standard().narrow(recursion=5))
    assert refusal.value.missing == ("recursion",)


def test_an_engine_given_as_an_object_is_refused(bench: Any) -> None:
    with pytest.raises(PolicyUnsupportedError, match="factory as an object"):
        bench.seat(spec=bench.engine.spec(bench.engine.PythonEngine))


LACKING = """
import ctypes, json, os, struct, sys
sys.path[:] = json.loads(sys.argv[1])
from llmspell.runtime.hardening import bpf, kernel, process, seccomp
process.forbid_new_privileges()
rules = [bpf.Rule(name, bpf.Action.ABSENT) for name in json.loads(sys.argv[2])]
seccomp.install(bpf.assemble(kernel.machine(), rules, bpf.Action.ALLOW))
from conftest import Bench
from llmspell.policy import Policy
bench = Bench()
out = {}
for level in ('standard', 'strict'):
    outcome = bench.run('result = 1', policy=Policy.at_level(level))
    out[level] = [type(outcome.error).__name__, getattr(outcome.error, 'missing', ()), str(outcome.error)]
    if outcome.error is None:
        seat = bench.seat(policy=Policy.at_level(level)); seat.step(bench.start('result = 1'))
        out[level].append(seat.isolation.missing); seat.close()
bench.close()
print(json.dumps(out))
"""


def on_a_kernel_without(*calls: str) -> Any:
    """Run both levels under a kernel that does not know some system calls, as far as they can tell."""
    if sys.platform != "linux":
        pytest.skip("Linux is missing")
    path = json.dumps([str(HERE), *sys.path])
    command = [sys.executable, "-c", LACKING, path, json.dumps(calls)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_kernel_without_landlock_refuses_strict_by_the_pieces_name() -> None:
    got = on_a_kernel_without("landlock_create_ruleset")
    assert got["standard"][0] == "NoneType"
    kind, missing, text = got["strict"]
    assert kind == "PolicyUnsupportedError"
    assert missing == ["landlock-files"]
    assert "'strict'" in text
    assert "Function not implemented" in text


def test_a_kernel_without_seccomp_filters_refuses_strict_by_the_pieces_name() -> None:
    got = on_a_kernel_without("seccomp")
    assert got["standard"][0] == "NoneType"
    assert got["strict"][:2] == ["PolicyUnsupportedError", ["seccomp"]]


def test_a_machine_without_namespaces_runs_both_levels_and_says_so() -> None:
    got = on_a_kernel_without("unshare", "setns")
    namespaces = {"user-namespace", "network-namespace", "ipc-namespace", "pid-namespace"}
    assert got["standard"][0] == got["strict"][0] == "NoneType"
    assert set(got["standard"][3]) == namespaces
    assert set(got["strict"][3]) == namespaces | {"own-root"}
