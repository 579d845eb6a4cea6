"""JSON, CSV and XML: what the tools make of them, and of hostile ones."""

from __future__ import annotations

from typing import Any

import pytest

PEOPLE = "name,age,city\nAda,36,London\nBob,20,Paris\nEve,29,London\n"


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ({"data": '{"a": {"b": [1, 2]}}', "operation": "get", "path": "a.b.1"}, 2),
        ({"data": '{"a": 1}', "operation": "get", "path": "$.a"}, 1),
        ({"data": '{"a": 1}', "operation": "get", "path": "$.b"}, None),
        ({"data": {"p": [{"n": 1}, {"n": 5}]}, "operation": "get", "path": "$.p[?@.n > 2].n"}, [5]),
        ({"data": {"a": 1}, "operation": "get"}, {"a": 1}),
        ({"data": {"a": {"b": 1, "c": 2}}, "operation": "delete", "path": "a.b"}, {"a": {"c": 2}}),
        ({"data": {}, "operation": "set", "path": "a.b", "value": 1}, {"a": {"b": 1}}),
    ],
)
def test_json_is_read_and_changed(bench: Any, given: dict[str, Any], result: Any) -> None:
    assert bench.run("json_process", **given)["result"] == result


def test_json_is_checked_against_a_schema(bench: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    told = bench.run("json_process", data={"a": "x"}, operation="validate", value=schema)
    assert told["valid"] is False
    assert told["errors"][0]["path"] == "$.a"
    assert bench.run("json_process", data={"a": 1}, operation="validate", value=schema)["valid"] is True


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"data": "{", "operation": "get"}, "invalid_json"),
        ({"data": {}, "operation": "get", "path": "$.["}, "invalid_path"),
        ({"data": {}, "operation": "get", "path": "$." + "a" * 600}, "invalid_path"),
        ({"data": {}, "operation": "get", "path": "a..b"}, "invalid_path"),
        ({"data": {}, "operation": "set", "path": "$.a", "value": 1}, "invalid_path"),
        ({"data": ["a" * 50], "operation": "get", "path": "$[?search(@, '(a+)+$')]"}, "invalid_path"),
        ({"data": {}, "operation": "validate", "value": 3}, "invalid_argument"),
        ({"data": {}, "operation": "validate", "value": {"type": "nope"}}, "invalid_schema"),
        ({"data": {}, "operation": "validate", "value": {"$ref": "file:///etc/passwd"}}, "invalid_schema"),
        ({"data": {}, "operation": "validate", "value": {"$ref": "http://127.0.0.1:9/x"}}, "invalid_schema"),
        ({"data": {}, "operation": "transform", "value": {"a": 1}}, "invalid_argument"),
        ({"data": {}, "operation": "explode"}, "invalid_parameters"),
        ({"data": [[1] * 300] * 300, "operation": "get", "path": "$[*][*]"}, "too_large"),
    ],
)
def test_json_that_makes_no_sense_is_refused(bench: Any, given: dict[str, Any], code: str) -> None:
    assert bench.refused("json_process", **given)[0] == code


def test_a_query_that_multiplies_is_ended() -> None:
    from llmspell.errors import BridgeError
    from llmspell_toolbox.data import jsons
    from llmspell_toolbox.patience import patient

    nested: Any = 1
    for _ in range(80):
        nested = [nested, nested]
        if len(str(nested)) > 4000:
            break
    with pytest.raises(BridgeError) as caught, patient("the test", 0.2):
        jsons.find(nested, "$..[?count($..[?count($..*) > 0]) < 0]")
    assert caught.value.code == "too_slow"


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (
            {"operation": "transform", "columns": ["name"], "sort_by": "-age", "rename": {"name": "who"}},
            [{"who": "Ada"}, {"who": "Eve"}, {"who": "Bob"}],
        ),
        (
            {"operation": "aggregate", "group_by": ["city"], "aggregates": {"age": "max"}},
            [{"city": "London", "age_max": 36}, {"city": "Paris", "age_max": 20}],
        ),
        ({"operation": "filter", "where": {"city": "Paris"}}, [{"name": "Bob", "age": 20, "city": "Paris"}]),
        ({"operation": "filter", "where": {"name": {"contains": "v"}, "age": {"lt": 30}}},
         [{"name": "Eve", "age": 29, "city": "London"}]),
        ({"operation": "filter", "where": {"name": {"in": ["Ada"]}}}, [{"name": "Ada", "age": 36, "city": "London"}]),
        ({"operation": "convert", "to_format": "csv"}, PEOPLE),
        ({"operation": "convert", "where": {"name": "Bob"}}, '[{"name":"Bob","age":20,"city":"Paris"}]'),
    ],
)  # fmt: skip
def test_csv_is_worked_on(bench: Any, given: dict[str, Any], result: Any) -> None:
    assert bench.run("csv_process", data=PEOPLE, **given)["result"] == result


