"""The tools for data."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from llmspell.errors import BridgeError
from llmspell.plugin import Bridge
from llmspell_std.data import formats
from llmspell_toolbox.data import csvs, jsons, xmls
from llmspell_toolbox.declare import tool
from llmspell_toolbox.patience import patient

_Reading = Literal["json", "yaml", "toml", "csv", "xml"]
_Writing = Literal["json", "yaml", "csv", "xml"]
_PEOPLE = "name,age\nAda,36\nBob,20\n"
_BOOKS = "<books><book id='1'><title>Bees</title></book><book id='2'><title>Ants</title></book></books>"


class Result(TypedDict):
    """What came of an operation; for ``validate`` whether it is valid, and what is wrong."""

    result: Any
    valid: NotRequired[bool]
    errors: NotRequired[list[dict[str, Any]]]


class DataTools(Bridge):
    """Tools for JSON, CSV, XML and conversions between formats."""

    @tool(
        category="data",
        tags=("json", "jsonpath"),
        examples=(
            {
                "description": "What a JSONPath selects",
                "parameters": {"data": '{"a": [{"n": 1}, {"n": 2}]}', "operation": "get", "path": "$.a[*].n"},
                "result": {"result": [1, 2]},
            },
            {
                "description": "Set a value",
                "parameters": {"data": {"a": {"b": 1}}, "operation": "set", "path": "a.b", "value": 2},
                "result": {"result": {"a": {"b": 2}}},
            },
            {
                "description": "Reshape each item",
                "parameters": {
                    "data": [{"user": {"name": "Ada"}}],
                    "operation": "transform",
                    "value": {"who": "user.name"},
                },
                "result": {"result": [{"who": "Ada"}]},
            },
        ),
        constraints=("JSONPath as in RFC 9535, without match() and search()",),
    )
    def json_process(
        self,
        data: Any,
        operation: Literal["get", "set", "delete", "transform", "validate"],
        *,
        path: str | None = None,
        value: Any = None,
    ) -> Result:
        """Read, change, reshape or check JSON.

        Args:
            data: A JSON text, or a value.
            operation: get, set, delete, transform or validate.
            path: A JSONPath such as $.users[*].name (get), or a dotted path such as users.0.name.
            value: What to set; for transform a table of paths by name; for validate a JSON Schema.
        """
        with patient("working on the JSON"):
            given = jsons.value_of(data)
            match operation:
                case "get":
                    return {"result": jsons.get(given, path)}
                case "set":
                    return {"result": jsons.changed(given, path, value)}
                case "delete":
                    return {"result": jsons.changed(given, path, None, remove=True)}
                case "transform":
                    return {"result": jsons.reshaped(given, value)}
                case "validate":
                    found = jsons.problems(given, value)
                    return {"result": given, "valid": not found, "errors": list(found)}

    @tool(
        category="data",
        tags=("csv", "table"),
        examples=(
            {
                "description": "Rows as tables, numbers as numbers",
                "parameters": {"data": _PEOPLE, "operation": "parse"},
                "result": {"result": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 20}]},
            },
            {
                "description": "The rows that meet a condition",
                "parameters": {"data": _PEOPLE, "operation": "filter", "where": {"age": {"gt": 30}}},
                "result": {"result": [{"name": "Ada", "age": 36}]},
            },
            {
                "description": "One column summed up",
                "parameters": {"data": _PEOPLE, "operation": "aggregate", "aggregates": {"age": "mean"}},
                "result": {"result": [{"age_mean": 28.0}]},
            },
        ),
    )
    def csv_process(
        self,
        data: str | list[dict[str, Any]],
        operation: Literal["parse", "filter", "transform", "aggregate", "convert"],
        *,
        headers: bool | list[str] = True,
        delimiter: str = ",",
        where: dict[str, Any] | None = None,
        columns: list[str] | None = None,
        rename: dict[str, str] | None = None,
        sort_by: str | None = None,
        group_by: list[str] | None = None,
        aggregates: dict[str, str] | None = None,
        to_format: _Writing = "json",
    ) -> Result:
        """Read, filter, reshape, sum up or convert CSV.

        Args:
            data: A CSV text, or a list of tables.
            operation: parse, filter, transform (columns, rename, sort_by), aggregate or convert (to_format).
            headers: Whether the first line names the columns, or their names.
            delimiter: One character.
            where: Conditions by column: a value, or eq, ne, gt, gte, lt, lte, contains, starts_with, ends_with, in.
            columns: Which to keep, in order.
            rename: New names by column.
            sort_by: A column; with - before it from the largest on.
            group_by: Columns whose values make a group.
            aggregates: sum, mean, min, max, median or count by column.
            to_format: json, yaml, csv or xml.
        """
        with patient("working on the CSV"):
            rows = csvs.typed(csvs.rows(data, headers, delimiter))
            if where:
                rows = csvs.kept(rows, where)
            match operation:
                case "transform":
                    rows = csvs.reshaped(rows, columns, rename or {}, sort_by)
                case "aggregate":
                    rows = csvs.summed(rows, group_by or [], aggregates or {})
                case "convert":
                    if to_format == "csv":
                        return {"result": csvs.written(rows, delimiter)}
                    shaped: Any = {"rows": {"row": rows}} if to_format == "xml" else rows
                    return {"result": formats.write(shaped, to_format)}
            return {"result": rows}

    @tool(
        category="data",
        tags=("xml", "xpath"),
        examples=(
            {
                "description": "The elements that a path selects",
                "parameters": {"data": _BOOKS, "operation": "query", "xpath": "book[@id='2']/title"},
                "result": {"result": [{"tag": "title", "text": "Ants", "attributes": {}}]},
            },
            {
                "description": "Elements as records",
                "parameters": {
                    "data": _BOOKS,
                    "operation": "transform",
                    "xpath": "book",
                    "mapping": {"id": "@id", "title": "title"},
                },
                "result": {"result": [{"id": "1", "title": "Bees"}, {"id": "2", "title": "Ants"}]},
            },
        ),
        constraints=("document types and entities are refused",),
    )
    def xml_process(
        self,
        data: str,
        operation: Literal["parse", "query", "transform", "validate"],
        *,
        xpath: str | None = None,
        namespaces: dict[str, str] | None = None,
        mapping: dict[str, str] | None = None,
    ) -> Result:
        """Read, query or reshape XML, or check that it is well-formed.

        Args:
            data: An XML text.
            operation: parse, query, transform or validate.
            xpath: The elements meant, in the XPath of Python's ElementTree, such as .//book[@id='2'].
            namespaces: Addresses by prefix, for xpath.
            mapping: For transform: a path below each element, or @attribute, by name.
        """
        with patient("working on the XML"):
            spaces = namespaces or {}
            if operation == "validate":
                try:
                    xmls.parsed(data)
                except BridgeError as error:
                    if error.code != "invalid_xml":
                        raise
                    found = {"message": error.message, **(error.details or {})}
                    return {"result": None, "valid": False, "errors": [found]}
                return {"result": None, "valid": True, "errors": []}
            if operation == "parse":
                return {"result": xmls.table(data)}
            root = xmls.parsed(data)
            elements = xmls.selected(root, xpath, spaces) if xpath else [root]
            if operation == "query":
                return {"result": [xmls.element(found) for found in elements]}
            if not mapping:
                raise BridgeError("transform needs a mapping of names to paths", code="invalid_argument")
            return {"result": [xmls.record(found, mapping, spaces) for found in elements]}

    @tool(
        category="data",
        tags=("convert", "json", "yaml", "toml", "csv", "xml"),
        examples=(
            {
                "description": "YAML to JSON",
                "parameters": {"data": "a: [1, 2]", "from_format": "yaml", "to_format": "json"},
                "result": {"result": '{"a":[1,2]}'},
            },
        ),
    )
    def data_transform(
        self, data: str, from_format: _Reading, to_format: _Writing, *, options: dict[str, Any] | None = None
    ) -> Result:
        """Convert data from one format to another.

        Args:
            data: A text in from_format.
            from_format: json, yaml, toml, csv or xml.
            to_format: json, yaml, csv or xml.
            options: pretty (true or false), for JSON.
        """
        if unknown := sorted(set(options or {}) - {"pretty"}):
            raise BridgeError(f"there is no option {unknown[0]!r}; there is pretty", code="invalid_argument")
        with patient("converting"):
            value = formats.read(data, from_format)
            return {"result": formats.write(value, to_format, pretty=bool((options or {}).get("pretty")))}
