"""Every function and constant of the standard modules, by name and by what it does in the reference."""

from __future__ import annotations

import importlib.resources
import math
import re
from typing import Any

import pytest

from llmspell_tengo import Script, standard
from llmspell_tengo.machine.parts import STANDARD
from llmspell_tengo.machine.vm import LuaVM
from llmspell_tengo.values import Immutable, Time

PRELUDE = 't := times.date(2009, times.february, 3, 4, 5, 6, 7000, "UTC")\n'
"""What the expressions of the tables below may use."""

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]

MATH = {
    "abs": [("math.abs(-19.84)", 19.84)],
    "acos": [("math.acos(1.0)", 0.0)],
    "acosh": [("math.acosh(1.0)", 0.0)],
    "asin": [("math.asin(1.0)", math.pi / 2)],
    "asinh": [("math.asinh(0.0)", 0.0)],
    "atan": [("math.atan(1.0)", math.pi / 4)],
    "atan2": [("math.atan2(1.0, -1.0)", 3 * math.pi / 4)],
    "atanh": [("math.atanh(0.0)", 0.0)],
    "cbrt": [("math.cbrt(-27.0)", -3.0)],
    "ceil": [("math.ceil(1.2)", 2.0), ("math.ceil(-1.2)", -1.0)],
    "copysign": [("math.copysign(3.0, -0.5)", -3.0)],
    "cos": [("math.cos(0.0)", 1.0)],
    "cosh": [("math.cosh(0.0)", 1.0)],
    "dim": [("math.dim(5.0, 3.0)", 2.0), ("math.dim(3.0, 5.0)", 0.0)],
    "erf": [("math.erf(0.0)", 0.0), ("math.erf(1.0)", math.erf(1.0))],
    "erfc": [("math.erfc(1.0)", math.erfc(1.0))],
    "exp": [("math.exp(1.0)", math.e)],
    "exp2": [("math.exp2(10.0)", 1024.0)],
    "expm1": [("math.expm1(1e-10)", math.expm1(1e-10))],
    "floor": [("math.floor(-1.2)", -2.0)],
    "gamma": [("math.gamma(5.0)", 24.0)],
    "hypot": [("math.hypot(3.0, 4.0)", 5.0)],
    "ilogb": [("math.ilogb(1024.5)", 10)],
    "inf": [("math.inf(1)", math.inf), ("math.inf(-1)", -math.inf)],
    "is_inf": [("math.is_inf(math.inf(-1), -1)", True), ("math.is_inf(1.0, 0)", False)],
    "is_nan": [("math.is_nan(math.nan())", True), ("math.is_nan(0.0)", False)],
    "j0": [("math.j0(0.0)", 1.0)],
    "j1": [("math.j1(0.0)", 0.0), ("math.j1(1.0)", 0.44005058574493355)],
    "jn": [("math.jn(2, 1.0)", 0.1149034849319005)],
    "ldexp": [("math.ldexp(0.5, 4)", 8.0)],
    "log": [("math.log(math.e)", 1.0)],
    "log10": [("math.log10(1000.0)", 3.0)],
    "log1p": [("math.log1p(1e-10)", math.log1p(1e-10))],
    "log2": [("math.log2(8.0)", 3.0)],
    "logb": [("math.logb(9.0)", 3.0)],
    "max": [("math.max(1.0, 2.0)", 2.0)],
    "min": [("math.min(1.0, 2.0)", 1.0)],
    "mod": [("math.mod(-7.0, 3.0)", -1.0)],
    "nan": [("math.nan()", math.nan)],
    "nextafter": [("math.nextafter(1.0, 2.0)", math.nextafter(1, 2))],
    "pow": [("math.pow(2.0, 0.5)", math.sqrt(2)), ("math.pow(2, 3)", 8.0)],
    "pow10": [("math.pow10(-2)", 0.01)],
    "remainder": [("math.remainder(7.0, 4.0)", -1.0)],
    "signbit": [("math.signbit(-0.0 * 1.0)", True), ("math.signbit(1.0)", False)],
    "sin": [("math.sin(math.pi / 2)", 1.0)],
    "sinh": [("math.sinh(0.0)", 0.0)],
    "sqrt": [("math.sqrt(2.25)", 1.5)],
    "tan": [("math.tan(0.0)", 0.0)],
    "tanh": [("math.tanh(0.0)", 0.0)],
    "trunc": [("math.trunc(-1.7)", -1.0)],
    "y0": [("math.y0(1.0)", 0.08825696421567698)],
    "y1": [("math.y1(1.0)", -0.7812128213002887)],
    "yn": [("math.yn(2, 1.0)", -1.6506826068162546)],
    **{
        name: [(f"math.{name}", value)]
        for name, value in {
            "e": math.e,
            "ln10": math.log(10),
            "ln2": math.log(2),
            "log10E": 1 / math.log(10),
            "log2E": 1 / math.log(2),
            "maxFloat32": 3.4028234663852886e38,
            "maxFloat64": 1.7976931348623157e308,
            "maxInt": 2**63 - 1,
            "maxInt16": 2**15 - 1,
            "maxInt32": 2**31 - 1,
            "maxInt64": 2**63 - 1,
            "maxInt8": 127,
            "minInt": -(2**63),
            "minInt16": -(2**15),
            "minInt32": -(2**31),
            "minInt64": -(2**63),
            "minInt8": -128,
            "phi": (1 + math.sqrt(5)) / 2,
            "pi": math.pi,
            "smallestNonzeroFloat32": 2.0**-149,
            "smallestNonzeroFloat64": 5e-324,
            "sqrt2": math.sqrt(2),
            "sqrtE": math.sqrt(math.e),
            "sqrtPhi": math.sqrt((1 + math.sqrt(5)) / 2),
            "sqrtPi": math.sqrt(math.pi),
        }.items()
    },
}

