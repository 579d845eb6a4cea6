"""The built-in tools called as what they also are: functions of a bridge, in Lua and JavaScript."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from llmspell import Policy

FEED = {"title": "Bees", "entries": [{"id": "1", "title": "Honey"}]}
CALLS: list[tuple[Any, ...]] = [
    ("toolbox.calculator", "6 * 7"),
    ("toolbox.datetime_now", "UTC", {"format": "%Y"}),
    ("toolbox.datetime_parse", "2026-01-01"),
    ("toolbox.datetime_format", 0, "%Y"),
    ("toolbox.datetime_calculate", 0, "add", "1 day"),
    ("toolbox.datetime_compare", 0, 60, {"unit": "minutes"}),
    ("toolbox.datetime_convert", 0, "UTC", "Asia/Tokyo"),
    ("toolbox.datetime_info", 0),
    ("toolbox.json_process", '{"a": 1}', "get", {"path": "a"}),
    ("toolbox.csv_process", "a\n1\n", "parse"),
    ("toolbox.xml_process", "<a/>", "parse"),
    ("toolbox.data_transform", "[1]", "json", "yaml"),
    ("toolbox.file_write", "a.txt", "hello"),
    ("toolbox.file_read", "a.txt"),
    ("toolbox.file_list", "."),
    ("toolbox.file_search", ".", {"content": "ell"}),
    ("toolbox.file_move", "a.txt", "b.txt"),
    ("toolbox.file_delete", "b.txt"),
    ("toolbox.http_request", "SITE/"),
    ("toolbox.web_fetch", "SITE/"),
    ("toolbox.web_scrape", "SITE/", {"all": "p"}),
    ("toolbox.api_client", "SITE/data"),
    ("toolbox.web_search", "bees"),
    ("toolbox.feed_fetch", "SITE/feed"),
    ("toolbox.feed_discover", "SITE/"),
    ("toolbox.feed_filter", FEED, {"title": "honey"}),
    ("toolbox.feed_aggregate", [FEED]),
    ("toolbox.feed_extract", FEED, ["title"]),
    ("toolbox.feed_convert", FEED, "json"),
    ("toolbox.execute_command", "echo", ["hi"]),
    ("toolbox.get_environment_variable", "TOOLBOX_SHOWN"),
    ("machine.get_system_info", "os"),
    ("machine.process_list", {"limit": 1}),
]
CALL = {
    "lua": "return require(params.module)[params.name](table.unpack(params.args))",
    "javascript": "return await require(params.module)[params.name](...params.args)",
}


@pytest.mark.parametrize("language", sorted(CALL))
def test_a_tool_is_a_function_of_its_bridge(
    language: str, site: Any, searching: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site.put("/", '<p>x</p><link rel=alternate type="application/rss+xml" href="/feed">')
    site.put("/data", "{}", "application/json")
    site.put("/search", '{"results": []}', "application/json")
    site.put("/feed", '{"items": []}', "application/json")
    bench = searching(language, f"{site.address}/search")
    bench.policy = Policy.standard().grant(
        bridges={"machine"}, read={str(tmp_path)}, write={str(tmp_path)}, net={site.host}, env={"TOOLBOX_SHOWN"},
        subprocess="echo",
    )  # fmt: skip
    for called, *args in CALLS:
        module, _, name = called.partition(".")
        spelled = re.sub(r"_(\w)", lambda hump: hump[1].upper(), name) if language == "javascript" else name
        given = [arg.replace("SITE", site.address) if isinstance(arg, str) else arg for arg in args]
        assert isinstance(bench.eval(CALL[language], {"module": module, "name": spelled, "args": given}), dict), called
