"""The language: a generator that yields a :class:`Request` whenever it needs the host, and hears the answer."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from llmspell.engine import messages as m
from llmspell.errors import ConversionError
from llmspell.plugin import FunctionRef, GuestLimits, HostRef, Source
from llmspell.values import check_value
from llmspell_rpn.program import RpnProgram, Word, parse

MAX_DEPTH = 120


class RpnError(Exception):
    """What a script raises, or a host call raised for it. ``try`` catches it."""

    def __init__(self, message: str, *, code: str = "", fault: int = 0, path: str = "$") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.fault = fault
        self.path = path
        self.lines: list[int] = []


class Stopped(BaseException):
    """A limit or a cancellation. No word catches it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the host."""

    target: str | int
    method: str
    args: list[Any]
    line: int


@dataclass(frozen=True, slots=True)
class Quotation:
    """A function of the script: words, and the file they are from."""

    words: tuple[Word, ...]
    file: str


Run = Generator[Request, Any, None]


class Machine:
    """What all tasks of one run share: variables, words, functions the host knows, and the count of steps.

    Args:
        emit: Says a line of output.
    """

    def __init__(self, limits: GuestLimits, params: dict[str, Any], emit: Callable[[str], None]) -> None:
        self._limits = limits
        self._params = params
        self._emit = emit
        self._variables: dict[str, Any] = {}
        self._words: dict[str, Any] = {}
        self._used: set[str] = set()
        self._functions: list[Any] = []
        self._depth = 0
        self.steps = 0
        self.stop = ""

    # Values

    def outgoing(self, value: Any) -> Any:
        """Turn functions into references, and hold the value to the limits.

        Raises:
            RpnError: It cannot cross.
        """
        out = self._name_functions(value, 0)
        try:
            check_value(out, self._limits.value)
        except ConversionError as error:
            raise RpnError(error.message, code="conversion", path=error.path) from None
        return out

    def _name_functions(self, value: Any, depth: int) -> Any:
        if depth > self._limits.value.depth + 1:
            return value
        if isinstance(value, list):
            return [self._name_functions(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {key: self._name_functions(item, depth + 1) for key, item in value.items()}
        if isinstance(value, Quotation):
            if not any(known is value for known in self._functions):
                self._functions.append(value)
            place = next(index for index, known in enumerate(self._functions) if known is value)
            return FunctionRef(place + 1)
        return value

    def incoming(self, value: Any) -> Any:
        """Turn references of our own functions back into what they name."""
        if isinstance(value, FunctionRef):
            return self._functions[value.id - 1]
        if isinstance(value, list):
            return [self.incoming(item) for item in value]
        if isinstance(value, dict):
            return {key: self.incoming(item) for key, item in value.items()}
        return value

    def exports(self, program: RpnProgram) -> dict[str, Any]:
        """Return the words that a module defined, as values for the host."""
        words = {
            name: word
            for name, word in self._words.items()
            if isinstance(word, Quotation) and word.file == program.source.name
        }
        return dict(self.outgoing(words))

    # Running

    def main(self, program: RpnProgram, stack: list[Any]) -> Run:
        """Run a program."""
        yield from self._run(program.words, stack, program.source.name)

    def invoke(self, function: int, args: list[Any], stack: list[Any]) -> Run:
        """Run a function that the host knows by its number."""
        stack += [self.incoming(arg) for arg in args]
        yield from self._apply(self._functions[function - 1], stack, 0)

    def _run(self, words: tuple[Word, ...], stack: list[Any], file: str) -> Run:
        self._depth += 1
        try:
            if self._depth > min(MAX_DEPTH, self._limits.recursion or MAX_DEPTH):
                raise RpnError(f"recursion is deeper than {self._depth - 1} levels", code="too_deep")
            for word in words:
                try:
                    yield from self._step(word, stack, file)
                except RpnError as error:
                    error.lines.append(word.line)
                    raise
        finally:
            self._depth -= 1

    def _step(self, word: Word, stack: list[Any], file: str) -> Run:
        self.steps += 1
        if self._limits.steps is not None and self.steps > self._limits.steps:
            raise Stopped("steps")
        if self.stop:
            raise Stopped(self.stop)
        if word.kind == "push":
            stack.append(word.value)
        elif word.kind == "quote":
            stack.append(Quotation(word.value, file))
        elif word.kind == "list":
            items: list[Any] = []
            yield from self._run(word.value, items, file)
            stack.append(items)
        else:
            yield from self._do(word.value, word.line, stack, file)

    def _do(self, name: str, line: int, stack: list[Any], file: str) -> Run:
        if name in _PLAIN:
            count, function = _PLAIN[name]
            args = _take(stack, count, name)
            try:
                stack += function(*args)
            except (TypeError, ValueError, ArithmeticError, LookupError) as error:
                raise RpnError(f"{name}: {error}") from None
        elif name in _SIMPLE:
            getattr(self, f"_{name}")(stack)
        elif name in _CONTROL:
            yield from getattr(self, f"_{name}")(stack, line, file)
        elif name[0] == "!" and len(name) > 1:
            (self._variables[name[1:]],) = _take(stack, 1, name)
        elif name[0] == "@" and name[1:] in self._variables:
            stack.append(self._variables[name[1:]])
        elif name.startswith("param:"):
            stack.append(self._params.get(name[6:]))
        elif name in self._words:
            yield from self._apply(self._words[name], stack, line)
        elif "." in name and "/" in name:
            yield from self._call_host(name, line, stack)
        else:
            raise RpnError(f"there is no word {name!r}", code="unknown_word")

    def _call_host(self, name: str, line: int, stack: list[Any]) -> Run:
        path, _, count = name.partition("/")
        target: Any
        target, _, method = path.rpartition(".")
        args = _take(stack, int(count) if count.isdigit() else 0, name)
        if not target:
            (handle,) = _take(stack, 1, name)
            if not isinstance(handle, HostRef):
                raise RpnError(f"{name}: this is no object of the host")
            target = handle.id
        stack.append((yield Request(target, method, [self.outgoing(arg) for arg in args], line)))

    def _apply(self, function: Any, stack: list[Any], line: int) -> Run:
        if isinstance(function, Quotation):
            yield from self._run(function.words, stack, function.file)
        elif isinstance(function, HostRef) and function.kind == "function":
            args = [self.outgoing(arg) for arg in stack]
            stack[:] = [(yield Request(function.id, "call", args, line))]
        else:
            raise RpnError("this is no function")

    # Control

    def _call(self, stack: list[Any], line: int, file: str) -> Run:
        (function,) = _take(stack, 1, "call")
        yield from self._apply(function, stack, line)

    def _if(self, stack: list[Any], line: int, file: str) -> Run:
        condition, then, otherwise = _take(stack, 3, "if")
        yield from self._apply(then if condition else otherwise, stack, line)

    def _times(self, stack: list[Any], line: int, file: str) -> Run:
        count, body = _take(stack, 2, "times")
        for _ in range(count):
            yield from self._apply(body, stack, line)

    def _forever(self, stack: list[Any], line: int, file: str) -> Run:
        (body,) = _take(stack, 1, "forever")
        while True:
            if self.stop:
                raise Stopped(self.stop)
            self.steps += 1
            yield from self._apply(body, stack, line)

    def _each(self, stack: list[Any], line: int, file: str) -> Run:
        items, body = _take(stack, 2, "each")
        if isinstance(items, HostRef) and items.kind == "stream":
            while True:
                done, item = yield Request(items.id, "next", [], line)
                if done:
                    return
                stack.append(self.incoming(item))
                yield from self._apply(body, stack, line)
        for item in items:
            stack.append(item)
            yield from self._apply(body, stack, line)

    def _try(self, stack: list[Any], line: int, file: str) -> Run:
        body, handler = _take(stack, 2, "try")
        height = len(stack)
        try:
            yield from self._apply(body, stack, line)
        except RpnError as error:
            del stack[height:]
            stack += [error.message, error.code]
            yield from self._apply(handler, stack, line)

    def _raise(self, stack: list[Any]) -> None:
        (message,) = _take(stack, 1, "raise")
        raise RpnError(str(message))

    def _print(self, stack: list[Any]) -> None:
        (value,) = _take(stack, 1, "print")
        self._emit(f"{value}\n")

    def _define(self, stack: list[Any]) -> None:
        body, name = _take(stack, 2, "define")
        self._words[str(name)] = body

    def _use(self, stack: list[Any], line: int, file: str) -> Run:
        (name,) = _take(stack, 1, "use")
        found = yield Request(m.HOST, "module", [name, file], line)
        if found["kind"] == "foreign":
            self._words |= self.incoming(found["exports"])
        elif found["kind"] == "source" and found["name"] not in self._used:
            self._used.add(found["name"])
            program = parse(Source(found["text"], found["name"], "rpn"))
            yield from self._run(program.words, [], found["name"])


def _take(stack: list[Any], count: int, name: str) -> list[Any]:
    if len(stack) < count:
        raise RpnError(
            f"{name} needs {count} on the stack, but there {'is' if len(stack) == 1 else 'are'} {len(stack)}"
        )
    taken = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return taken


def _add(left: Any, right: Any) -> list[Any]:
    return [f"{left}{right}" if isinstance(left, str) or isinstance(right, str) else left + right]


def _get(container: Any, key: Any) -> list[Any]:
    return [container[key]]


_SIMPLE = frozenset({"raise", "print", "define"})
_CONTROL = frozenset({"call", "if", "times", "forever", "each", "try", "use"})
_PLAIN: dict[str, tuple[int, Callable[..., list[Any]]]] = {
    "+": (2, _add),
    "-": (2, lambda left, right: [left - right]),
    "*": (2, lambda left, right: [left * right]),
    "/": (2, lambda left, right: [left / right]),
    "%": (2, lambda left, right: [left % right]),
    "=": (2, lambda left, right: [type(left) is type(right) and left == right]),
    "<": (2, lambda left, right: [operator.lt(left, right)]),
    ">": (2, lambda left, right: [operator.gt(left, right)]),
    "dup": (1, lambda top: [top, top]),
    "drop": (1, lambda top: []),
    "swap": (2, lambda left, right: [right, left]),
    "over": (2, lambda left, right: [left, right, left]),
    "get": (2, _get),
}
