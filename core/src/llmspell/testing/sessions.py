"""What every engine must do inside a session: isolation, cancellation, handles, threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, ClassVar

from llmspell.errors import Cancelled, DeadlineExceeded, LlmspellError, ScriptRuntimeError, SessionClosedError
from llmspell.testing.expect import check
from llmspell.testing.kit import Counter
from llmspell.testing.stage import Stage

_PATIENCE = 15.0
"""Seconds a test waits for what must happen at once."""


def _raised(work: Any, *kinds: type[BaseException]) -> BaseException:
    try:
        result = work()
    except kinds as error:
        return error
    names = " or ".join(kind.__name__ for kind in kinds)
    raise AssertionError(f"expected {names}, but it ended with {result!r}")


class SessionConformance:
    """Runs and sessions. Part of :class:`llmspell.testing.EngineConformance`."""

    stage: ClassVar[Stage]
    level: ClassVar[str]

    def snippet(self, name: str) -> str:
        """Return a small source; see :class:`llmspell.testing.EngineConformance`."""
        raise LookupError(name)

    def has_snippet(self, name: str) -> bool:
        """Tell whether there is a small source of this name."""
        raise LookupError(name)

    def test_result_tells_of_the_run(self) -> None:
        with self.stage.session() as (session, _):
            first = session.run(self.stage.source(self.snippet("one")))
            second = session.run(self.stage.source(self.snippet("one")))
        assert (first.value, first.language) == (1, self.stage.spec.name)
        assert first.run_id
        assert first.run_id != second.run_id
        assert first.duration > 0
        assert first.placement == {"minimal": "inline", "standard": "worker", "strict": "hardened"}[self.level]

    def test_calls_are_recorded(self) -> None:
        with self.stage.session() as (session, recorder):
            session.run(self.stage.source(self.snippet("call")))
            session.run(self.stage.source(self.snippet("later")))
        records = [record for record in recorder.records if record.target == "kit"]
        assert [(record.method, record.args, record.result, record.error) for record in records] == [
            ("echo", [5], 5, None),
            ("echo_later", [5], 5, None),
        ]
        assert all(record.language == self.stage.spec.name and record.duration >= 0 for record in records)

    def test_a_run_leaves_nothing_for_the_next(self) -> None:
        leave, find = self.snippet("leave_global"), self.snippet("find_global")
        with self.stage.session() as (session, _), self.stage.session() as (other, _):
            assert session.run(self.stage.source(leave), params={"n": 1}).value == "leaked"
            for each in (session, other):
                check(each.run(self.stage.source(find), params={"n": 1}).value, [True, True, True], "what was left")

    def test_params_of_the_embedder_are_not_changed(self) -> None:
        params = {"n": 1}
        with self.stage.session() as (session, _):
            session.run(self.stage.source(self.snippet("leave_global")), params=params)
        assert params == {"n": 1}

    def test_a_closed_session_runs_nothing(self) -> None:
        with self.stage.session() as (session, _):
            session.run(self.stage.source(self.snippet("one")))
        source = self.stage.source(self.snippet("one"))
        for _ in range(2):
            session.close()
            _raised(lambda: session.run(source), SessionClosedError)

    def test_a_failed_run_does_not_spoil_the_session(self) -> None:
        with self.stage.session() as (session, _):
            for _ in range(3):
                for name in ("error", "syntax"):
                    source = self.stage.source(self.snippet(name))
                    _raised(lambda source=source: session.run(source), LlmspellError)
                assert session.run(self.stage.source(self.snippet("one"))).value == 1

    def test_cancel_from_another_thread_ends_a_loop(self) -> None:
        self._cancelled_from_a_thread("begin_and_loop")

    def test_cancel_from_another_thread_ends_a_host_call(self) -> None:
        self._cancelled_from_a_thread("hang")
        assert self.stage.let_go.wait(_PATIENCE), "the host call was not cancelled"

    def test_cancel_from_another_thread_ends_a_callback(self) -> None:
        self._cancelled_from_a_thread("callback_hang")

    def _cancelled_from_a_thread(self, name: str) -> None:
        source = self.stage.source(self.snippet(name))
        with self.stage.session() as (session, _):

            def cancel() -> None:
                self.stage.reached.wait(_PATIENCE)
                session.cancel()
                session.cancel()

            thread = threading.Thread(target=cancel)
            thread.start()
            try:
                _raised(lambda: session.run(source), Cancelled)
            finally:
                self.stage.reached.set()
                thread.join()
            assert session.run(self.stage.source(self.snippet("one"))).value == 1

    def test_cancelling_the_task_ends_run_and_host_work(self) -> None:
        source = self.stage.source(self.snippet("hang"))
        one = self.stage.source(self.snippet("one"))

        async def scenario() -> None:
            with self.stage.session() as (session, _):
                task = asyncio.create_task(session.arun(source))
                assert await asyncio.to_thread(self.stage.reached.wait, _PATIENCE), "the script did not begin"
                task.cancel()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert task.cancelled(), "the task ended otherwise"
                assert await asyncio.to_thread(self.stage.let_go.wait, _PATIENCE)
                assert (await session.arun(one)).value == 1
                await session.aclose()

        asyncio.run(scenario())

    def test_cancelling_before_the_start_runs_nothing(self) -> None:
        source = self.stage.source(self.snippet("hang"))

        async def scenario() -> None:
            with self.stage.session() as (session, recorder):
                task = asyncio.create_task(session.arun(source))
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert task.cancelled()
                assert recorder.records == []
                await session.aclose()

        asyncio.run(scenario())

    def test_the_deadline_cancels_what_the_host_does(self) -> None:
        with self.stage.session(self.stage.policy({"time": 0.3})) as (session, _):
            _raised(lambda: session.run(self.stage.source(self.snippet("hang"))), DeadlineExceeded)
            assert self.stage.let_go.wait(_PATIENCE), "the host call was not cancelled"

    def test_output_is_passed_on_at_once(self) -> None:
        heard: list[str] = []
        seen = threading.Event()

        def on_output(kind: str, text: str) -> None:
            heard.append(text)
            seen.set()

        source = self.stage.source(self.snippet("print_and_hang"))
        with self.stage.session(on_output=on_output) as (session, _):
            thread = threading.Thread(target=lambda: _raised(lambda: session.run(source), Cancelled))
            thread.start()
            try:
                assert seen.wait(_PATIENCE), "nothing was heard while the script waits"
                assert "".join(heard) == "before\n"
            finally:
                session.cancel()
                thread.join()
        assert "".join(heard) == "before\n"

    def test_an_object_of_the_host_comes_out_as_itself_and_is_closed(self) -> None:
        with self.stage.session() as (session, _):
            result = session.run(self.stage.source(self.snippet("counter")))
            assert isinstance(result.value, Counter)
            assert result.value.value() == 3
            assert self.stage.kit.closed == ["counter"]

    def test_a_function_of_the_script_dies_with_its_run(self) -> None:
        with self.stage.session() as (session, _):
            session.run(self.stage.source(self.snippet("keep")))
            kept = self.stage.kit.kept
            assert kept is not None

            async def call() -> Any:
                return await kept()

            _raised(lambda: asyncio.run(call()), SessionClosedError)

    def test_a_stream_that_is_left_behind_is_closed(self) -> None:
        self._cancelled_from_a_thread("stream")
        assert self.stage.kit.closed == ["stream"]

    def test_sessions_run_in_many_threads(self) -> None:
        name, expected = ("spin", 20000100000) if self.has_snippet("spin") else ("callback", 42)
        source, problems = self.stage.source(self.snippet(name)), []

        def work() -> None:
            try:
                with self.stage.session() as (session, _):
                    for _ in range(5):
                        assert session.run(source).value == expected
            except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
                problems.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []

    def test_one_session_runs_many_at_once(self) -> None:
        callback = self.stage.source(self.snippet("callback"))
        param = self.stage.source(self.snippet("param"))

        async def scenario() -> None:
            with self.stage.session() as (session, _):
                waiting = [session.arun(callback) for _ in range(10)]
                waiting += [session.arun(param, params={"n": n}) for n in range(10)]
                values = [result.value for result in await asyncio.gather(*waiting)]
                assert values == [42] * 10 + list(range(10))
                await session.aclose()

        asyncio.run(scenario())

    def test_a_hundred_runs_in_a_row(self) -> None:
        source = self.stage.source(self.snippet("callback"))
        with self.stage.session() as (session, _):
            assert [session.run(source).value for _ in range(100)] == [42] * 100

    def test_errors_carry_the_result_so_far(self) -> None:
        with self.stage.session() as (session, _):
            error = _raised(lambda: session.run(self.stage.source(self.snippet("error"))), ScriptRuntimeError)
            result = error.result  # type: ignore[attr-defined]
            assert result.language == self.stage.spec.name
            assert result.duration > 0
