"""Where nothing can be forked, workers are spawned: what the other tests here do not show of them."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import Host
from llmspell.errors import PolicyUnsupportedError
from llmspell.policy import Policy
from llmspell.runtime.hardening import Hardening, Piece
from llmspell.runtime.watchdog import Watchdog
from llmspell.runtime.worker import levels, pool
from llmspell.runtime.worker.launch import no_zygote
from llmspell.runtime.worker.parent import ZygoteProcess
from llmspell.runtime.worker.source import best_source
from llmspell.runtime.worker.spawner import Spawner

HERE = Path(__file__).parent


@pytest.fixture
def bench(make_bench: Any) -> Any:
    return make_bench(source=Spawner)


def isolation(bench: Any, **more: Any) -> Any:
    seat = bench.seat(**more)
    seat.step(bench.start("result = 1"))
    try:
        return seat.isolation
    finally:
        seat.close()


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


def test_a_system_that_can_fork_has_a_zygote(watchdog: Watchdog) -> None:
    source = best_source(watchdog)
    source.close()
    assert isinstance(source, ZygoteProcess)


@pytest.mark.parametrize("lacks", ["fork", "send_fds", "AF_UNIX", "linux"])
def test_a_system_that_cannot_spawns(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch, lacks: str) -> None:
    import socket

    if lacks == "linux":
        monkeypatch.setattr(sys, "platform", "darwin")
    else:
        monkeypatch.delattr(os if lacks == "fork" else socket, lacks)
    assert no_zygote()
    source = best_source(watchdog)
    source.close()
    assert isinstance(source, Spawner)


def test_a_system_without_an_interpreter_of_its_own_has_no_workers(
    watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch, make_bench: Any
) -> None:
    bench = make_bench(source=Spawner)
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(PolicyUnsupportedError, match="own interpreter"):
        bench.seat()
    with pytest.raises(PolicyUnsupportedError, match="own interpreter"):
        Spawner(watchdog)


def test_the_command_line_runs_at_standard_without_fork(tmp_path: Path) -> None:
    code = "import os\ndel os.fork\nfrom llmspell.cli import main\nmain()\n"
    (tmp_path / "hello.lua").write_text("print('hello') return 7")
    line = [sys.executable, "-c", code, "run", str(tmp_path / "hello.lua"), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    if "engine_not_found" in done.stdout:
        pytest.skip("the Lua engine is not installed")
    assert json.loads(done.stdout)["value"] == 7, done


def test_the_doctor_says_that_workers_are_spawned_and_why() -> None:
    code = "import os\ndel os.fork\nfrom llmspell.cli import main\nmain()\n"
    line = [sys.executable, "-c", code, "security", "doctor"]
    told = json.loads(subprocess.run([*line, "--json"], capture_output=True, text=True, check=False).stdout)
    assert told["workers"]["made"] == "spawned"
    assert "forked" in told["workers"]["reason"]


@pytest.mark.parametrize("level", ["standard", "strict"])
def test_every_engine_there_is_runs_without_fork(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    texts = {"lua": "return 6 * 7", "javascript": "6 * 7", "tengo": "export 6 * 7"}
    monkeypatch.delattr(os, "fork")
    with Host(config={}) as host, host.session(policy=Policy.at_level(level)) as session:
        found = [name for name in texts if name in host.plugins.engines]
        if not found:
            pytest.skip("no engine is installed")
        for name in found:
            result = session.eval(name, texts[name])
            assert result.value == 42
            assert result.isolation.placement == ("hardened" if level == "strict" else "worker")
            assert "not entered" in result.isolation.missing["pid-namespace"]


def test_what_only_a_zygote_can_do_is_reported_as_missing(bench: Any) -> None:
    report = isolation(bench, policy=Policy.strict())
    namespaces = {"user-namespace", "network-namespace", "ipc-namespace", "pid-namespace"}
    assert set(report.missing) >= namespaces
    applied = {piece.partition(" ")[0] for piece in report.applied}
    assert {str(piece) for piece in Hardening.strict().required} <= applied


LACKING = """
import json, os, sys
sys.path[:] = json.loads(sys.argv[1])
from llmspell.runtime.hardening import bpf, kernel, process, seccomp
process.forbid_new_privileges()
rules = [bpf.Rule(name, bpf.Action.ABSENT) for name in ("landlock_create_ruleset", "seccomp")]
seccomp.install(bpf.assemble(kernel.machine(), rules, bpf.Action.ALLOW))
from conftest import Bench
from llmspell.policy import Policy
from llmspell.runtime.worker.spawner import Spawner
bench = Bench(source=Spawner)
out = {}
for level in ('standard', 'strict'):
    error = bench.run('result = 1', policy=Policy.at_level(level)).error
    out[level] = [type(error).__name__, getattr(error, 'missing', ()), str(error)]
