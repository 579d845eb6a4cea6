"""Prompts from templates: Jinja's syntax, less everything that could hang, grow without bound or reach out.

A template may print values, choose and repeat. It may not set variables, call anything, compute, or load other
templates; every loop counts against one budget, and so does every character.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llmspell.errors import BridgeError, ConversionError
from llmspell.values import check_value, instants_as_text

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_TEMPLATE = 64 * 1024
MAX_OUTPUT = 1024 * 1024
MAX_ROUNDS = 100_000
_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int", "items", "join", "last",
    "length", "list", "lower", "max", "min", "replace", "reverse", "round", "sort", "string", "title", "tojson", "trim",
    "truncate", "unique", "upper",
)  # fmt: skip
_TESTS = ("boolean", "defined", "divisibleby", "eq", "even", "false", "ge", "gt", "in", "le", "lt", "mapping", "ne",
          "none", "number", "odd", "sequence", "string", "true", "undefined")  # fmt: skip
_NODES = (
    "Template", "Output", "TemplateData", "Name", "Const", "Getattr", "Getitem", "Filter", "Test", "If", "For",
    "CondExpr", "Compare", "Operand", "And", "Or", "Not", "Tuple", "List", "Keyword", "Slice", "Neg",
)  # fmt: skip


class TemplateError(BridgeError):
    """A template cannot be read or filled in. ``line`` says where, 0 if unknown."""

    code = "template"
    exit_code = 10

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message, details={"line": line})
        self.line = line


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill in a template.

    Args:
        template: Jinja's syntax; see the module for what of it.
        values: What its names mean. A name that is not there is an error.

    Raises:
        TemplateError: It cannot be read or filled in, or grows too large.

    Example:
        >>> render("Dear {{ name }},{% for x in xs %} {{ x|upper }}{% endfor %}", {"name": "Ann", "xs": ["a", "b"]})
        'Dear Ann, A B'
    """
    from jinja2 import TemplateError as Theirs
    from jinja2 import TemplateSyntaxError

    try:
        check_value(dict(values))
        values = instants_as_text(dict(values))
    except ConversionError as error:
        raise TemplateError(f"a template takes plain data: {error.message}") from error
    if len(template) > MAX_TEMPLATE:
        raise TemplateError(f"the template is longer than {MAX_TEMPLATE:,} characters")
    environment = _environment()
    try:
        compiled = _compiled(template)
        pieces: list[str] = []
        size = 0
        for piece in compiled.root_render_func(compiled.new_context({**values, _METER: _Meter(MAX_ROUNDS)})):
            size += len(piece)
            if size > MAX_OUTPUT:
                raise TemplateError(f"the template fills more than {MAX_OUTPUT:,} characters")
            pieces.append(piece)
    except TemplateSyntaxError as error:
        raise TemplateError(error.message or "it cannot be read", line=error.lineno) from error
    except Theirs as error:
        raise TemplateError(error.message or str(error)) from error
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise TemplateError(f"a value does not fit: {error}") from error
    return str(environment.concat(pieces))


_METER = "meter__"


class _Meter:
    """Counts the rounds of every loop of one rendering."""

    def __init__(self, rounds: int) -> None:
        self.left = rounds

    def count(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.left -= 1
            if self.left < 0:
                raise TemplateError(f"the loops of the template go round more than {MAX_ROUNDS:,} times")
            yield item


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.filters import FILTERS
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.tests import TESTS

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_shown
    )
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in _FILTERS}
    environment.filters.update({"join": _join, "replace": _replace, "metered": _metered()})
    environment.tests = {name: TESTS[name] for name in _TESTS}
    return environment


@lru_cache(maxsize=256)
def _compiled(source: str) -> Any:
    from jinja2 import nodes

    environment = _environment()
    tree = environment.parse(source)
    _check(tree)
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, "metered", [], [], None, None, lineno=loop.lineno)
    code = environment.compile(tree)
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


def _check(node: Any) -> None:
    kind = type(node).__name__
    if kind not in _NODES:
        raise TemplateError(f"{kind.lower()} is not allowed in a prompt template", line=getattr(node, "lineno", 0))
    if kind == "For" and node.recursive:
        raise TemplateError("a recursive loop is not allowed in a prompt template", line=node.lineno)
    name = getattr(node, "name", None)
    if name in (_METER, "self") or (kind == "Filter" and name == "metered"):
        raise TemplateError(f"{name!r} is a reserved name", line=node.lineno)
    for child in node.iter_child_nodes():
        _check(child)


def _metered() -> Any:
    from jinja2 import pass_context

    @pass_context
    def metered(context: Any, items: Iterable[Any]) -> Iterator[Any]:
        meter: _Meter = context[_METER]
        return meter.count(items)

    return metered


def _shown(value: Any) -> Any:
    """Write a value as a spell's author would: nothing for null, JSON for what JSON knows; never as Python does."""
    if value is None:
        return ""
    if isinstance(value, bool | Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _bounded(size: int) -> None:
    if size > MAX_OUTPUT:
        raise TemplateError(f"a value grows beyond {MAX_OUTPUT:,} characters")


def _join(items: Iterable[Any], separator: str = "") -> str:
    texts = [str(_shown(item)) for item in items]
    _bounded(sum(map(len, texts)) + len(str(separator)) * len(texts))
    return str(separator).join(texts)


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    whole = str(text)
    if not old:
        raise TemplateError("replace needs something to replace")
    _bounded(len(whole) + whole.count(old) * len(new))
    return whole.replace(old, new, count)