TEXT = {
    "atoi": [('text.atoi("-42")', -42), ('is_error(text.atoi("4x"))', True)],
    "compare": [('text.compare("a", "b")', -1), ('text.compare("b", "b")', 0)],
    "contains": [('text.contains("seafood", "foo")', True)],
    "contains_any": [('text.contains_any("team", "xyzm")', True), ('text.contains_any("team", "")', False)],
    "count": [('text.count("cheese", "e")', 3), ('text.count("five", "")', 5)],
    "equal_fold": [('text.equal_fold("Straße", "sTRASSE")', False), ('text.equal_fold("Go", "GO")', True)],
    "fields": [(r'text.fields("  a\tb\nc ")', ["a", "b", "c"])],
    "format_bool": [("text.format_bool(true)", "true")],
    "format_float": [
        ("text.format_float(3.14159, 'e', 2, 64)", "3.14e+00"),
        ("text.format_float(1.5, 'f', -1, 32)", "1.5"),
    ],
    "format_int": [("text.format_int(-255, 16)", "-ff")],
    "has_prefix": [('text.has_prefix("golang", "go")', True)],
    "has_suffix": [('text.has_suffix("golang", "go")', False)],
    "index": [('text.index("chicken", "ken")', 4), ('text.index("chicken", "dmr")', -1)],
    "index_any": [('text.index_any("golang", "gy")', 0), ('text.index_any("crwth", "aeiouy")', -1)],
    "itoa": [("text.itoa(-7)", "-7")],
    "join": [('text.join(["a", "b", "c"], "-")', "a-b-c")],
    "last_index": [('text.last_index("go gopher", "go")', 3)],
    "last_index_any": [('text.last_index_any("go gopher", "go")', 4)],
    "pad_left": [('text.pad_left("7", 3, "0")', "007"), ('text.pad_left("7", 3)', "  7")],
    "pad_right": [('text.pad_right("7", 3, "x")', "7xx")],
    "parse_bool": [('text.parse_bool("T")', True), ('is_error(text.parse_bool("yes"))', True)],
    "parse_float": [('text.parse_float("1.5e3", 64)', 1500.0)],
    "parse_int": [('text.parse_int("-0x1f", 0, 64)', -31), ('is_error(text.parse_int("300", 10, 8))', True)],
    "quote": [(r'text.quote("a\"b\n☺")', r'"a\"b\n☺"')],
    "re_compile": [
        (
            'func(re) { return [re.match("xab"), re.replace("ab-a", "<$1$2>"), len(re.find("ab")), '
            're.split("1a2ab3")] }(text.re_compile("(a)(b)?"))',
            [True, "<ab>-<a>", 1, ["1", "2", "3"]],
        )
    ],
    "re_find": [
        (
            'text.re_find("a(.)", "xabyac", -1)',
            [
                [{"text": "ab", "begin": 1, "end": 3}, {"text": "b", "begin": 2, "end": 3}],
                [{"text": "ac", "begin": 4, "end": 6}, {"text": "c", "begin": 5, "end": 6}],
            ],
        ),
        ('text.re_find("z", "a")', None),
    ],
    "re_match": [(r'text.re_match("^\\d+$", "123")', True), ('is_error(text.re_match("(", ""))', True)],
    "re_replace": [('text.re_replace("(\\\\w)(\\\\w)", "abc", "$2$1")', "bac")],
    "re_split": [
        ('text.re_split(",\\\\s*", "a, b,c")', ["a", "b", "c"]),
        ('text.re_split(",", "a,b,c", 2)', ["a", "b,c"]),
    ],
    "repeat": [('text.repeat("ab", 3)', "ababab")],
    "replace": [('text.replace("oink oink oink", "k", "ky", 2)', "oinky oinky oink")],
    "split": [('text.split("a,b", ",")', ["a", "b"]), ('text.split("héy", "")', ["h", "é", "y"])],
    "split_after": [('text.split_after("a,b", ",")', ["a,", "b"])],
    "split_after_n": [('text.split_after_n("a,b,c", ",", 2)', ["a,", "b,c"])],
    "split_n": [('text.split_n("a,b,c", ",", 2)', ["a", "b,c"])],
    "substr": [('text.substr("abcdef", 1, 3)', "bc"), ('text.substr("abc", 1)', "bc")],
    "title": [('text.title("her royal")', "Her Royal")],
    "to_lower": [('text.to_lower("ÀB")', "àb")],
    "to_title": [('text.to_title("ǆx")', "ǅX")],
    "to_upper": [('text.to_upper("straße")', "STRAßE")],
    "trim": [('text.trim("xxaxx", "x")', "a")],
    "trim_left": [('text.trim_left("xxaxx", "x")', "axx")],
    "trim_prefix": [('text.trim_prefix("xxa", "x")', "xa")],
    "trim_right": [('text.trim_right("xxaxx", "x")', "xxa")],
    "trim_space": [(r'text.trim_space("\t a b \n")', "a b")],
    "trim_suffix": [('text.trim_suffix("a.go", ".go")', "a")],
    "unquote": [(r'text.unquote("\"a\\tb\"")', "a\tb"), ('is_error(text.unquote("a"))', True)],
}