def test_csv_may_have_other_delimiters_and_no_names(bench: Any) -> None:
    told = bench.run("csv_process", data="1;x\n2;y", operation="parse", headers=False, delimiter=";")
    assert told["result"] == [{"column1": 1, "column2": "x"}, {"column1": 2, "column2": "y"}]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"data": 'a,b\n"x', "operation": "parse"}, "invalid_csv"),
        ({"data": "a,b\n1", "operation": "parse"}, "invalid_csv"),
        ({"data": "a,a\n1,2", "operation": "parse"}, "invalid_csv"),
        ({"data": "a", "operation": "parse", "delimiter": ",,"}, "invalid_argument"),
        ({"data": PEOPLE, "operation": "transform", "columns": ["nope"]}, "invalid_argument"),
        ({"data": PEOPLE, "operation": "aggregate", "aggregates": {"age": "median_of_medians"}}, "invalid_argument"),
        ({"data": PEOPLE, "operation": "filter", "where": {"age": {"like": 1}}}, "invalid_argument"),
        ({"data": [1], "operation": "parse"}, "invalid_parameters"),
    ],
)
def test_csv_that_makes_no_sense_is_refused(bench: Any, given: dict[str, Any], code: str) -> None:
    assert bench.refused("csv_process", **given)[0] == code


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"data": BOMB, "operation": "parse"}, "invalid_xml"),
        ({"data": OUTSIDE, "operation": "query"}, "invalid_xml"),
        ({"data": "<a>", "operation": "parse"}, "invalid_xml"),
        ({"data": "<a>" * 5000 + "</a>" * 5000, "operation": "parse"}, "invalid_xml"),
        ({"data": "<a/>", "operation": "query", "xpath": "a[["}, "invalid_path"),
        ({"data": "<a/>", "operation": "query", "xpath": "n:b"}, "invalid_path"),
        ({"data": "<a/>", "operation": "transform"}, "invalid_argument"),
    ],
)
def test_hostile_xml_is_refused(bench: Any, given: dict[str, Any], code: str) -> None:
    assert bench.refused("xml_process", **given)[0] == code


def test_xml_is_checked(bench: Any) -> None:
    assert bench.run("xml_process", data="<a/>", operation="validate")["valid"] is True
    told = bench.run("xml_process", data="<a>\n<b></a>", operation="validate")
    assert told["valid"] is False
    assert told["errors"][0]["line"] == 2


def test_xml_is_queried_by_prefix(bench: Any) -> None:
    text = "<r xmlns:d='urn:d'><d:x>1</d:x></r>"
    told = bench.run("xml_process", data=text, operation="query", xpath="p:x", namespaces={"p": "urn:d"})
    assert [found["text"] for found in told["result"]] == ["1"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"data": "a: &x [1]\nb: *x", "from_format": "yaml", "to_format": "json"}, "invalid_yaml"),
        ({"data": "[1]", "from_format": "json", "to_format": "csv"}, "not_csv"),
        ({"data": "1", "from_format": "json", "to_format": "yaml", "options": {"colour": 1}}, "invalid_argument"),
        ({"data": "1", "from_format": "pickle", "to_format": "json"}, "invalid_parameters"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused(bench: Any, given: dict[str, Any], code: str) -> None:
    assert bench.refused("data_transform", **given)[0] == code


def test_a_text_made_to_be_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmspell.errors import BridgeError
    from llmspell_toolbox.bridge import ToolboxBridge
    from llmspell_toolbox.patience import patient

    with pytest.raises(BridgeError) as caught, patient("the test", 0.2):
        ToolboxBridge().data_transform("- a: {b: [c, d]}\n" * 100_000, "yaml", "json")
    assert caught.value.code == "too_slow"
    nested = "<a>" * 20_000 + "</a>" * 20_000
    with pytest.raises(BridgeError) as caught, patient("the test", 0.2):
        ToolboxBridge().xml_process(nested, "query", xpath=".//a")
    assert caught.value.code in ("too_slow", "too_large")


def test_patience_ends_even_where_the_time_is_up_as_something_dies() -> None:
    """What is raised there is dropped by the interpreter, and the watch with it."""
    import weakref

    from llmspell.errors import BridgeError
    from llmspell_toolbox.patience import patient

    class Mortal:
        pass

    class Loud:
        def __del__(self) -> None:
            for _ in range(50):
                self.tidy_up()

        def tidy_up(self) -> None:
            self.gone = True

    kept: weakref.WeakSet[Mortal] = weakref.WeakSet()

    def dying() -> None:
        for _ in range(10**9):
            each = Mortal()
            kept.add(each)
            del each
            Loud()

    with pytest.raises(BridgeError) as caught, patient("the test", 0.05):
        dying()
    assert caught.value.code == "too_slow"
