"""The structured bridge: schemas made, compared, kept, and checked against data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from llmspell import Policy
from llmspell.errors import BridgeCallError
from llmspell_llm.structured import (
    Schema,
    SchemaError,
    SchemaRegistry,
    diff_schemas,
    expand,
    infer_schema,
    merge_schemas,
)

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}


# Making


def test_a_short_description_is_expanded(spells: Any) -> None:
    made = spells.call(
        "structured.create_schema", {"name": "string", "age": "int?", "tags": "string[]", "kind": ["a", "b"]}
    )
    assert {**made, "required": sorted(made["required"])} == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "kind": {"enum": ["a", "b"]},
        },
        "required": ["kind", "name", "tags"],
    }


@pytest.mark.parametrize(
    ("given", "expanded"),
    [
        ("text", {"type": "string"}),
        ("number[][]", {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
        ({"type": "string", "minLength": 2}, {"type": "string", "minLength": 2}),
        ({"properties": {}}, {"properties": {}}),
        ({"type": "string", "name": "string"}, None),
        ({}, {}),
    ],
)
def test_a_json_schema_is_told_from_a_description(given: Any, expanded: Any) -> None:
    if expanded is None:
        assert expand(given)["properties"] == {"type": {"type": "string"}, "name": {"type": "string"}}
    else:
        assert expand(given) == expanded


@pytest.mark.parametrize("given", ["nope", [], 3, {"a": "nope"}, {"type": "object", "required": "x", "properties": {}}])
def test_what_describes_nothing_is_refused(spells: Any, given: Any) -> None:
    with pytest.raises(BridgeCallError):
        spells.call("structured.create_schema", given)


def test_a_property_is_made_of_type_and_constraints(spells: Any) -> None:
    assert spells.call("structured.create_property", "string", {"minLength": 2}) == {"type": "string", "minLength": 2}
    with pytest.raises(BridgeCallError, match="no JSON Schema"):
        spells.call("structured.create_property", "string", {"minLength": "x"})


def test_a_schema_is_inferred_from_examples(spells: Any) -> None:
    one, many = spells.calls(
        ("structured.infer", {"n": 1, "tags": ["a"], "on": True, "x": {"y": 1.5}}),
        ("structured.infer", [{"a": 1}, {"a": 2.5, "b": "x"}], {"many": True}),
    )
    assert one["properties"]["x"] == {"type": "object", "properties": {"y": {"type": "number"}}, "required": ["y"]}
    assert many == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "string"}},
        "required": ["a"],
    }


@pytest.mark.parametrize("value", [1, "x", None, [1, "x", None], {"a": [{"b": 1}, {"c": 2}]}, [], {}, [[1], ["x"]]])
def test_what_a_schema_was_inferred_from_fits_it(value: Any) -> None:
    from llmspell_llm.structured import Schema

    assert Schema(infer_schema([value])).problems(value) == []


def test_schemas_are_written_and_read(spells: Any) -> None:
    text, back, yaml, openapi = spells.calls(
        ("structured.to_json_schema", PERSON),
        ("structured.from_json_schema", json.dumps(PERSON)),
        ("structured.convert_format", json.dumps(PERSON), "json", "yaml"),
        ("structured.convert_format", json.dumps(PERSON), "json", "openapi"),
    )
    assert json.loads(text)["properties"] == PERSON["properties"]
    assert back == PERSON
    assert "age:\n    type: integer" in yaml
    assert json.loads(openapi) == PERSON
    assert spells.call("structured.import_from_string", yaml, "yaml") == PERSON


def test_openapi_says_null_its_own_way(spells: Any) -> None:
    there = spells.call(
        "structured.to_openapi",
        {"type": "object", "properties": {"a": {"type": ["string", "null"], "examples": ["x"]}}},
    )
    assert there["properties"]["a"] == {"type": "string", "nullable": True, "example": "x"}
    back = spells.call("structured.from_openapi", there)
    assert back["properties"]["a"] == {"type": ["string", "null"], "examples": ["x"]}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("{", "json"), ("a: [", "yaml"), ("[1]", "json"), ("{}", "toml"), ("!!python/object:os.system {}", "yaml")],
)
def test_what_cannot_be_read_is_said_so(spells: Any, text: str, kind: str) -> None:
    with pytest.raises(BridgeCallError):
        spells.call("structured.import_from_string", text, kind)


def test_a_schema_is_read_from_a_granted_file_only(spells: Any, tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    path.write_text(json.dumps(PERSON))
    spells.policy = Policy.standard().narrow(time=60).grant(read={str(path)})
    assert spells.call("structured.import_from_file", str(path)) == PERSON
    spells.policy = Policy.standard().narrow(time=60)
    with pytest.raises(BridgeCallError, match="grant"):
        spells.call("structured.import_from_file", str(path))


def test_schemas_are_merged(spells: Any) -> None:
    other = {
        "type": "object",
        "properties": {"age": {"type": "number"}, "city": {"type": "string"}},
        "required": ["name", "city"],
    }
    every, later, either, both = spells.calls(
        ("structured.merge_schemas", [PERSON, other]),
        ("structured.merge_schemas", [PERSON, other], "override"),
        ("structured.merge_schemas", [PERSON, other], "any_of"),
        ("structured.merge_schemas", [PERSON, other], "intersection"),
    )
    assert set(every["properties"]) == {"name", "age", "city"}
    assert every["required"] == ["name"]
    assert later["required"] == ["name", "city"]
    assert (len(either["anyOf"]), len(both["allOf"])) == (2, 2)


@pytest.mark.parametrize(
    ("schemas", "strategy"),
    [([PERSON], "merge_all"), ([PERSON, PERSON], "nope"), ([PERSON, {"type": "string"}], "merge_all"),
     ([PERSON, {"type": "object", "properties": {"age": {"type": "string"}}}], "merge_all")],
)  # fmt: skip
def test_what_cannot_be_merged_is_said_so(schemas: list[Any], strategy: str) -> None:
    with pytest.raises(SchemaError):
        merge_schemas(schemas, strategy)


def test_a_difference_says_what_breaks(spells: Any) -> None:
    new = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 5}, "city": {"type": "string"}},
        "required": ["name", "city"],
    }
    told = spells.call("structured.diff_schemas", PERSON, new)
    assert (told["added"], told["removed"]) == (["$.city"], ["$.age"])
    assert told["changed"] == {"$.name": {"maxLength": {"old": None, "new": 5}}}
    assert told["breaking"] == ["$.name changed maxLength", "$.city is required now"]
    assert told["compatible"] is False
    assert diff_schemas(PERSON, {**PERSON, "description": "x"})["compatible"] is True


# Checking


def test_data_is_checked_with_paths(spells: Any) -> None:
    good, bad, described = spells.calls(
        ("structured.validate", PERSON, {"name": "Ann", "age": 3}),
        ("structured.validate", PERSON, {"age": "x"}),
        ("structured.validate", {"n": "integer"}, {"n": 1.5}),
    )
    assert good["valid"] is True
    assert not good["errors"]
    assert {error["path"] for error in bad["errors"]} == {"$", "$.age"}
    assert described["errors"][0]["path"] == "$.n"


def test_partial_data_may_lack_things_at_any_depth(spells: Any) -> None:
    nested = {"type": "object", "properties": {"who": PERSON}, "required": ["who"]}
    whole, partial, wrong = spells.calls(
        ("structured.validate", nested, {"who": {"age": 3}}),
        ("structured.validate", nested, {"who": {"age": 3}}, {"partial": True}),
        ("structured.validate", nested, {"who": {"age": "x"}}, {"partial": True}),
    )
    assert (whole["valid"], partial["valid"], wrong["valid"]) == (False, True, False)


def test_a_property_named_required_is_not_lost_in_partial_data(spells: Any) -> None:
    schema = {"type": "object", "properties": {"required": {"type": "integer"}}, "required": ["required"]}
    told = spells.call("structured.validate", schema, {"required": "x"}, {"partial": True})
    assert told["errors"][0]["path"] == "$.required"


def test_json_texts_are_checked(spells: Any) -> None:
    good, broken, mended = spells.calls(
        ("structured.validate_json", PERSON, '{"name": "Ann"}'),
        ("structured.validate_json", PERSON, "Here: {'name': 'Ann'"),
        ("structured.validate_json", PERSON, "Here: {'name': 'Ann'", {"repair": True}),
    )
    assert (good["valid"], good["data"]) == (True, {"name": "Ann"})
    assert (broken["valid"], broken["errors"][0]["message"]) == (False, "this is not JSON")
    assert (mended["valid"], mended["data"]) == (True, {"name": "Ann"})


def test_many_values_are_checked_at_once(spells: Any) -> None:
    told = spells.call("structured.validate_batch", PERSON, [{"name": "a"}, {}, {"name": 3}])
    assert [(entry["index"], entry["valid"]) for entry in told] == [(1, True), (2, False), (3, False)]


def test_checks_of_the_script_are_really_called(spells: Any) -> None:
    value = spells.value(
        lua="""structured.register_validator("even", function(d) return d.n % 2 == 0 or "n is odd" end)
            structured.register_validator("small", function(d) return d.n < 10 end)
            structured.register_validator("deep", function(d) return {{path = "$.n", message = "no"}} end)
            local names = structured.list_validators()
            return {names, structured.validate_custom({n = 3}, "even"), structured.validate_custom({n = 2}, "even"),
                structured.validate_custom({n = 30}, "small"), structured.validate_custom({n = 1}, "deep"),
                structured.validate_async({n = "integer"}, {n = 31}, {validators = {"even", "small"}}),
                structured.unregister_validator("even"), structured.unregister_validator("even")}""",
        javascript="""structured.registerValidator("even", d => d.n % 2 === 0 ? true : "n is odd");
            structured.registerValidator("small", d => d.n < 10);
            structured.registerValidator("deep", d => [{path: "$.n", message: "no"}]);
            const names = structured.listValidators();
            const ask = (d, name) => structured.validateCustom(d, name);
            return [names, await ask({n: 3}, "even"), await ask({n: 2}, "even"),
                await ask({n: 30}, "small"), await ask({n: 1}, "deep"),
                await structured.validateAsync({n: "integer"}, {n: 31}, {validators: ["even", "small"]}),
                structured.unregisterValidator("even"), structured.unregisterValidator("even")]""",
    )
    names, odd, even, large, deep, both, gone, again = value
    assert names == ["deep", "even", "small"]
    assert (odd["errors"][0]["message"], even["valid"]) == ("n is odd", True)
    assert large["errors"][0]["message"] == "refused by 'small'"
    assert deep["errors"] == [{"path": "$.n", "message": "no"}]
    assert [error["message"] for error in both["errors"]] == ["n is odd", "refused by 'small'"]
    assert (gone, again) == (True, False)


def test_a_check_may_depend_on_the_data(spells: Any) -> None:
    value = spells.value(
        lua="""structured.register_conditional_validator("adult", function(d) return d.age >= 18 end,
                {licence = "string"}, function(d) return d.licence == nil end)
            return {structured.validate_conditional({age = 20}, "adult").valid,
                structured.validate_conditional({age = 20, licence = "x"}, "adult").valid,
                structured.validate_conditional({age = 10}, "adult").valid,
                structured.validate_conditional({age = 10, licence = "x"}, "adult").valid}""",
        javascript="""structured.registerConditionalValidator("adult", d => d.age >= 18,
                {licence: "string"}, d => d.licence === undefined);
            const ask = async d => (await structured.validateConditional(d, "adult")).valid;
            return [await ask({age: 20}), await ask({age: 20, licence: "x"}), await ask({age: 10}),
                await ask({age: 10, licence: "x"})]""",
    )
    assert value == [False, True, True, False]


def test_an_unknown_check_is_said_so(spells: Any) -> None:
    for name in ("validate_custom", "validate_conditional"):
        with pytest.raises(BridgeCallError, match="nope"):
            spells.call(f"structured.{name}", {}, "nope")


def test_checks_are_counted(spells: Any) -> None:
    *_, told = spells.calls(
        ("structured.validate", PERSON, {}), ("structured.validate", PERSON, {"name": "x"}), ("structured.get_metrics",)
    )
    assert (told["total_validations"], told["successful_validations"], told["failed_validations"]) == (2, 1, 1)


# Keeping


def test_schemas_are_kept_by_name_and_version(spells: Any) -> None:
    one, two, ten, names, current, old, versions, _, chosen = spells.calls(
        ("structured.save_schema", "person", PERSON),
        ("structured.save_schema", "person", {"name": "string"}),
        ("structured.save_version", "person", {"name": "integer"}, 10),
        ("structured.list_schemas",),
        ("structured.get_schema", "person"),
        ("structured.get_version", "person", 1),
        ("structured.list_versions", "person"),
        ("structured.set_current_version", "person", 2),
        ("structured.get_schema", "person"),
    )
    assert (one, two, ten, names) == (1, 2, 10, ["person"])
    assert current["properties"]["name"] == {"type": "integer"}
    assert old == PERSON
    assert versions == [
        {"version": 1, "current": False},
        {"version": 2, "current": False},
        {"version": 10, "current": True},
    ]
    assert chosen["properties"]["name"] == {"type": "string"}


@pytest.mark.parametrize(
    ("name", "args"),
    [("get_schema", ["nope"]), ("get_version", ["nope", 1]), ("delete_schema", ["nope"]), ("list_versions", ["nope"]),
     ("save_schema", ["../x", {}]), ("save_version", ["x", {}, 0]), ("set_current_version", ["nope", 1])],
)  # fmt: skip
def test_what_is_not_there_or_cannot_be_is_said_so(spells: Any, name: str, args: list[Any]) -> None:
    with pytest.raises(BridgeCallError):
        spells.call(f"structured.{name}", *args)


def test_a_deleted_schema_is_gone(spells: Any) -> None:
    *_, names = spells.calls(
        ("structured.save_schema", "x", {}), ("structured.delete_schema", "x"), ("structured.list_schemas",)
    )
    assert not names


def test_data_is_brought_to_a_new_version_by_the_scripts_functions(spells: Any) -> None:
    value = spells.value(
        lua="""structured.save_schema("p", {full = "string"})
            structured.save_schema("p", {first = "string", last = "string"})
            structured.save_schema("p", {first = "string", last = "string", initials = "string"})
            structured.register_migrator("p", 1, 2, function(d)
                local first, last = d.full:match("(%S+) (%S+)") return {first = first, last = last} end)
            structured.register_migrator("p", 2, 3, function(d)
                d.initials = d.first:sub(1, 1) .. d.last:sub(1, 1) return d end)
            return structured.migrate("p", {full = "Ann Lee"}, 1, 3)""",
        javascript="""structured.saveSchema("p", {full: "string"});
            structured.saveSchema("p", {first: "string", last: "string"});
            structured.saveSchema("p", {first: "string", last: "string", initials: "string"});
            structured.registerMigrator("p", 1, 2, d => {
                const [first, last] = d.full.split(" "); return {first, last} });
            structured.registerMigrator("p", 2, 3, d => ({...d, initials: d.first[0] + d.last[0]}));
            return await structured.migrate("p", {full: "Ann Lee"}, 1, 3)""",
    )
    assert value == {"first": "Ann", "last": "Lee", "initials": "AL"}


def test_without_a_migrator_defaults_are_filled_in_or_the_misfit_is_said(spells: Any) -> None:
    newer = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "unit": {"type": "string", "default": "cm"}},
        "required": ["unit"],
    }
    *_, data = spells.calls(
        ("structured.save_schema", "m", {"n": "integer"}),
        ("structured.save_schema", "m", newer),
        ("structured.migrate", "m", {"n": 3}, 1, 2),
    )
    assert data == {"n": 3, "unit": "cm"}
    with pytest.raises(BridgeCallError, match="register a migrator"):
        spells.calls(
            ("structured.save_schema", "m", {"n": "integer"}),
            ("structured.save_schema", "m", {"n": "string"}),
            ("structured.migrate", "m", {"n": 3}, 1, 2),
        )


def test_a_repository_is_exported_and_imported(spells: Any) -> None:
    *_, exported = spells.calls(("structured.save_schema", "a", PERSON), ("structured.export_repository",))
    names, schema, kept = spells.calls(
        ("structured.import_repository", exported),
        ("structured.get_schema", "a"),
        ("structured.import_repository", exported, {"overwrite": False}),
    )
    assert (names, schema) == (["a"], PERSON)
    assert not kept
    with pytest.raises(BridgeCallError, match="no export of schemas"):
        spells.call("structured.import_repository", {"a": 1})


def test_half_an_import_is_none() -> None:
    registry = SchemaRegistry()
    with pytest.raises(SchemaError):
        registry.load(
            {"format": "llmspell-schemas", "schemas": {"a": {"versions": {"1": {}}}, "b": {"versions": {"x": {}}}}}
        )
    assert registry.names == []


def test_a_repository_on_disk_outlives_the_session(spells: Any, tmp_path: Path) -> None:
    place = str(tmp_path / "schemas")
    spells.policy = Policy.standard().narrow(time=60).grant(read={place}, write={place})
    spells.calls(
        ("structured.init_repository", place),
        ("structured.save_schema", "a", PERSON),
        ("structured.save_schema", "b", {"x": "string"}),
        ("structured.delete_schema", "b"),
    )
    assert sorted(path.name for path in Path(place).iterdir()) == ["a.json"]
    names, schema = spells.calls(("structured.init_repository", place), ("structured.get_schema", "a"))
    assert (names, schema) == (["a"], PERSON)


def test_a_host_gives_scripts_its_own_types_as_schemas(spells: Any) -> None:
    class Person(BaseModel):
        name: str
        age: int = Field(ge=0)

    spells.config = {
        **spells.config,
        "bridges": {"structured": {"schemas": {"person": Person, "tags": list[str], "plain": {"type": "integer"}}}},
    }
    told = spells.calls(
        ("structured.validate", "person", {"name": "Ann", "age": -1}),
        ("structured.validate", "tags", ["a", "b"]),
        ("structured.validate", "plain", 3),
        ("structured.get_schema", "person"),
    )
    assert told[0]["errors"][0]["path"] == "$.age"
    assert (told[1]["valid"], told[2]["valid"]) == (True, True)
    assert told[3]["required"] == ["name", "age"]


def test_a_type_that_has_no_schema_is_refused() -> None:
    with pytest.raises(SchemaError, match="there is no schema for"):
        Schema.of_type(Callable[[], None])


def test_yaml_that_stands_for_more_than_it_says_is_refused(spells: Any) -> None:
    with pytest.raises(BridgeCallError, match="aliases"):
        spells.call("structured.import_from_string", "a: &a [1]\nb: *a", "yaml")