TIMES = {
    "add": [("times.add(t, 90 * times.minute)", Time(1233639306, 7000)), ("times.add(t, 1) == t", False)],
    "add_date": [('times.time_format(times.add_date(t, 1, 1, -4), "2006-01-02")', "2010-02-27")],
    "after": [("times.after(t, times.add(t, -1))", True)],
    "before": [("times.before(t, t)", False)],
    "date": [("t", Time(1233633906, 7000))],
    "duration_hours": [("times.duration_hours(90 * times.minute)", 1.5)],
    "duration_minutes": [("times.duration_minutes(90 * times.second)", 1.5)],
    "duration_nanoseconds": [("times.duration_nanoseconds(times.microsecond)", 1000)],
    "duration_seconds": [("times.duration_seconds(1500 * times.millisecond)", 1.5)],
    "duration_string": [("times.duration_string(5400000000001)", "1h30m0.000000001s")],
    "in_location": [('times.time_hour(times.in_location(t, "Europe/Berlin"))', 5)],
    "is_zero": [("times.is_zero(t)", False), ('times.is_zero(times.date(1, 1, 1, 0, 0, 0, 0, "UTC"))', True)],
    "month_string": [("times.month_string(times.march)", "March")],
    "now": [("type_name(times.now())", "time"), ("times.time_year(times.now()) >= 2024", True)],
    "parse": [
        (
            'times.parse("2006-01-02 15:04:05 -0700", "2009-02-03 04:05:06 +0100") == times.add(t, -times.hour - 7000)',
            True,
        ),
        ('is_error(times.parse("2006", "x"))', True),
    ],
    "parse_duration": [('times.parse_duration("-1.5h")', -5400 * 10**9)],
    "since": [("times.since(t) > 0", True)],
    "sleep": [("times.sleep(1)", None)],
    "sub": [("times.sub(times.add(t, 5), t)", 5)],
    "time_day": [("times.time_day(t)", 3)],
    "time_format": [('times.time_format(t, "Mon Jan _2 03:04:05.000000 PM")', "Tue Feb  3 04:05:06.000007 AM")],
    "time_hour": [("times.time_hour(t)", 4)],
    "time_location": [("times.time_location(t)", "UTC")],
    "time_minute": [("times.time_minute(t)", 5)],
    "time_month": [("times.time_month(t)", 2)],
    "time_nanosecond": [("times.time_nanosecond(t)", 7000)],
    "time_second": [("times.time_second(t)", 6)],
    "time_string": [("times.time_string(t)", "2009-02-03 04:05:06.000007 +0000 UTC")],
    "time_unix": [("times.time_unix(t)", 1233633906)],
    "time_unix_nano": [("times.time_unix_nano(t)", 1233633906000007000)],
    "time_weekday": [("times.time_weekday(t)", 2)],
    "time_year": [("times.time_year(t)", 2009)],
    "to_local": [("times.time_unix(times.to_local(t))", 1233633906)],
    "to_utc": [('times.time_hour(times.to_utc(times.in_location(t, "Asia/Tokyo")))', 4)],
    "unix": [("times.unix(1233633906, 7000) == t", True)],
    "until": [("times.until(t) < 0", True)],
    **{
        name: [(f"times.{name}", value)]
        for name, value in {
            "format_ansic": "Mon Jan _2 15:04:05 2006",
            "format_kitchen": "3:04PM",
            "format_rfc1123": "Mon, 02 Jan 2006 15:04:05 MST",
            "format_rfc1123z": "Mon, 02 Jan 2006 15:04:05 -0700",
            "format_rfc3339": "2006-01-02T15:04:05Z07:00",
            "format_rfc3339_nano": "2006-01-02T15:04:05.999999999Z07:00",
            "format_rfc822": "02 Jan 06 15:04 MST",
            "format_rfc822z": "02 Jan 06 15:04 -0700",
            "format_rfc850": "Monday, 02-Jan-06 15:04:05 MST",
            "format_ruby_date": "Mon Jan 02 15:04:05 -0700 2006",
            "format_stamp": "Jan _2 15:04:05",
            "format_stamp_micro": "Jan _2 15:04:05.000000",
            "format_stamp_milli": "Jan _2 15:04:05.000",
            "format_stamp_nano": "Jan _2 15:04:05.000000000",
            "format_unix_date": "Mon Jan _2 15:04:05 MST 2006",
            "hour": 3600 * 10**9,
            "minute": 60 * 10**9,
            "second": 10**9,
            "millisecond": 10**6,
            "microsecond": 1000,
            "nanosecond": 1,
            **{name: at + 1 for at, name in enumerate(MONTHS)},
        }.items()
    },
}

