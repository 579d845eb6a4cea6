"""``json`` and ``util``: familiar names for functions of other bridges, and small helpers."""

from __future__ import annotations

from typing import Any

import pytest

VALUE = {"b": [1, {"c": None}], "a": "ü"}
TEXT = '{"b":[1,{"c":null}],"a":"ü"}'


def test_json_has_the_usual_names(spell: Any) -> None:
    for name in ("json.encode", "json.marshal", "util.json_encode", "util.json_to_json"):
        assert spell.call(name, VALUE) == TEXT
    for name in ("json.decode", "json.parse", "json.unmarshal", "util.json_decode", "util.json_parse"):
        assert spell.call(name, TEXT) == VALUE
    assert spell.call("json.encode", VALUE, {"sort_keys": True}) == '{"a":"ü","b":[1,{"c":null}]}'
    assert spell.call("json.marshal_to_bytes", VALUE) == TEXT.encode()
    assert spell.call("json.unmarshal_from_bytes", TEXT.encode()) == VALUE
    assert spell.fails("json.unmarshal_from_bytes", b"\xff").code == "invalid_json"


def test_json_is_laid_out(spell: Any) -> None:
    assert spell.call("json.marshal_indent", {"a": [1]}, "> ", "\t") == '{\n> \t"a": [\n> \t\t1\n> \t]\n> }'
    assert spell.call("json.marshal_indent", {"a": 1}, "", "") == '{\n"a": 1\n}'
    assert spell.fails("json.marshal_indent", {}, "", "xx").code == "invalid_argument"
    spread = '{\n "a": 1\n}'
    for name in ("json.pretty_print", "util.json_format", "util.json_prettify"):
        assert spell.call(name, '{"a":1}', {"indent": 1}) == spread
    assert spell.call("json.minify", spread) == '{"a":1}'
    assert spell.fails("json.pretty_print", "{}", {"indent": 99}).code == "invalid_argument"


def test_strict_reading_refuses_keys_that_stand_twice(spell: Any) -> None:
    assert spell.call("json.decode", '{"a":1,"a":2}') == {"a": 2}
    assert spell.call("json.unmarshal_strict", '{"a":1}') == {"a": 1}
    assert "'a' stands twice" in spell.fails("json.unmarshal_strict", '{"a":1,"a":2}').message


def test_lines_of_json(spell: Any) -> None:
    assert spell.call("json.encode_lines", [1, {"a": 2}]) == '1\n{"a":2}\n'
    assert spell.call("json.decode_lines", '1\n\n{"a":2}\n') == [1, {"a": 2}]
    fault = spell.fails("json.decode_lines", "1\n{\n")
    assert (fault.code, fault.details) == ("invalid_json", {"line": 2})


def test_texts_are_checked(spell: Any) -> None:
    schema = {"type": "array"}
    for name in ("json.validate", "json.validate_with_schema"):
        assert spell.call(name, "[]", schema)["valid"] is True
        assert spell.call(name, "{}", schema)["valid"] is False
        assert spell.call(name, "[", schema)["valid"] is False
    for name in ("util.json_validate", "util.json_validate_json_schema"):
        assert spell.call(name, "[]", schema)["valid"] is True
        assert spell.call(name, {"a": 1}, schema)["valid"] is False


SCHEMA = {
    "$defs": {"tag": {"type": "string", "minLength": 6}},
    "type": "object",
    "properties": {
        "name": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 18},
        "kind": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 2},
        "flag": {"type": "boolean", "default": False},
        "any": {"anyOf": [{"const": 5}, {"type": "null"}]},
        "all": {"allOf": [{"properties": {"x": {"type": "number"}}}, {"properties": {"y": {"type": ["null"]}}}]},
        "example": {"examples": ["e"]},
    },
    "required": ["name"],
}


def test_samples_fit_their_schema(spell: Any) -> None:
    sample = spell.call("json.generate_from_schema", SCHEMA)
    assert sample == {
        "name": "user@example.org", "age": 18, "kind": "a", "tags": ["textxx", "textxx"], "flag": False, "any": 5,
        "all": {"x": 0, "y": None}, "example": "e",
    }  # fmt: skip
    assert spell.call("data.validate", sample, SCHEMA)["errors"] == []
    assert spell.call("json.infer_schema", [1]) == {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#"}, {"$ref": "http://x"}, {"$ref": "#/nowhere"}, {"properties": {"a": {"$ref": "#"}}}],
)
def test_schemas_without_end_have_no_sample(spell: Any, schema: Any) -> None:
    assert spell.fails("json.generate_from_schema", schema).code == "invalid_schema"


