"""Who lives how long: workers die with their zygote, the zygote with its host, all of them when told to."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell.errors import EngineCrashed

FORKED_ONLY = {
    "test_a_lost_zygote_is_replaced_and_its_workers_are_gone",
    "test_a_run_whose_zygote_is_lost_fails_typed",
    "test_a_worker_in_a_namespace_sees_only_itself",
}
HERE = Path(__file__).parent

HOST = """
import json, os, sys, time, threading
sys.path[:] = json.loads(sys.argv[1])
from conftest import SOURCES, Bench, Port
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def host(source: str) -> Any:
    """Start a host in a process of its own, which has ``bench`` and runs a text until it is told to end."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str) -> tuple["subprocess.Popen[str]", Callable[[], str]]:
        path = json.dumps([str(HERE), *sys.path])
        code = HOST + f"bench = Bench(source=SOURCES[{source!r}])\n" + textwrap.dedent(text)
        process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_killing_the_host_takes_every_worker_along(host: Any, source: str, family: Any, wait_until: Any) -> None:
    process, said = host(
        """
        ports = [Port() for _ in range(3)]
        def busy(port):
            seat = bench.seat(port)
            seat.step(bench.start("write('busy')\\nimport re\\nre.match('(a+)+$', 'a' * 60 + 'b')"))
        [threading.Thread(target=busy, args=[port], daemon=True).start() for port in ports]
        [port.heard.wait() for port in ports]
        bench.run("result = 1", principal="idle")
        print("running", flush=True)
        time.sleep(60)
        """
    )
    assert said() == "running\n"
    descendants = family(process.pid)
    assert len(descendants) >= (6 if source == "forked" else 4)  # three busy workers, an idle one; warden, zygote
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(alive(pid) for pid in descendants))


def test_a_forked_child_of_the_host_that_outlives_it_keeps_nothing_alive(
    host: Any, family: Any, wait_until: Any
) -> None:
    """The child holds copies of every socket, so that no stream ends when the host does."""
    process, said = host(
        """
        bench.run("result = 1")
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        time.sleep(60)
        """
    )
    child = int(said())
    descendants = family(process.pid) - {child}
    assert descendants
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        wait_until(lambda: not any(alive(pid) for pid in descendants))
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_forked_child_of_the_host_has_workers_of_its_own_and_harms_none_of_its_parents(host: Any) -> None:
    _, said = host(
        """
        before = bench.run("engine.seen.append('parent')\\nresult = engine.opened").value
        child = os.fork()
        if child == 0:
            own = bench.run("result = [engine.seen, engine.opened]").value
            bench.close()
            os.write(1, (json.dumps(own) + "\\n").encode())
            os._exit(0)
        os.waitpid(child, 0)
        print(json.dumps(bench.run("result = [engine.seen, engine.opened]").value), flush=True)
        bench.close()
        """
    )
    assert json.loads(said()) == [[], 1]
    assert json.loads(said()) == [["parent"], 2]


def test_a_host_that_just_ends_leaves_nothing_behind(host: Any, family: Any, wait_until: Any) -> None:
    process, said = host(
        """
        bench.run("result = 1")
        print("done", flush=True)
        time.sleep(0.2)
        os._exit(0)
        """
    )
    assert said() == "done\n"
    descendants = family(process.pid)
    process.wait()
    wait_until(lambda: not any(alive(pid) for pid in descendants))


@pytest.mark.parametrize("who", ["warden", "zygote"])
def test_a_lost_zygote_is_replaced_and_its_workers_are_gone(bench: Any, family: Any, wait_until: Any, who: str) -> None:
    bench.run("result = 1")
    warden = bench.workers._source._launch.process.pid
    (zygote,) = {int(pid) for pid in Path(f"/proc/{warden}/task/{warden}/children").read_text().split()}
    descendants = family(warden) | {warden}
    os.kill(warden if who == "warden" else zygote, signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in descendants))
    assert bench.run("result = engine.opened").value == 1


def test_a_run_whose_zygote_is_lost_fails_typed(bench: Any) -> None:
    bench.run("result = 1")
    seat = bench.seat()
    (call,) = seat.step(bench.start("result = call('a', 'b')"))
    bench.workers._source._launch.process.kill()
    from llmspell.engine import messages as m

    began = time.monotonic()
    with pytest.raises(EngineCrashed):
        # What kills it takes its time on a busy machine.
        while time.monotonic() - began < 30:
            seat.step(m.Reply(call.id))
    seat.close()


def test_closing_is_idempotent_and_later_runs_are_refused(make_bench: Any) -> None:
    bench = make_bench()
    bench.run("result = 1")
    bench.workers.close()
    bench.workers.close()
    outcome = bench.run("result = 1")
    assert isinstance(outcome.error, EngineCrashed)
    assert "closed" in outcome.error.message


def test_a_worker_sees_nothing_of_the_hosts_environment_arguments_or_directory(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMSPELL_TEST_SECRET", "canary")
    text = """
import os, sys
try:
    first = open('/proc/self/environ').read()
except PermissionError:  # it cannot be dumped, so that only root may look
    first = ''
result = [dict(os.environ), os.getcwd(), sys.argv, first]
"""
    environment, directory, arguments, first = bench.run(text).value
    assert environment == {}
    assert directory == "/"
    assert "canary" not in first
    assert not any("canary" in each or str(HERE) in each for each in arguments)


def test_no_descriptor_of_the_host_or_zygote_reaches_a_worker(bench: Any, tmp_path: Path) -> None:
    # Level standard forbids nothing here, so that the worker can look for itself.
    text = """
import os
result = []
for number in os.listdir('/proc/self/fd'):
    try:
        result.append(os.readlink(f'/proc/self/fd/{number}').partition(':')[0])
    except FileNotFoundError:
        pass  # the listing itself
"""
    with open(tmp_path / "secret", "w") as file:
        os.set_inheritable(file.fileno(), True)
        found = bench.run(text).value
    assert sorted(found) == ["/dev/null", "/dev/null", "/dev/null", "socket", "socket"]


def test_a_worker_in_a_namespace_sees_only_itself(bench: Any) -> None:
    seat = bench.seat()
    seat.step(bench.start("later = [('a', 'b')]"))
    applied = seat.isolation.applied
    seat.close()
    if not any(piece.startswith("pid-namespace") for piece in applied):
        pytest.skip("this machine lacks pid-namespace")
    assert bench.run("import os\nresult = [os.getpid(), os.getppid()]").value == [1, 0]