SMALL = {
    "fmt": {
        "print": [('fmt.print("a", 1)', None)],
        "printf": [('fmt.printf("%d\\n", 1)', None)],
        "println": [('fmt.println("a", 1)', None)],
        "sprintf": [('fmt.sprintf("%05.1f|%-4s|%x", 3.14159, "ab", 255)', "003.1|ab  |ff")],
    },
    "json": {
        "decode": [('json.decode("{\\"a\\": [1, 2.5, null, \\"x\\"]}")', {"a": [1.0, 2.5, None, "x"]})],
        "encode": [('string(json.encode({a: [1, 2.5, true, undefined, "<"]}))', '{"a":[1,2.5,true,null,"<"]}')],
        "html_escape": [('string(json.html_escape("{\\"a\\":\\"<&>\\"}"))', '{"a":"\\u003c\\u0026\\u003e"}')],
        "indent": [('string(json.indent("{\\"a\\":1}", ">", "  "))', '{\n>  "a": 1\n>}')],
    },
    "hex": {
        "decode": [('hex.decode("00ff")', b"\x00\xff"), ('is_error(hex.decode("0"))', True)],
        "encode": [('hex.encode(bytes("a\\n"))', "610a")],
    },
    "base64": {
        "decode": [('base64.decode("+/8=")', b"\xfb\xff")],
        "encode": [('base64.encode(bytes("\\xfb\\xff"))', "+/8=")],
        "raw_decode": [('base64.raw_decode("+/8")', b"\xfb\xff")],
        "raw_encode": [('base64.raw_encode(bytes("\\xfb\\xff"))', "+/8")],
        "raw_url_decode": [('base64.raw_url_decode("-_8")', b"\xfb\xff")],
        "raw_url_encode": [('base64.raw_url_encode(bytes("\\xfb\\xff"))', "-_8")],
        "url_decode": [('base64.url_decode("-_8=")', b"\xfb\xff")],
        "url_encode": [('base64.url_encode(bytes("\\xfb\\xff"))', "-_8=")],
    },
    "rand": {
        "exp_float": [("rand.exp_float() >= 0", True)],
        "float": [("func(x) { return x >= 0 && x < 1 }(rand.float())", True)],
        "int": [("rand.int() >= 0", True)],
        "intn": [("rand.intn(1)", 0)],
        "norm_float": [("is_float(rand.norm_float())", True)],
        "perm": [("len(rand.perm(5))", 5)],
        "rand": [
            ("func(a, b) { return a.int() == b.int() && a.perm(9) == b.perm(9) }(rand.rand(7), rand.rand(7))", True)
        ],
        "read": [("rand.read(bytes(8))", 8)],
        "seed": [("func() { rand.seed(3); a := rand.int(); rand.seed(3); return a == rand.int() }()", True)],
    },
}