def test_prompts_ask_for_json(spell: Any) -> None:
    prompt = spell.call("json.enhance_prompt", "Who?", {"type": "string"}, {"example": True})
    assert prompt.startswith("Who?\n\nAnswer with JSON only")
    assert '"type": "string"' in prompt
    assert prompt.endswith('For example:\n\n"text"')


def test_answers_are_mended(spell: Any) -> None:
    assert spell.call("json.parse_structured", "Well: {'a': 1}", {"required": ["a"]}) == {"a": 1}
    assert spell.fails("json.parse_structured", '{"b": 1}', {"required": ["a"]}).code == "invalid_data"
    assert spell.call("json.parse_with_recovery", "Well: {'a': 1,}") == '{"a":1}'
    assert spell.call("util.json_extract_structured_data", 'x {"a": 1}') == {"a": 1}
    assert spell.fails("util.json_extract_structured_data", '{"b": 1}', {"required": ["a"]}).code == "invalid_data"


def test_json_converts_merges_and_compares(spell: Any) -> None:
    assert spell.call("json.convert_format", "a: [1, x]", "yaml", "json") == '{"a":[1,"x"]}'
    assert spell.call("json.merge", [{"a": {"x": 1}}, {"a": {"y": 2}}]) == {"a": {"x": 1, "y": 2}}
    assert spell.call("json.diff", {"a": 1}, {"a": 2})["modified"] == {"a": {"old": 1, "new": 2}}


def test_texts(spell: Any) -> None:
    assert spell.call("util.truncate_string", "a long text", 6) == "a l..."
    assert spell.call("util.sanitize_string", "a\x00<b>\x1b ok.") == "ab ok."
    assert spell.call("util.sanitize_string", "abcabc", "ab") == "abab"
    for name in ("util.hash_string", "util.general_hash"):
        assert spell.call(name, "abc").startswith("ba7816bf")
    ids = {spell.call(name) for name in ("util.generate_uuid", "util.general_uuid", "util.general_generate_uuid")}
    assert len(ids) == 3
    assert spell.call("util.url_encode", "a b/ü?") == "a%20b%2F%C3%BC%3F"
    assert spell.call("util.url_decode", "a%20b%2F%C3%BC%3F") == "a b/ü?"
    assert spell.call("util.general_encode", "ü") == "w7w="
    assert spell.call("util.general_decode", "w7w=") == "ü"
    for name in ("util.dump", "util.debug_dump"):
        assert (
            spell.call(name, {"f": spell.fn(lambda: 1), "b": b"1"})
            == '{\n  "f": "<ScriptFunction>",\n  "b": "<1 bytes>"\n}'
        )


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://example.org/a?b=c", True), ("http://[::1]:8080/", True), ("ftp://x", False), ("example.org", False),
        ("http://", False), ("http://a b/", False), ("http://x:99999/", False), ("http://[::1/", False), ("", False),
    ],
)  # fmt: skip
def test_urls_are_recognized(spell: Any, url: str, valid: bool) -> None:
    assert spell.call("util.validate_url", url) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [("ann@example.org", True), ("a.b+c@x.co", True), ("ann@", False), ("a b@x.org", False), ("@x.org", False)],
)
def test_addresses_are_recognized(spell: Any, text: str, valid: bool) -> None:
    assert spell.call("util.validate_email", text) is valid


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("1.5s", 1500), ("1h30m", 5_400_000), ("2 days, 3 hours", 183_600_000), ("1 week", 604_800_000)],
)
def test_durations_are_read(spell: Any, text: str, milliseconds: float) -> None:
    assert spell.call("util.parse_human_duration", text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "x", "1h foo", "-1h", "1y", "1hh"])
def test_durations_that_are_none_are_told(spell: Any, text: str) -> None:
    assert spell.fails("util.parse_human_duration", text).code == "invalid_duration"


def test_durations_are_written(spell: Any) -> None:
    assert [spell.call("util.format_duration", ms) for ms in (0, 250, 90_000, -90_000_000)] == [
        "0ms", "250ms", "1m30s", "-1d1h",
    ]  # fmt: skip
    assert spell.fails("util.format_duration", float("inf")).code == "invalid_duration"


