"""``core``: time, texts, tables, hashes, wrapped functions."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest

from llmspell.policy import Grants, Policy


def test_time_goes_on(spell: Any) -> None:
    before = time.time()
    assert before <= spell.call("core.time") <= spell.call("core.now") <= time.time()
    assert spell.call("core.clock") <= spell.call("core.clock")


def test_sleeping_lets_others_work(spell: Any) -> None:
    began = time.monotonic()
    spell.parallel(*[("core.sleep", 0.05)] * 20)
    assert 0.05 <= time.monotonic() - began < 0.5


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 1e300])
def test_impossible_pauses_are_refused(spell: Any, seconds: float) -> None:
    assert spell.fails("core.sleep", seconds).code == "invalid_argument"


def test_times_are_written_and_read(spell: Any) -> None:
    moment = 1_700_000_000.5
    assert spell.call("core.format_time", moment) == "2023-11-14 22:13:20"
    assert spell.call("core.format_time", moment, "%H:%M", {"timezone": "Europe/Rome"}) == "23:13"
    iso = spell.call("core.format_time", moment, "iso")
    assert iso == "2023-11-14T22:13:20.500000+00:00"
    assert spell.call("core.parse_time", iso) == moment
    assert spell.call("core.parse_time", "14.11.2023 23:13", "%d.%m.%Y %H:%M", {"timezone": "Europe/Rome"}) == (
        1_699_999_980
    )
    local = spell.call("core.format_time", moment, "iso", {"timezone": "local"})
    assert spell.call("core.parse_time", local) == moment


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("format_time", (1e300,), "invalid_time"),
        ("format_time", (0, "x" * 300), "invalid_argument"),
        ("format_time", (0, "%H", {"timezone": "Mars/Base"}), "unknown_timezone"),
        ("format_time", (0, "%H", {"timezone": "../../etc/passwd"}), "unknown_timezone"),
        ("format_time", (0, "%H", {"timezone": "/etc/passwd"}), "unknown_timezone"),
        ("parse_time", ("yesterday",), "invalid_time"),
        ("parse_time", ("x" * 300,), "invalid_argument"),
        ("humanize_duration", (float("nan"),), "invalid_time"),
    ],
)
def test_times_that_are_none_are_told(spell: Any, name: str, args: tuple[Any, ...], code: str) -> None:
    assert spell.fails(f"core.{name}", *args).code == code


def test_times_are_added_and_measured(spell: Any) -> None:
    moved = spell.call("core.add_time", 0, {"weeks": 1, "days": 1, "hours": 1, "minutes": 1, "seconds": 1})
    assert moved == 694_861
    assert spell.call("core.duration", 0, 86_400) == {"seconds": 86_400, "minutes": 1_440, "hours": 24, "days": 1}
    assert spell.call("core.humanize_duration", 93_784) == "1 day 2 hours 3 minutes 4 seconds"
    assert spell.call("core.humanize_duration", 0.25) == "250 milliseconds"
    assert spell.call("core.humanize_duration", -60) == "-1 minute"


def test_texts_are_made_and_cut(spell: Any) -> None:
    values = {"name": "Ann", "tags": ["x", "y"], "n": 2}
    assert spell.call("core.template", "{{name}}: {{ tags.1 }} {{n}} {{absent}}", values) == "Ann: x 2 {{absent}}"
    assert spell.call("core.slugify", "Crème brûlée, twice!") == "creme-brulee-twice"
    assert spell.call("core.slugify", "a b", "_") == "a_b"
    assert spell.call("core.truncate", "a long text", 6) == "a l..."
    assert spell.call("core.truncate", "short", 6) == "short"
    assert spell.call("core.truncate", "a long text", 2) == "a "
    assert spell.fails("core.truncate", "x", -1).code == "invalid_argument"
    assert spell.call("core.split", "a.b.c", ".") == ["a", "b", "c"]
    assert spell.call("core.split", "abc", "") == ["a", "b", "c"]
    assert spell.call("core.join", ["a", 1, 2.5], "-") == "a-1-2.5"
    assert spell.fails("core.join", [{}]).code == "invalid_argument"
    assert spell.call("core.trim", "  a \n") == "a"
    assert spell.call("core.capitalize", "élan vital") == "Élan vital"
    assert spell.call("core.camelcase", "quick_prompt now") == "quickPromptNow"
    assert spell.call("core.snakecase", "HTTPServer error-Code") == "http_server_error_code"


def test_a_template_cannot_grow_without_bound(spell: Any) -> None:
    assert spell.fails("core.template", "{{a}}" * 1000, {"a": "x" * 100_000}).code == "too_large"


def test_tables_are_looked_at(spells: Any) -> None:
    lua, javascript = spells("lua"), spells("javascript")
    assert lua.call("core.keys", ["a", "b"]) == [1, 2]
    assert javascript.call("core.keys", ["a", "b"]) == [0, 1]
    assert lua.call("core.keys", {"a": 1}) == ["a"]
    assert lua.call("core.values", {"a": 1, "b": [2]}) == [1, [2]]
    assert lua.call("core.merge", {"a": {"x": 1}}, {"a": 2}, {"b": 3}) == {"a": 2, "b": 3}
    assert lua.call("core.deep_copy", {"a": [1]}) == {"a": [1]}
    assert [lua.call("core.is_empty", value) for value in (None, "", [], {}, 0, "x")] == [True] * 4 + [False] * 2
    assert lua.call("core.contains", {"a": 1}, 1) is True
    assert lua.call("core.contains", [[1]], [1]) is True
    assert lua.call("core.contains", [1], 2) is False
    assert lua.call("core.reverse", [1, 2, 3]) == [3, 2, 1]
    assert sorted(lua.call("core.shuffle", list(range(20)))) == list(range(20))
    assert lua.call("core.is_array", [1]) is True
    assert lua.call("core.is_array", {"a": 1}) is False
    assert lua.call("core.is_object", {"a": 1}) is True
    assert lua.call("core.is_callable", lua.fn(lambda: 1)) is True
    assert lua.call("core.is_callable", 1) is False


@pytest.mark.parametrize(
    ("language", "places", "found"),
    [
        ("lua", (2, 3), [2, 3]),
        ("lua", (2,), [2, 3, 4]),
        ("lua", (-2,), [3, 4]),
        ("lua", (1, -2), [1, 2, 3]),
        ("lua", (0, 2), [1, 2]),
        ("lua", (3, 2), []),
        ("javascript", (1, 3), [2, 3]),
        ("javascript", (-2,), [3, 4]),
    ],
)
def test_slices_count_as_the_language_does(spells: Any, language: str, places: Any, found: list[int]) -> None:
    assert spells(language).call("core.slice", [1, 2, 3, 4], *places) == found


def test_hashes_and_encodings(spell: Any) -> None:
    assert spell.call("core.hash", "abc").startswith("ba7816bf")
    assert spell.call("core.hash", b"abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    fault = spell.fails("core.hash", "abc", "crc")
    assert (fault.code, "sha256" in fault.message) == ("unknown_algorithm", True)
    assert spell.call("core.base64_encode", "ü?>") == "w7w/Pg=="
    assert spell.call("core.base64_decode", "w7w/Pg==") == "ü?>"
    assert spell.call("core.base64url_encode", "ü?>") == "w7w_Pg"
    assert spell.call("core.base64url_decode", "w7w_Pg") == "ü?>"
    assert spell.call("core.base64_decode", "/w==") == b"\xff"
    for text in ("?", "abc", "a b="):
        assert spell.fails("core.base64_decode", text).code == "invalid_base64"


def test_random_texts_differ(spell: Any) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", spell.call("core.uuid"))
    assert len({spell.call("core.random_string") for _ in range(100)}) == 100
    assert set(spell.call("core.random_string", 50, "ab")) <= {"a", "b"}
    assert spell.fails("core.random_string", 10**9).code == "invalid_argument"
    assert spell.fails("core.random_string", 1, "").code == "invalid_argument"


def test_a_memoized_function_runs_once_for_the_same_arguments(spell: Any, raised: Any) -> None:
    calls: list[Any] = []

    def work(*args: Any) -> Any:
        calls.append(args)
        if args == ("bad",):
            raise raised("no")
        return len(calls)

    remembered = spell.call("core.memoize", spell.fn(work))
    assert remembered.kind == "function"
    assert [spell.call((remembered, "call"), {"a": 1}, 2) for _ in range(3)] == [1, 1, 1]
    assert spell.call((remembered, "call"), {"a": 2}, 2) == 2
    for _ in range(2):
        spell.fails((remembered, "call"), "bad")
    assert len(calls) == 4


def test_a_debounced_function_runs_after_the_last_call(spell: Any) -> None:
    calls: list[int] = []
    late = spell.call("core.debounce", spell.fn(lambda n: calls.append(n) or n), 0.05)
    assert spell.parallel(*[((late, "call"), n) for n in range(5)]) == [None] * 4 + [4]
    assert calls == [4]


def test_a_throttled_function_runs_once_in_a_while(spell: Any) -> None:
    calls: list[int] = []
    slow = spell.call("core.throttle", spell.fn(lambda n: calls.append(n) or n), 3600)
    assert [spell.call((slow, "call"), n) for n in range(3)] == [0, 0, 0]
    quick = spell.call("core.throttle", spell.fn(lambda n: n), 0)
    assert [spell.call((quick, "call"), n) for n in range(3)] == [0, 1, 2]


def test_failures_are_caught(spell: Any, raised: Any) -> None:
    def fail(*args: Any) -> Any:
        raise raised({"code": "mine", "message": "no", "extra": 1})

    failure = {"code": "mine", "message": "no", "extra": 1}
    assert spell.call("core.safe_call", spell.fn(lambda a, b: a + b), 1, 2) == {"ok": True, "value": 3}
    assert spell.call("core.safe_call", spell.fn(fail), 1) == {"ok": False, "error": failure}
    assert spell.call("core.try", spell.fn(lambda: 1)) == 1
    assert spell.call("core.try", spell.fn(fail)) is None
    assert spell.call("core.try", spell.fn(fail), spell.fn(lambda error: error["extra"])) == 1


def test_the_environment_is_read_as_granted(spells: Any, session: Any) -> None:
    session.environ.update(LANGUAGE="it", API_KEY="canary", HOME="/root")
    policy = Policy.standard().grant(env=["LANG*", "API_KEY", "NOT_SET"], secrets=["API_KEY"])
    spell = spells(policy=policy)
    assert spell.call("core.env", "LANGUAGE") == "it"
    assert spell.call("core.env", "NOT_SET", "default") == "default"
    fault = spell.fails("core.env", "HOME")
    assert fault.code == "denied"
    assert "--allow-env HOME" in fault.message
    assert spell.fails("core.env", "API_KEY").code == "denied"
    assert spells(policy=Policy(grants=Grants(bridges=frozenset({"core"})))).fails("core.env", "HOME").code == "denied"


def test_a_cancelled_pause_ends(spell: Any, session: Any) -> None:
    async def work() -> None:
        task = asyncio.ensure_future(spell.acall("core.sleep", 60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    session.runner.run(work())