bench.close()
print(json.dumps(out))
"""


def test_strict_is_refused_by_the_names_of_what_is_missing() -> None:
    if sys.platform != "linux":
        pytest.skip("Linux is missing")
    command = [sys.executable, "-c", LACKING, json.dumps([str(HERE), *sys.path])]
    got = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert got["standard"][0] == "NoneType"
    kind, missing, text = got["strict"]
    assert kind == "PolicyUnsupportedError"
    assert missing == ["landlock-files", "seccomp"]
    assert "'strict'" in text


def test_a_system_without_resource_limits_is_asked_for_none_and_says_so(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows: neither sessions nor ``resource``. The plan is Windows', the worker here lacks the module."""
    engine = bench.engine.spec("python_spells:without_resource_limits")
    with pytest.raises(PolicyUnsupportedError) as refusal:
        bench.run("result = 1", spec=engine).value
    assert refusal.value.missing == ("limits",)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        plan = Hardening.standard(levels.plan_for(Policy.standard()).limits)
    assert plan.required == {Piece.ENVIRONMENT, Piece.DESCRIPTORS}
    assert plan.wanted == {Piece.SESSION, Piece.LIMITS}
    monkeypatch.setattr(pool, "plan_for", lambda policy: plan)
    bench.policy = Policy.standard().narrow(time=7)  # another policy, so that its kind is worked out anew
    report = isolation(bench, spec=engine)
    assert "resource" in report.missing["limits"]
    assert report.enforced["memory"] == "engine"


def test_memory_that_neither_engine_nor_system_limits_is_refused(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmspell.engine import Capabilities

    engine = bench.engine.spec("python_spells:without_resource_limits")
    weak = type(engine)(engine.name, engine.factory, capabilities=Capabilities(suspends=False))
    plan = levels.plan_for(Policy.standard())
    wanted = Hardening(plan.required - {Piece.LIMITS}, plan.wanted | {Piece.LIMITS}, plan.limits)
    monkeypatch.setattr(pool, "plan_for", lambda policy: wanted)
    error = bench.run("result = 1", spec=weak).error
    assert isinstance(error, PolicyUnsupportedError)
    assert error.missing == ("memory",)
    assert bench.run("result = 'the engine does'", spec=engine).value == "the engine does"


def test_a_worker_outlives_the_thread_that_wanted_it(bench: Any) -> None:
    """Linux sends a parent's death signal when the *thread* ends that started the child."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(bench.run("result = id(engine)").value))
    thread.start()
    thread.join()
    assert bench.run("result = [id(engine), engine.opened]").value == [seen[0], 2]


def test_nothing_of_the_conversation_stands_in_the_command_line(bench: Any) -> None:
    import shlex

    seat = bench.seat(policy=Policy.standard())
    seat.step(bench.start("later = [('a', 'b')]"))
    line = Path(f"/proc/{seat._worker.process.pid}/cmdline").read_text().split("\0")
    seat.close()
    assert not any(str(HERE) in word for word in line), shlex.join(line)


class NoReaders(asyncio.SelectorEventLoop):
    """Like Windows' own loop: it cannot be told to watch a descriptor."""

    add_reader = asyncio.AbstractEventLoop.add_reader


def test_a_loop_that_cannot_watch_sockets_has_threads_do_it(bench: Any) -> None:
    async def both() -> list[Any]:
        asks = "result = [call('a', 'b', n) for n in range(3)]"
        return await asyncio.gather(*(bench.arun(asks, answer=lambda _, __, n: n) for _ in range(2)))

    with asyncio.Runner(loop_factory=NoReaders) as runner:
        assert [outcome.value for outcome in runner.run(both())] == [[0, 1, 2]] * 2


def test_a_loop_that_cannot_watch_sockets_still_ends_a_deaf_guest(bench: Any, astep: Any) -> None:
    async def killed() -> Any:
        port = bench.port()
        seat = bench.seat(port)
        step = asyncio.create_task(
            astep(seat, bench.start("guest.interrupt = lambda reason: None\nwrite('busy')\nwhile True: pass"))
        )
        await asyncio.to_thread(port.heard.wait)
        seat.interrupt("deadline")
        try:
            await step
        except Exception as error:
            return error
        finally:
            seat.close()

    with asyncio.Runner(loop_factory=NoReaders) as runner:
        assert "did not stop (deadline)" in str(runner.run(killed()))


def test_those_that_were_killed_are_reaped_without_anybody_asking(bench: Any, wait_until: Any) -> None:
    seat = bench.seat()
    seat.step(bench.start("later = [('a', 'b')]"))
    process = seat._worker.process
    seat.close()
    wait_until(lambda: process.returncode is not None)
    assert process.returncode == -9


@pytest.mark.parametrize("end", ["while True: pass", "os._exit(3)"], ids=["stays", "leaves its child alone"])
def test_children_of_a_worker_die_with_it(bench: Any, wait_until: Any, end: str) -> None:
    """As long as they stay in its group; beyond that only a process-id namespace helps, which is reported missing."""
    text = f"import os, time\nif os.fork() == 0:\n    time.sleep(600)\nwrite(open('/proc/self/stat').read())\n{end}"
    outcome = bench.once_busy(text, lambda seat: seat.interrupt("deadline"))
    assert outcome.error is not None or outcome.failure.limit == "deadline"
    leader = int(outcome.port.text.split()[0])
    wait_until(lambda: not any(group_of(entry) == leader for entry in Path("/proc").glob("[0-9]*")))
    assert bench.run("result = 1").value == 1


def group_of(entry: Path) -> int:
    try:
        return int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return 0