ENUM = {
    "all": [
        ("enum.all([1, 2], func(k, v) { return v > 0 })", True),
        ("enum.all([1, 0], func(k, v) { return v > 0 })", False),
    ],
    "any": [("enum.any([0, 2], func(k, v) { return v > 1 })", True)],
    "at": [('enum.at(["a", "b"], 1)', "b"), ('enum.at({x: 5}, "x")', 5)],
    "chunk": [("enum.chunk([1, 2, 3], 2)", [[1, 2], [3]])],
    "each": [
        (
            "func() { out := []; enum.each([5, 6], func(k, v) { out = append(out, [k, v]) }); return out }()",
            [[0, 5], [1, 6]],
        )
    ],
    "filter": [("enum.filter([1, 2, 3], func(k, v) { return v % 2 })", [1, 3])],
    "find": [("enum.find([1, 2, 3], func(k, v) { return v > 1 })", 2)],
    "find_key": [("enum.find_key([1, 2, 3], func(k, v) { return v > 1 })", 1)],
    "key": [("enum.key(1, 2)", 1)],
    "map": [("enum.map([1, 2], func(k, v) { return v * 10 })", [10, 20])],
    "value": [("enum.value(1, 2)", 2)],
}

TABLES: dict[str, dict[str, list[tuple[str, Any]]]] = {
    "math": MATH,
    "text": TEXT,
    "times": TIMES,
    "enum": ENUM,
    **SMALL,
}
"""What the notes on the reference list (``engines/tengo.md``, section 1.10) but ``os``, which is tested by itself."""


def members_of(module: str) -> set[str]:
    """Return the names a module really has."""
    if module == "enum":
        text = (importlib.resources.files("llmspell_tengo") / "runtime" / "enum.tengo").read_text(encoding="utf-8")
        exported = text[text.index("\nexport {") :]
        return set(re.findall(r"^\t(\w+):", exported, re.MULTILINE))
    vm = LuaVM()
    vm.require(module)
    return {name.decode() for name in vm.table[b"members"][module.encode()]}


@pytest.mark.parametrize("module", TABLES)
def test_a_module_has_what_the_reference_has_and_nothing_else(module: str) -> None:
    assert members_of(module) == set(TABLES[module])


def test_every_standard_module_is_here() -> None:
    assert set(TABLES) == {*STANDARD, "enum"}


@pytest.mark.parametrize("module", TABLES)
def test_every_member_does_what_it_does_in_the_reference(module: str) -> None:
    cases = [(name, text, value) for name, rows in TABLES[module].items() for text, value in rows]
    imports = "".join(f'{name} := import("{name}")\n' for name in TABLES)
    items = "".join(f"out{at} := {text}\n" for at, (_, text, _) in enumerate(cases))
    run = Script(imports + PRELUDE + items).set_imports(standard(*TABLES)).run()
    for at, (name, text, value) in enumerate(cases):
        found = run.get(f"out{at}")
        assert _same(found, value), f"{module}.{name}: {text} gave {found!r}, not {value!r}"


def _same(found: Any, value: Any) -> bool:
    found = _plain(found)
    if isinstance(value, float):
        if math.isnan(value):
            return isinstance(found, float) and math.isnan(found)
        return isinstance(found, float) and math.isclose(found, value, rel_tol=1e-15, abs_tol=1e-300)
    return type(found) is type(value) and bool(found == value)


def _plain(found: Any) -> Any:
    """Take the marks of immutable containers off."""
    if isinstance(found, Immutable):
        found = found.value
    return [_plain(item) for item in found] if isinstance(found, list) else found
