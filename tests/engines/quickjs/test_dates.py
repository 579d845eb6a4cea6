"""``Date`` and points in time: both ways, in every place where values cross, and against scripts that tamper."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from llmspell.errors import ConversionError
from llmspell_quickjs.codec import decode, encode

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def after(milliseconds: int) -> dt.datetime:
    return EPOCH + dt.timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("source", "milliseconds"),
    [
        ("new Date(0)", 0),
        ("new Date(-0)", 0),
        ("new Date(1769853600123)", 1769853600123),
        ("new Date(-1)", -1),
        ("new Date(-1.7)", -1),
        ("new Date(1.9)", 1),
        ("new Date('1900-01-01T00:00:00Z')", -2208988800000),
        ("new Date(-62135596800000)", -62135596800000),
        ("new Date(253402300799999)", 253402300799999),
        ("new (class Day extends Date {})(5)", 5),
        ("new (class extends Date { get [Symbol.toStringTag]() { return 'Day' } })(5)", 5),
        ("new (class extends Date { toJSON() { return 'never' } getTime() { return 9 } })(5)", 5),
        ("Object.assign(new Date(5), { note: 'dropped' })", 5),
        ("Object.freeze(new Date(5))", 5),
        ("structuredClone(new Date(5))", 5),
    ],
)
def test_a_date_is_the_instant_it_holds(stage: Any, source: str, milliseconds: int) -> None:
    result = stage.run(f"return {source}")
    assert result == after(milliseconds)
    assert result.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("source", "path", "word"),
    [
        ("{ a: [new Date(NaN)] }", "$.a[0]", "an invalid Date"),
        ("new Date('tomorrow')", "$", "an invalid Date"),
        ("[new Date(8.64e15)]", "$[0]", "years 1 to 9999 cannot cross; toISOString()"),
        ("[new Date(-8.64e15)]", "$[0]", "years 1 to 9999"),
        ("[new Date(253402300800000)]", "$[0]", "years 1 to 9999"),
        ("[new Date(-62135596800001)]", "$[0]", "years 1 to 9999"),
        ("new Map([['k', new Date(NaN)]])", "$.k", "an invalid Date"),
        ("new Set([new Date(NaN)])", "$[0]", "an invalid Date"),
    ],
)
def test_one_the_host_has_no_form_for_is_refused_with_its_path(stage: Any, source: str, path: str, word: str) -> None:
    failure = stage.failure(f"return {source}")
    assert (failure.kind, failure.path) == ("conversion", path)
    assert word in failure.message


def test_a_script_can_catch_that_and_send_the_text(stage: Any) -> None:
    code = """
    const far = new Date(8.64e15);
    try { kit.echo(far) } catch (e) { return [e instanceof TypeError, e.code, kit.echo(far.toISOString())] }
    """
    assert stage.run(code) == [True, "conversion", "+275760-09-13T00:00:00.000Z"]


@pytest.mark.parametrize(
    "code",
    [
        "Date.prototype.getTime = Date.prototype.valueOf = () => 99; return at",
        "Date.prototype.toISOString = Date.prototype.toJSON = () => { throw 1 }; return at",
        "at[Symbol.toPrimitive] = at.valueOf = at.getTime = at.toJSON = () => 99; return at",
        "Date.prototype[Symbol.toStringTag] = 'Map'; return at",
        "Object.prototype[Symbol.toStringTag] = 'Set'; return at",
        "globalThis.Date = class { constructor() { throw 1 } }; return kit.echo(at)",
        "Object.setPrototypeOf(at, class extends Date {}.prototype); return at",
        "delete Date.prototype.getTime; return kit.echo({ at }).at",
    ],
)
def test_a_script_that_tampers_changes_nothing(stage: Any, code: str) -> None:
    assert stage.run(f"const at = new Date(7); {code}") == after(7)


def test_what_only_claims_to_be_a_date_is_what_it_is(stage: Any) -> None:
    assert stage.run("return { [Symbol.toStringTag]: 'Date', n: 1 }") == {"n": 1}
    failure = stage.failure("return Object.create(Date.prototype)")
    assert (failure.kind, failure.message) == ("runtime", "TypeError: not a Date object")
    failure = stage.failure("return new Proxy(new Date(0), {})")
    assert (failure.kind, failure.message) == ("runtime", "TypeError: not a Date object")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("new (class extends Map { get [Symbol.toStringTag]() { return 'Book' } })([['a', 1]])", {"a": 1}),
        ("new (class extends Set { get [Symbol.toStringTag]() { return 'Bag' } })([1])", [1]),
        ("new (class { x = 1; get [Symbol.toStringTag]() { return 'Thing' } })", {"x": 1}),
    ],
)
def test_a_tag_of_its_own_hides_nothing(stage: Any, source: str, value: Any) -> None:
    assert stage.run(f"return {source}") == value


@pytest.mark.parametrize(
    ("instant", "milliseconds"),
    [
        (after(0), 0),
        (after(1769853600123), 1769853600123),
        (after(1) + dt.timedelta(microseconds=999), 1),
        (after(-1) + dt.timedelta(microseconds=1), -1),
        (dt.datetime.min.replace(tzinfo=dt.UTC), -62135596800000),
        (dt.datetime.max.replace(tzinfo=dt.UTC), 253402300799999),
    ],
)
def test_an_instant_arrives_as_a_date_to_the_millisecond(stage: Any, instant: dt.datetime, milliseconds: int) -> None:
    code = """
    const { at } = params;
    return [at instanceof Date, Object.getPrototypeOf(at) === Date.prototype, at.getTime(), Reflect.ownKeys(at).length]
    """
    assert stage.run(code, params={"at": instant}) == [True, True, milliseconds, 0]


def test_instants_arrive_wherever_they_stand(stage: Any) -> None:
    params = {"list": [after(1), [after(2)]], "table": {"\x01": after(3), "big": 2**70}}
    code = "const { list, table } = params; return [+list[0], +list[1][0], +table['\\u0001'], table.big === 2n ** 70n]"
    assert stage.run(code, params=params) == [1, 2, 3, True]


def test_each_crossing_gives_a_date_of_its_own(stage: Any) -> None:
    code = (
        "const at = new Date(5); const back = kit.echo([at, at]); back[0].setTime(6); return [+at, +back[0], +back[1]]"
    )
    assert stage.run(code) == [5, 6, 5]


def test_a_date_made_after_a_script_changed_dates_is_a_real_one(stage: Any) -> None:
    code = """
    const RealDate = Date;
    globalThis.Date = function () { return 'forged' };
    RealDate.prototype.constructor = null;
    return kit.echo(new RealDate(5)) instanceof RealDate
    """
    assert stage.run(code) is True


def test_an_error_carries_a_date(stage: Any) -> None:
    failure = stage.failure("throw Object.assign(new Error('late'), { due: new Date(5) })")
    assert failure.value["due"] == after(5)


def test_a_text_that_looks_like_a_date_stays_a_text(stage: Any) -> None:
    text = "1970-01-01T00:00:00.000Z"
    assert stage.run("return [params.text, kit.echo(params.text)]", params={"text": text}) == [text, text]


def test_a_mark_of_the_scripts_own_is_no_date(stage: Any) -> None:
    value = {"\x01": ["t", 5]}
    assert stage.run("return params.v", params={"v": value}) == value
    assert stage.run("return { '\\u0001': ['t', 5] }") == value


def test_the_codec_takes_nothing_but_what_the_glue_says() -> None:
    frame = encode([after(-1)])
    assert frame == 'T[{"\\u0001":["t",-1]}]'
    assert decode(frame, lambda _: None) == [after(-1)]
    with pytest.raises(ConversionError, match="a date cannot cross"):
        encode([dt.date(2026, 1, 31)])
