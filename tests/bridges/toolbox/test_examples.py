"""Every built-in tool is found, described, and does what its examples say, in every language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from llmspell import Policy
from llmspell.bridge import exports_of
from llmspell_llm.structured import Schema
from llmspell_llm.tools.derived import input_of, output_of, promises
from llmspell_toolbox import sources
from llmspell_toolbox.bridge import MachineBridge, ToolboxBridge
from llmspell_toolbox.declare import tools_of

KINDS = (ToolboxBridge, MachineBridge)
TOOLS = {name: (kind, category, details) for kind in KINDS for name, category, details in tools_of(kind)}
BUILT_IN = {
    "file": {"file_read", "file_write", "file_list", "file_search", "file_move", "file_delete"},
    "web": {"http_request", "web_fetch", "web_scrape", "web_search", "api_client"},
    "system": {"get_system_info", "execute_command", "get_environment_variable", "process_list"},
    "math": {"calculator"},
    "datetime": {
        "datetime_now", "datetime_parse", "datetime_format", "datetime_calculate", "datetime_compare",
        "datetime_convert", "datetime_info",
    },
    "data": {"json_process", "csv_process", "xml_process", "data_transform"},
    "feed": {"feed_fetch", "feed_filter", "feed_aggregate", "feed_extract", "feed_discover", "feed_convert"},
}  # fmt: skip
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{example['description'].replace(' ', '-')}")
    for name in sorted(TOOLS)
    for example in TOOLS[name][2]["examples"]
]


def furnish(site: Any, tmp_path: Path) -> None:
    """Put on the site and in the directory what the examples speak of."""
    site.put(
        "/", '<title>Bees</title><link rel="alternate" type="application/rss+xml" href="/feed"><p>Buzz <b>buzz</b>'
    )
    site.put("/news", '<article><h2>One</h2><a href="/1">x</a></article>')
    site.put("/items", "{}", "application/json")
    site.put("/v1/items/7", '{"id": 7}', "application/json")
    site.put("/graphql", '{"data": {"items": [{"name": "bee"}]}}', "application/json")
    site.put(
        "/search", '{"results": [{"title": "Bees", "url": "https://example.org/", "content": "x"}]}', "application/json"
    )
    site.put(
        "/feed",
        "<rss version='2.0'><channel><title>Bees</title><item><title>1</title></item></channel></rss>",
        "text/xml",
    )
    for name in ("notes.txt", "draft.txt", "old.txt"):
        (tmp_path / name).write_text("hello")


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_gives_what_it_says(
    every: Any,
    site: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    name: str,
    example: dict[str, Any],
) -> None:
    furnish(site, tmp_path)
    monkeypatch.chdir(tmp_path)
    policy = Policy.standard().grant(
        bridges={"machine"}, read={str(tmp_path)}, write={str(tmp_path)}, net={site.host}, env={"LANG"},
        subprocess="echo",
    )  # fmt: skip
    here = json.loads(re.sub(r"https://(api\.)?example\.org", site.address, json.dumps(example)))
    given = here["parameters"]
    if name == "web_scrape":
        given["rate_limit"] = 0
    if name == "web_search":
        every = request.getfixturevalue("searching")(every.language, f"{site.address}/search")
    every.policy = policy
    result = every.run(name, **given)
    if "result" in here:
        assert result == here["result"]
    if name == "execute_command":
        assert result["stdout"] == "hello\n"


def test_the_built_in_tools_are_all_there() -> None:
    by_category: dict[str, set[str]] = {}
    for name, (_, category, _) in TOOLS.items():
        by_category.setdefault(category, set()).add(name)
    assert by_category == BUILT_IN
    assert sum(map(len, BUILT_IN.values())) == 33


def test_every_tool_comes_from_one_source() -> None:
    found = [value for value in vars(sources).values() if type(value).__name__ == "ToolSource"]
    assert sorted(name for source in found for name in source.exports) == sorted(TOOLS)


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_tool_tells_all_about_itself(name: str) -> None:
    kind, category, details = TOOLS[name]
    export = exports_of(kind)[name]
    schema = input_of(export)
    assert [key for key, part in schema["properties"].items() if not part.get("description")] == []
    assert promises(export.signature.returns)
    assert Schema(output_of(export.signature.returns)).is_object
    assert details["examples"]
    assert category in details["tags"]
    for example in details["examples"]:
        assert Schema(schema).problems(example["parameters"]) == []


def test_tools_are_found_by_word_category_tag_and_permission(every: Any) -> None:
    found = every.found()
    assert "calculator" in found["search"]
    assert set(found["category"]) == BUILT_IN["feed"]
    assert "json_process" in found["tags"]
    assert "execute_command" in found["permission"]
    assert {"data", "datetime", "feed", "file", "math", "system", "web"} <= set(found["categories"])
    assert found["schema"]["input"]["properties"]["expression"]["description"].startswith("Numbers")


def test_a_spell_that_uses_no_tool_loads_none_of_it() -> None:
    import subprocess
    import sys

    code = (
        "import json, sys\nfrom llmspell import Host, Policy\n"
        "with Host() as host, host.session(policy=Policy.minimal()) as session:\n"
        "    session.eval('lua', 'return 1')\n"
        '    session.eval(\'lua\', \'tools.define("x", "y", function() return 1 end) return tools.execute("x")\')\n'
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"selectolax", "markdownify", "bs4", "simpleeval", "psutil", "feedparser", "jsonpath", "ddgs", "dateutil"}
    loaded = set(json.loads(out))
    assert not {name.partition(".")[0] for name in loaded} & heavy
    assert {name for name in loaded if name.startswith("llmspell_toolbox")} == {
        "llmspell_toolbox", "llmspell_toolbox.plugin",
    }  # fmt: skip


def test_a_simple_tool_loads_only_what_it_needs() -> None:
    import subprocess
    import sys

    code = (
        "import json, sys\nfrom llmspell import Host, Policy\n"
        "with Host() as host, host.session(policy=Policy.minimal()) as session:\n"
        "    session.eval('lua', 'return tools.execute(\"calculator\", {expression = \"1+1\"})')\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(out)}
    assert "simpleeval" in loaded
    assert not loaded & {"selectolax", "markdownify", "bs4", "psutil", "feedparser", "jsonpath", "ddgs", "pydantic_ai"}
