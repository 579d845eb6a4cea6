"""Warm workers: kept per engine, hardening and principal; replaced when they are no longer clean."""

from typing import Any

import pytest

from llmspell.policy import Policy

FORKED_ONLY = {"test_a_zygote_started_ahead_is_used_and_owned"}

WHO = "import os\nresult = [engine.opened, open('/proc/self/stat').read().split()[0]]"


def who(bench: Any, **more: Any) -> str:
    """Tell which worker serves: its process id as the machine's /proc knows it."""
    process: str = bench.run(WHO, **more).value[1]
    return process


def test_a_worker_serves_one_principal_again_and_again(bench: Any) -> None:
    assert len({who(bench, principal="anna") for _ in range(5)}) == 1


def test_a_worker_is_never_shared_between_principals(bench: Any) -> None:
    anna, ben = who(bench, principal="anna"), who(bench, principal="ben")
    assert anna != ben
    assert who(bench, principal="anna") == anna
    assert who(bench, principal="ben") == ben


def test_state_in_a_worker_cannot_pass_from_principal_to_principal(bench: Any) -> None:
    text = "engine.seen.append(params['who'])\nresult = engine.seen"
    for _ in range(3):
        for name in ("anna", "ben"):
            assert set(bench.run(text, principal=name, params={"who": name}).value) == {name}


def test_engines_with_other_options_have_workers_of_their_own(bench: Any) -> None:
    assert who(bench) != who(bench, options={"greeting": "hello"})


def test_another_hardening_has_workers_of_its_own(bench: Any) -> None:
    standard = bench.run("result = id(engine), engine.opened").value
    strict = bench.run("result = id(engine), engine.opened", policy=Policy.strict()).value
    assert standard[1] == strict[1] == 1


def test_a_worker_is_replaced_after_its_number_of_runs(make_bench: Any) -> None:
    bench = make_bench(max_runs=3)
    served = [who(bench) for _ in range(7)]
    assert [served.count(each) for each in dict.fromkeys(served)] == [3, 3, 1]


def test_a_script_that_only_fails_leaves_its_worker_in_service(bench: Any) -> None:
    first = who(bench)
    assert bench.run("raise ValueError('mine')").failure.kind == "runtime"
    assert who(bench) == first


@pytest.mark.parametrize(
    "text",
    [
        "kept = []\nwhile True: kept.append(bytearray(8 << 20))",
        "from llmspell.engine.messages import *\nguest._step = 1\nguest.step(1)\nraise SystemError",
        "import os\nos._exit(0)",
    ],
    ids=["memory", "engine at fault", "crash"],
)
def test_a_worker_that_is_no_longer_clean_is_replaced(bench: Any, text: str) -> None:
    who(bench)
    if "SystemError" in text:
        text = "guest.usage = None"
    bench.run(text, deadline=5)
    assert bench.run(WHO).value[0] == 1


def test_a_worker_that_met_its_deadline_is_replaced(bench: Any) -> None:
    first = who(bench)
    bench.run("while True: pass", deadline=0.1)
    assert who(bench) != first


def test_an_idle_worker_that_died_is_noticed_before_it_is_used(bench: Any, wait_until: Any) -> None:
    first = who(bench)
    worker = bench.workers._idle[0][2]
    worker._signal()
    assert worker.wait(5)
    assert who(bench) != first


def test_an_idle_worker_that_speaks_is_not_used(bench: Any, wait_until: Any) -> None:
    text = "import os, threading\nthreading.Timer(0.05, lambda: os.write(port._data, b'hello')).start()\n"
    bench.run(text)
    worker = bench.workers._idle[0][2]
    wait_until(lambda: not worker.quiet)
    assert bench.run("result = engine.opened").value == 1


def test_only_so_many_idle_workers_are_kept(make_bench: Any, wait_until: Any) -> None:
    bench = make_bench(max_idle=2)
    for name in ("anna", "ben", "carl", "dora"):
        who(bench, principal=name)
    assert [principal for _, principal, _ in bench.workers._idle] == ["carl", "dora"]


def test_a_second_worker_in_demand_has_a_third_forked_ahead(bench: Any) -> None:
    who(bench, principal="anna")
    assert bench.workers._spares == []
    who(bench, principal="ben")
    ((_, spare),) = bench.workers._spares
    seat = bench.seat(principal="carl")
    seat.step(bench.start("result = 1"))
    assert seat._worker is spare
    seat.close()


def test_two_seats_at_once_have_two_workers(bench: Any) -> None:
    first, second = bench.seat(), bench.seat()
    first.step(bench.start("later = [('a', 'b')]"))
    second.step(bench.start("later = [('a', 'b')]"))
    assert first._worker is not second._worker
    first.close()
    second.close()


def test_a_run_that_is_given_up_half_way_leaves_no_worker(bench: Any, wait_until: Any) -> None:
    seat = bench.seat()
    seat.step(bench.start("later = [('a', 'b')]"))
    worker = seat._worker
    seat.close()
    assert worker._closed
    assert bench.workers._idle == []


def test_runs_whose_limits_differ_a_little_share_a_worker(bench: Any) -> None:
    policies = [Policy.standard().narrow(time=time, memory=memory) for time, memory in ((20, "40MB"), (30, "64MB"))]
    assert len({who(bench, policy=policy) for policy in policies}) == 1


def test_runs_whose_limits_differ_a_lot_do_not(bench: Any) -> None:
    policies = [Policy.standard().narrow(memory=memory) for memory in ("8MB", "64MB")]
    assert len({who(bench, policy=policy) for policy in policies}) == 2


def test_a_worker_prepared_ahead_serves_the_first_run(bench: Any) -> None:
    bench.workers.prepare(bench.spec, {}, bench.policy)
    ((_, spare),) = bench.workers._spares
    seat = bench.seat()
    seat.step(bench.start("result = 1"))
    assert seat._worker is spare
    seat.close()


def test_a_zygote_started_ahead_is_used_and_owned(bench: Any) -> None:
    from llmspell.runtime.worker.parent import ZygoteProcess

    first, second = ZygoteProcess(), ZygoteProcess()
    bench.workers.adopt(first)
    bench.workers.adopt(second)
    assert second._launch.process.returncode is not None
    assert bench.run("result = 1").value == 1
    assert bench.workers._source is first
