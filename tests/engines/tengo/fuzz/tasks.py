"""The evaluator with tasks and a host: each task is a thread, of which one runs at a time, first come first served.

The host's only function, ``kit.echo``, gives back a copy. It answers when no task can go on any more.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from tengo_fuzz_evaluator import Array, Builtin, Char, Err, Evaluator, Fault, Function, Map, Scope, TooLong, char_text

from llmspell_tengo.syntax import tree


class _Gone(BaseException):
    """Ends the thread of a task that was cancelled, or of a run that is over."""


class Task:
    """A call under way, and what becomes of it."""

    def __init__(self, run: Scheduler, work: Callable[[], Any], place: int = 0) -> None:
        self.place = place
        self.done = self.handled = self.gone = False
        self.value: Any = None
        self.fault: Fault | None = None
        self.observers: list[Callable[[], None]] = []
        self.go = threading.Semaphore(0)
        self.answer: Any = None
        self._run, self._work = run, work
        self.thread = threading.Thread(target=self._body, daemon=True)
        self.thread.start()

    def _body(self) -> None:
        self.go.acquire()
        try:
            if not self.gone:
                self._end(self._work(), None)
        except Fault as fault:
            self._end(None, fault)
        except _Gone:
            pass
        except BaseException as error:
            self._run.broken = error
        self._run.turn.release()

    def _end(self, value: Any, fault: Fault | None) -> None:
        self.value, self.fault, self.done = value, fault, True
        for observer in self.observers:
            observer()
        self._run.ended(self)

    @property
    def failed(self) -> bool:
        return self.fault is not None or isinstance(self.value, Err)

    def observe(self, observer: Callable[[], None]) -> None:
        self.handled = True
        if self.done:
            observer()
        else:
            self.observers.append(observer)

    def result(self) -> Any:
        if self.fault is not None:
            return Err(Map({b"code": b"runtime", b"message": str(self.fault).encode()}))
        return self.value


class Scheduler:
    """Runs tasks one at a time."""

    def __init__(self) -> None:
        self.turn = threading.Semaphore(0)
        self.ready: deque[Task] = deque()
        self.calls: list[tuple[Task, Any]] = []
        self.tasks: list[Task] = []
        self.running: Task | None = None
        self.broken: BaseException | None = None
        self.main: Task | None = None
        self.at_main_end: Callable[[], None] = lambda: None

    def begin(self, work: Callable[[], Any]) -> Task:
        task = Task(self, work)
        self.tasks.append(task)
        self.ready.append(task)
        return task

    def ended(self, task: Task) -> None:
        if task is self.main and task.fault is None:
            self.at_main_end()

    def run(self) -> None:
        """Run until nothing can go on, the main task failed, or the program takes too long."""
        try:
            while self.broken is None and not (self.main is not None and self.main.fault):
                if self.ready:
                    task = self.ready.popleft()
                    if not task.gone:
                        self.running = task
                        task.go.release()
                        self.turn.acquire()
                elif self.calls:
                    calls, self.calls = self.calls, []
                    for task, answer in calls:
                        task.answer = answer
                        self.ready.append(task)
                else:
                    break
        finally:
            for task in self.tasks:
                task.gone = True
                task.go.release()
            for task in self.tasks:
                task.thread.join()
        if self.broken is not None:
            raise self.broken

    # What the running task does

    def suspend(self) -> Any:
        task = self.running
        assert task is not None
        self.turn.release()
        task.go.acquire()
        if task.gone:
            raise _Gone
        return task.answer

    def ask(self, answer: Any) -> Any:
        assert self.running is not None
        self.calls.append((self.running, answer))
        return self.suspend()

    def give_way(self) -> None:
        assert self.running is not None
        self.ready.append(self.running)
        self.suspend()

    def wait(self, *tasks: Task, enough: Callable[[Task], bool]) -> None:
        """Wait until a task of them ends that is ``enough``."""
        waiter = self.running
        assert waiter is not None
        woken, waits = False, False

        def look(task: Task) -> None:
            nonlocal woken
            if not woken and enough(task):
                woken = True
                if waits:
                    self.ready.append(waiter)

        for task in tasks:
            task.observe(lambda task=task: look(task))
        if not woken:
            waits = True
            self.suspend()

    def cancel(self, task: Task) -> None:
        if not task.done:
            task.gone = task.done = task.handled = True


def cross(value: Any) -> Any:
    """Return what comes back of a value that left the script."""
    if isinstance(value, Char):
        return char_text(value)
    if isinstance(value, Array):
        return Array([cross(item) for item in value.items])
    if isinstance(value, Map):
        return Map({key: cross(item) for key, item in value.items.items()})
    if isinstance(value, Err):
        return Map({b"error": cross(value.value)})
    if isinstance(value, (Function, Builtin, Task)):
        raise TooLong
    if isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            raise TooLong from None  # it becomes bytes, which the evaluator does not know
    return value


class TaskEvaluator(Evaluator):
    """Runs a program that imports ``kit`` and ``async``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.scheduler = Scheduler()

    def watch(self, look: Callable[[dict[str, Any]], Any]) -> Any:
        """Return what ``look`` makes of the outermost variables when the main task ends.

        Raises:
            Fault: Of the main task, or of the first that failed and that nobody waited for.
        """
        run, found = self.scheduler, []
        run.main = run.begin(self.run)
        run.at_main_end = lambda: found.append(look(run.main.value))  # type: ignore[union-attr]
        run.run()
        for task in run.tasks:
            if task.fault is not None and not task.handled:
                raise task.fault
        return found[0] if found else None

    def of_Import(self, node: tree.Import, scope: Scope) -> Any:
        members = {
            "kit": {"echo": lambda value: self.scheduler.ask(cross(value))},
            "async": {
                "spawn": lambda function, *args: self.scheduler.begin(lambda: self.apply(function, list(args), 0)),
                "await": self._await,
                "yield": self.scheduler.give_way,
                "sleep": lambda _: self.scheduler.ask(None),
                "all": self._all,
            },
        }
        return Map({name.encode(): Builtin(name, call) for name, call in members[node.name].items()}, True)

    def _await(self, task: Any) -> Any:
        if not isinstance(task, Task):
            return task
        self.scheduler.wait(task, enough=lambda _: True)
        return task.result()

    def _all(self, functions: Array) -> Any:
        run = self.scheduler
        tasks = [run.begin(lambda f=function: self.apply(f, [], 0)) for function in functions.items]
        first: list[Task] = []

        def enough(task: Task) -> bool:
            if task.failed:
                first.append(task)
            return task.failed or all(task.done for task in tasks)

        if tasks:
            run.wait(*tasks, enough=enough)
        for task in tasks:
            run.cancel(task)
        return first[0].result() if first else Array([task.value for task in tasks])
