"""The engine passes llmspell's conformance suite, and the plugin its own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from llmspell_rpn.program import parse

from llmspell.errors import ScriptSyntaxError
from llmspell.plugin import Source
from llmspell.testing import EngineConformance, PluginConformance, read_cases

CASES = Path(__file__).parent / "cases.toml"


class TestRpn(EngineConformance):
    engine_spec = "rpn"
    cases = read_cases(CASES.read_text(), CASES.name)
    snippets: ClassVar = {
        "one": "1",
        "call": "5 kit.echo/1",
        "later": "5 kit.echo_later/1",
        "loop": "[ ] forever",
        "begin_and_loop": "kit.begin/0 [ ] forever",
        "hang": "kit.hang/0",
        "print_and_hang": '"before" print kit.hang/0 "after" print',
        "syntax": "1 ]",
        "incomplete": "[ 1",
        "error": '"on purpose" raise',
        "leave_global": '"leaked" !leaked [ ] "leaked" define @leaked',
        "find_global": "( [ @leaked false ] [ drop drop true ] try param:seen null = true )",
        "counter": "3 kit.counter/1",
        "keep": "[ 1 ] kit.keep/1",
        "stream": "1000 kit.count_to/1 [ 2 = [ kit.hang/0 ] [ ] if ] each",
        "callback_hang": "[ kit.hang/0 ] kit.call/1",
        "callback": "[ 1 + ] 41 kit.call/2",
        "param": "param:n",
    }


class TestRpnInWorkers(TestRpn):
    level = "standard"


class TestPlugin(PluginConformance):
    plugin = "rpn"


@pytest.mark.parametrize(
    ("text", "line", "incomplete"),
    [
        ("1 ]", 1, False),
        ("( 1 ]", 1, False),
        ("1\n[ 2", 2, True),
        ("1\n\n(", 3, True),
        ('"open', 1, True),
        ("[ " * 200, 1, False),
    ],
)
def test_what_does_not_parse_says_where(text, line, incomplete) -> None:
    with pytest.raises(ScriptSyntaxError) as caught:
        parse(Source(text, "x.rpn"))
    assert (caught.value.location.line, caught.value.incomplete) == (line, incomplete)


def test_numbers_and_texts_are_read() -> None:
    words = parse(Source('1 -2 2.5 1e3 "a\\n\\"b\\"" # comment\n true')).words
    assert [word.value for word in words] == [1, -2, 2.5, 1000.0, 'a\n"b"', True]
    assert words[-1].line == 2