def test_sleeping_is_in_milliseconds(spell: Any) -> None:
    spell.call("util.sleep", 1)
    spell.call("util.general_sleep", 1)
    assert spell.fails("util.sleep", -1).code == "invalid_argument"


def test_errors_under_other_names(spell: Any) -> None:
    error = {"code": "timeout", "message": "late"}
    assert spell.call("util.is_retryable_error", error) is True
    assert spell.call("util.wrap_error", error, "outer")["cause"] == error
    assert spell.call("util.error_to_string", error) == "timeout: late"
    assert spell.call("util.errors_create_error", "no", "BAD")["code"] == "BAD"
    for name in ("util.errors_wrap", "util.errors_wrap_error"):
        assert spell.call(name, error, "outer")["message"] == "outer"
    assert spell.call("util.errors_unwrap", {"cause": error}) == error
    assert spell.call("util.errors_aggregate_errors", [error])["code"] == "AGGREGATE_ERROR"
    assert spell.call("util.errors_categorize_error", error) == "network"
    assert spell.call("util.errors_is_type", error, "timeout") is True


def test_categories_are_shared_with_errors(spell: Any) -> None:
    spell.call("errors.register_category", "mine", None, {"codes": ["late"], "retryable": True})
    assert spell.call("util.is_retryable_error", {"code": "late", "message": ""}) is True


def test_retrying(spell: Any, raised: Any) -> None:
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        if len(calls) % 3:
            raise raised("no")
        return "done"

    config = spell.call("util.create_retry_config", 2, 1, 10, 1)
    assert config == {"max_retries": 2, "multiplier": 1, "max_delay": 10, "initial_delay": 1}
    assert spell.call("util.retry_with_backoff", spell.fn(work), config) == "done"
    assert spell.call("util.retry_with_backoff", spell.fn(work), 2, 1) == "done"
    assert spell.call("util.general_retry", spell.fn(work), 3, 1) == "done"
    assert spell.fails("util.retry_with_backoff", spell.fn(work), 1, 1).message == "no (after 2 attempts)"
    assert spell.fails("util.retry_with_backoff", spell.fn(work), {"max_retries": "x"}).code == "invalid_argument"


def test_logging_under_other_names(spell: Any) -> None:
    spell.call("util.logger_set_log_level", 3)
    for name in ("logger_debug", "logger_info", "logger_warn", "logger_error", "slog_info", "slog_warn", "slog_error"):
        spell.call(f"util.{name}", name)
    spell.call("util.slog_debug", "slog_debug", {"n": 1})
    spell.call("util.logger_log", "warning", "named")
    spell.call((spell.call("util.logger_create_logger", "x", "debug"), "info"), "own")
    spell.call((spell.call("util.slog_with_fields", {"f": 1}), "info"), "fields")
    entries = spell.call("log.search")
    assert [entry["message"] for entry in entries][-4:] == ["slog_debug", "named", "own", "fields"]
    assert len(entries) == 11
    assert entries[-1]["attributes"] == {"f": 1}
    assert spell.fails("util.logger_set_log_level", "loud").code == "invalid_argument"


def test_debugging_under_other_names(spell: Any) -> None:
    spell.call("util.debug_set_level", "db", "debug")
    spell.call("utils.debug_log", "db", "query", {"sql": "x"})
    spell.call("util.debug_log", "db", "plain", 5)
    spell.call("util.debug_set_level", "db", "error")
    spell.call("util.debug_log", "db", "dropped")
    assert [(e["message"], e["attributes"]) for e in spell.call("log.search")] == [
        ("query", {"sql": "x"}),
        ("plain", {"data": 5}),
    ]
    assert spell.call("util.debug_get_config")["components"] == {"db": False}
    assert spell.call("util.debug_profile", "work", spell.fn(lambda: 7)) == 7
    assert spell.call("util.debug_assert", 1) == 1
    assert spell.fails("util.debug_assert", False, "no").code == "assertion"


def test_passwords_under_other_names(spell: Any) -> None:
    hashed = spell.call("util.auth_hash_password", "hunter22")
    assert spell.call("util.auth_verify_password", "hunter22", hashed) is True
    assert len(spell.call("util.auth_generate_token")) == 32
