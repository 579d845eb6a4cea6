"""Feeds: any format in and out, and feeds that mean harm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeError
from llmspell_toolbox.feed.reading import read

RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Bees &amp; co</title>
<link>https://bees.org/</link><description>All &lt;b&gt;bees&lt;/b&gt;</description>
<item><title>Old</title><guid>1</guid><link>https://bees.org/1</link><pubDate>Thu, 01 Jan 2026 00:00:00 GMT</pubDate>
<description>&lt;p&gt;About &lt;script&gt;steal()&lt;/script&gt;&lt;b&gt;honey&lt;/b&gt;&lt;/p&gt;</description>
<category>food</category><author>ann@bees.org</author></item>
<item><title>New</title><guid>2</guid><link>https://bees.org/2</link>
<pubDate>Sun, 01 Feb 2026 00:00:00 GMT</pubDate></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Wasps</title><id>w</id><updated>2026-01-01T00:00:00Z</updated>
<entry><title>Sting</title><id>w1</id><updated>2026-03-01T00:00:00Z</updated><link href="https://wasps.org/1"/>
<content type="html">&lt;p&gt;Ouch&lt;/p&gt;</content></entry></feed>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1", "title": "Ants", "home_page_url": "https://ants.org/",
        "items": [{"id": 7, "url": "https://ants.org/1", "title": "Hill", "content_html": "<p>Tiny</p>",
                   "date_published": "2026-04-01T00:00:00Z", "authors": [{"name": "Ann"}], "tags": ["x"]}, "nonsense"],
    }
)  # fmt: skip


@pytest.fixture
def web(bench: Any, site: Any) -> Any:
    bench.policy = Policy.standard().grant(net={site.host})
    site.put("/rss", RSS, "application/rss+xml")
    site.put("/atom", ATOM, "application/atom+xml")
    site.put("/json", JSON, "application/feed+json")
    return bench


def test_every_format_is_one_feed(web: Any, site: Any) -> None:
    rss = web.run("feed_fetch", url=f"{site.address}/rss")
    assert (rss["format"], rss["title"], rss["description"], rss["link"]) == (
        "rss", "Bees & co", "All\nbees", "https://bees.org/",
    )  # fmt: skip
    first = rss["entries"][0]
    assert (first["id"], first["title"], first["published"]) == ("1", "Old", "2026-01-01T00:00:00+00:00")
    assert (first["categories"], "steal" in first["summary"], "honey" in first["summary"]) == (["food"], False, True)
    atom = web.run("feed_fetch", url=f"{site.address}/atom")
    assert (atom["format"], atom["entries"][0]["content"], atom["entries"][0]["link"]) == (
        "atom", "Ouch", "https://wasps.org/1",
    )  # fmt: skip
    ants = web.run("feed_fetch", url=f"{site.address}/json")
    assert (ants["format"], len(ants["entries"])) == ("json", 1)
    assert (ants["entries"][0]["id"], ants["entries"][0]["content"], ants["entries"][0]["author"]) == (
        "7",
        "Tiny",
        "Ann",
    )


def test_entries_are_limited_and_the_format_is_held_to(web: Any, site: Any) -> None:
    assert len(web.run("feed_fetch", url=f"{site.address}/rss", limit=1)["entries"]) == 1
    assert web.refused("feed_fetch", url=f"{site.address}/rss", format="atom")[0] == "invalid_feed"


def test_feeds_are_filtered_merged_and_converted(web: Any, site: Any) -> None:
    rss, atom, ants = (web.run("feed_fetch", url=f"{site.address}/{name}") for name in ("rss", "atom", "json"))

    def titles(feed: dict[str, Any]) -> list[str]:
        return [entry["title"] for entry in feed["entries"]]

    assert titles(web.run("feed_filter", feed=rss, criteria={"after": "2026-01-15"})) == ["New"]
    assert titles(web.run("feed_filter", feed=rss, criteria={"keywords": ["HONEY", "x"]})) == ["Old"]
    either = {"title": "new", "category": "food"}
    assert titles(web.run("feed_filter", feed=rss, criteria=either, mode="any")) == ["Old", "New"]
    assert titles(web.run("feed_filter", feed=rss, criteria=either)) == []
    merged = web.run("feed_aggregate", feeds=[rss, atom, ants, rss], title="All")
    assert (merged["title"], titles(merged)) == ("All", ["Hill", "Sting", "New", "Old"])
    assert titles(web.run("feed_aggregate", feeds=[rss, rss], unique=False, sort="oldest", limit=3)) == [
        "Old",
        "Old",
        "New",
    ]
    for form in ("rss", "atom", "json"):
        text = web.run("feed_convert", feed=merged, to_format=form)["content"]
        again = read(text.encode(), "", 10)
        assert (again["format"], titles(dict(again))) == (form, titles(merged))
        assert again["entries"][3]["categories"] == ["food"]


def test_the_feeds_of_a_page_are_found(web: Any, site: Any) -> None:
    site.put(
        "/", """<link rel="Alternate stylesheet" type="application/rss+xml" title=R href="/rss">
        <link rel=alternate type="application/atom+xml; charset=utf-8" href="//169.254.169.254/atom">
        <link rel=alternate type="application/rss+xml" href="javascript:x">
        <link rel=alternate type=text/html href=/x>""",
    )  # fmt: skip
    found = web.run("feed_discover", url=site.address)["feeds"]
    assert found == [
        {"url": f"{site.address}/rss", "title": "R", "format": "rss"},
        {"url": "http://169.254.169.254/atom", "title": "", "format": "atom"},
    ]
    assert web.refused("feed_fetch", url=found[1]["url"])[0] == "denied"


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "'
    + "a" * 1000
    + '"><!ENTITY b "'
    + "&a;" * 1000
    + '">]><rss version="2.0"><channel><title>&b;</title></channel></rss>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<rss version="2.0"><channel><title>&a;</title></channel></rss>'
)


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, BOMB.lower().replace("<!entity", "<!Entity")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_entities_are_refused_in_every_encoding(text: str, encoding: str) -> None:
    with pytest.raises(BridgeError) as caught:
        read(text.encode(encoding), "text/xml", 10)
    assert caught.value.code == "invalid_feed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_feed"), (b"hello", "invalid_feed"), (b"<html><p>x</html>", "invalid_feed"),
        (b"{}", "invalid_feed"),
        (b"{", "invalid_json"), (b"http://127.0.0.1:9/", "invalid_feed"), (b"/etc/passwd", "invalid_feed"),
        (b"x" * 9_000_000, "too_large"),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(BridgeError) as caught:
        read(body, "", 10)
    assert caught.value.code == code


def test_an_entry_with_a_broken_date_does_not_spoil_the_feed() -> None:
    broken = RSS.replace("Thu, 01 Jan 2026 00:00:00 GMT", "yesterday")
    assert read(broken.encode(), "", 10)["entries"][0]["published"] is None
    ants = JSON.replace("2026-04-01T00:00:00Z", "9999999999999")
    assert read(ants.encode(), "", 10)["entries"][0]["published"] is None


def test_other_encodings_are_read() -> None:
    text = RSS.replace("utf-8", "iso-8859-1").replace("Old", "Käfer")
    assert read(text.encode("iso-8859-1"), "", 1)["entries"][0]["title"] == "Käfer"
    assert read(RSS.replace("utf-8", "no-such").encode(), "", 1)["title"] == "Bees & co"


@pytest.mark.parametrize(
    ("tool", "given", "code"),
    [
        ("feed_filter", {"feed": {}, "criteria": {"colour": "red"}}, "invalid_argument"),
        ("feed_filter", {"feed": {}, "criteria": {"after": "soon"}}, "invalid_time"),
        ("feed_filter", {"feed": {}, "criteria": {"title": 3}}, "invalid_argument"),
        ("feed_extract", {"feed": {}, "fields": ["colour"]}, "invalid_argument"),
        ("feed_aggregate", {"feeds": [1]}, "invalid_parameters"),
        ("feed_convert", {"feed": {}, "to_format": "pdf"}, "invalid_parameters"),
        ("feed_convert", {"feed": {"entries": [{"published": "soon"}]}, "to_format": "rss"}, "invalid_feed"),
    ],
)
def test_what_makes_no_sense_is_refused(bench: Any, tool: str, given: dict[str, Any], code: str) -> None:
    assert bench.refused(tool, **given)[0] == code


def test_a_feed_made_up_by_a_model_is_written_all_the_same(bench: Any) -> None:
    feed = {"title": "]]>\u0000<x>", "entries": [{"title": 3, "categories": "no list", "link": None}, "nonsense"]}
    text = bench.run("feed_convert", feed=feed, to_format="rss")["content"]
    again = read(text.encode(), "", 10)
    assert (again["title"], [entry["title"] for entry in again["entries"]]) == ("]]>", ["3"])
