"""The web: requests, pages, searches and interfaces on loopback, and sites that mean harm."""

from __future__ import annotations

import gzip
import json
import sys
from typing import Any

import pytest

from llmspell import Policy

WEB_TOOLS = {
    "http_request": {}, "web_fetch": {}, "web_scrape": {"patterns": {"a": "a"}}, "api_client": {}, "feed_fetch": {},
    "feed_discover": {},
}  # fmt: skip


def at(tool: str, url: str) -> dict[str, Any]:
    return {("base_url" if tool == "api_client" else "url"): url, **WEB_TOOLS[tool]}


@pytest.fixture
def web(bench: Any, site: Any) -> Any:
    bench.policy = Policy.standard().grant(net={site.host})
    return bench


@pytest.mark.parametrize("tool", sorted(WEB_TOOLS))
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/", "http://localhost/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
        "http://0x7f000001/", "http://2130706433/", "http://user@example.org/", "https://example.com/",
    ],
)  # fmt: skip
def test_a_host_that_is_not_granted_is_not_asked(bench: Any, tool: str, url: str) -> None:
    bench.policy = Policy.standard().grant(net={"*.example.org"})
    assert bench.refused(tool, **at(tool, url))[0] in ("denied", "invalid_url")


@pytest.mark.parametrize("tool", sorted(WEB_TOOLS))
@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/", "gopher://x/", "javascript:1", "", "http://a b/", "//x"]
)
def test_what_is_no_address_of_the_web_is_refused(bench: Any, tool: str, url: str) -> None:
    bench.policy = Policy.standard().grant(net={"*"})
    assert bench.refused(tool, **at(tool, url))[0] in ("invalid_url", "invalid_argument")


@pytest.mark.parametrize("tool", sorted(WEB_TOOLS))
def test_a_redirect_leads_to_no_host_that_is_not_granted(web: Any, site: Any, tool: str) -> None:
    for target in ("http://169.254.169.254/", "http://localhost:1/", "file:///etc/passwd"):
        site.put("/go", "", status=302, Location=target)
        assert web.refused(tool, **at(tool, f"{site.address}/go"))[0] in ("denied", "invalid_url", "bad_response")


@pytest.mark.parametrize("tool", sorted(WEB_TOOLS))
def test_a_bomb_is_not_unpacked(web: Any, site: Any, tool: str) -> None:
    site.put("/bomb", gzip.compress(b"<a>" + b"0" * 40_000_000), Content_Encoding="gzip")
    assert web.refused(tool, **at(tool, f"{site.address}/bomb"))[0] == "too_large"


@pytest.mark.parametrize("tool", sorted(set(WEB_TOOLS) - {"http_request", "api_client"}))
def test_a_status_that_means_failure_is_an_error(web: Any, site: Any, tool: str) -> None:
    assert web.refused(tool, **at(tool, f"{site.address}/none"))[0] == "http_status"


def test_any_status_is_an_answer_to_a_request(web: Any, site: Any) -> None:
    answer = web.run("http_request", url=f"{site.address}/none")
    assert (answer["status"], answer["ok"], answer["body"]) == (404, False, "nothing here")


def test_a_request_is_sent_as_told(web: Any, site: Any) -> None:
    site.put("/", "ok")
    web.run("http_request", url=f"{site.address}/?q=1", method="POST", body={"a": [1]}, headers={"X-Bee": "buzz"})
    web.run("http_request", url=f"{site.address}/", method="PUT", body="text")
    (first, second) = site.asked
    assert (first[0], first[1], first[2]["X-Bee"], json.loads(first[3])) == ("POST", "/?q=1", "buzz", {"a": [1]})
    assert first[2]["Content-Type"] == "application/json"
    assert (second[0], second[3]) == ("PUT", b"text")


def test_bytes_come_as_base64(web: Any, site: Any) -> None:
    site.put("/raw", b"\x00\xff", "application/octet-stream")
    answer = web.run("http_request", url=f"{site.address}/raw")
    assert (answer["body"], answer["body_encoding"]) == ("AP8=", "base64")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X": "a\r\nHost: evil"}, "invalid_argument"), ({"Host": "evil"}, "invalid_argument"),
        ({"X\r\nY": "1"}, "invalid_argument"), ({"Content-Length": "0"}, "invalid_argument"),
        ({"Transfer-Encoding": "chunked"}, "invalid_argument"), ({"X": 1}, "invalid_parameters"),
    ],
)  # fmt: skip
def test_no_header_is_smuggled_in(web: Any, site: Any, headers: dict[str, Any], code: str) -> None:
    for tool in ("http_request", "api_client"):
        assert web.refused(tool, **at(tool, site.address), headers=headers)[0] == code
    if code == "invalid_argument" and "X" in headers:
        assert web.refused("web_fetch", url=site.address, user_agent=headers["X"])[0] == code
    assert site.asked == []


PAGE = """<html><head><title> The  Bees </title><script>steal()</script></head><body>
<h1>Bees</h1><p class=intro>They <b>buzz</b>.</p><a href="/more#x">More</a><a href="javascript:x()">no</a>
<style>p {}</style></body></html>"""


def test_a_page_is_read(web: Any, site: Any) -> None:
    site.put("/", PAGE)
    page = web.run("web_fetch", url=site.address)
    assert page["title"] == "The Bees"
    assert "# Bees" in page["content"]
    assert "They **buzz**." in page["content"]
    assert "steal" not in page["content"]
    assert page["links"] == [{"url": f"{site.address}/more", "text": "More"}]
    assert web.run("web_fetch", url=site.address, format="text", selector="p.intro")["content"] == "They\nbuzz\n."
    assert web.run("web_fetch", url=site.address, format="html", selector="b")["content"] == "<b>buzz</b>"
    cut = web.run("web_fetch", url=site.address, max_length=4)
    assert (len(cut["content"]), cut["truncated"]) == (4, True)


def test_what_is_no_page_is_given_as_it_is_or_refused(web: Any, site: Any) -> None:
    site.put("/data", '{"a": 1}', "application/json")
    site.put("/raw", b"\x00", "image/png")
    assert web.run("web_fetch", url=f"{site.address}/data")["content"] == '{"a": 1}'
    assert web.refused("web_fetch", url=f"{site.address}/data", selector="p")[0] == "not_html"
    assert web.refused("web_fetch", url=f"{site.address}/raw")[0] == "not_text"


def test_a_hostile_page_is_cut_to_size_or_refused(web: Any, site: Any) -> None:
    site.put("/", "<div>" * 3000 + "x" + "<a " + " ".join(f"x{i}=1" for i in range(3000)) + ">y")
    assert web.run("web_fetch", url=site.address)["content"] == "xy"
    site.put("/", "x" * 5_000_000)
    assert web.refused("web_fetch", url=site.address)[0] == "too_large"


def test_a_bad_selector_asks_nobody(web: Any, site: Any) -> None:
    assert web.refused("web_fetch", url=site.address, selector="p:has(b)")[0] == "invalid_selector"
    assert web.refused("web_scrape", url=site.address, patterns={"a": "p >"})[0] == "invalid_selector"
    assert web.refused("web_scrape", url=site.address, patterns={"a": "p"}, item=":is(p)")[0] == "invalid_selector"
    assert site.asked == []


def test_pages_are_scraped_one_after_the_other(web: Any, site: Any) -> None:
    for number in (1, 2, 3):
        following = (
            f'<a class=next href="/{number + 1}">next</a>' if number < 3 else '<a class=next href="/1">again</a>'
        )
        site.put(f"/{number}", f'<article><h2>T{number}</h2><a href="/a{number}">x</a></article>{following}')
    told = web.run(
        "web_scrape", url=f"{site.address}/1", item="article", patterns={"title": "h2", "url": "a@href", "none": "i"},
        pagination={"next": "a.next", "max_pages": 10}, rate_limit=0,
    )  # fmt: skip
    assert [found["title"] for found in told["results"]] == ["T1", "T2", "T3"]
    assert told["results"][0] == {"title": "T1", "url": f"{site.address}/a1", "none": None}
    assert len(told["pages"]) == 3


def test_a_page_is_scraped_whole(web: Any, site: Any) -> None:
    site.put("/", "<p>a</p><p id=x>b</p>")
    told = web.run("web_scrape", url=site.address, patterns={"all": "p", "ids": "p@id"})
    assert told["results"] == [{"all": ["a", "b"], "ids": [None, "x"]}]


def test_the_next_page_is_no_way_out(web: Any, site: Any) -> None:
    site.put("/", '<a class=next href="http://169.254.169.254/">next</a><p>x</p>')
    given = {"patterns": {"p": "p"}, "pagination": {"next": "a.next"}, "rate_limit": 0}
    assert web.refused("web_scrape", url=site.address, **given)[0] == "denied"


@pytest.mark.parametrize(
    "given", [{"patterns": {}}, {"patterns": {"a": "p"}, "pagination": {"max_pages": 2}},
              {"patterns": {"a": "p"}, "pagination": {"next": "a", "max_pages": 1000}},
              {"patterns": {"a": "p"}, "pagination": {"next": "a", "colour": 1}}],
)  # fmt: skip
def test_a_scraping_that_makes_no_sense_is_refused(web: Any, site: Any, given: dict[str, Any]) -> None:
    assert web.refused("web_scrape", url=site.address, **given)[0] == "invalid_argument"


# Searching


def test_an_instance_of_the_operators_is_searched(searching: Any, site: Any) -> None:
    site.put(
        "/s",
        '{"results": [{"title": "T", "url": "u", "content": "c"}, {"title": "U", "url": "v"}]}',
        "application/json",
    )
    bench = searching("lua", f"{site.address}/s")
    bench.policy = Policy.standard().grant(net={site.host})
    assert bench.run("web_search", query="bees & wasps", num_results=1) == {
        "query": "bees & wasps", "engine": "searxng", "results": [{"title": "T", "url": "u", "snippet": "c"}],
    }  # fmt: skip
    assert "q=bees+%26+wasps" in site.asked[0][1]
    site.put("/s", "[]", "application/json")
    assert bench.refused("web_search", query="bees")[0] == "bad_response"
    bench.policy = Policy.standard()
    assert bench.refused("web_search", query="bees")[0] == "denied"


ENGINES = {
    ("duckduckgo", "text"): (
        "POST", b"q=bees", "<div class='result body'><h2>Ad</h2><a href='https://duckduckgo.com/y.js?ad=1'>buy</a></div>"
        "<div class='result body'><h2>Bees</h2><a href='https://bees.org/'>buzz</a></div>",
    ),
    ("mojeek", "text"): (
        "GET", b"",
        "<ul class=results><li><h2><a href='https://bees.org/'>Bees</a></h2><p class=s>buzz</p></li></ul>",
    ),
    ("brave", "text"): (
        "GET", b"", "<div data-type='web'><a href='https://bees.org/'><div class='title'>Bees</div></a>"
        "<div class='snippet'><div class='content'>buzz</div></div></div>",
    ),
    ("yahoo", "news"): (
        "GET", b"", "<div id='web'><ol><li><a></a><h4><a href='https://bees.org/'>Bees</a></h4><p>buzz</p>"
        "<span class='time'>2 hours ago</span></li></ol></div>",
    ),
}  # fmt: skip
"""How each engine is asked, and what its page looks like."""


@pytest.mark.parametrize(("engine", "kind"), ENGINES)
def test_an_engine_of_ddgs_asks_through_the_guard(
    bench: Any, site: Any, monkeypatch: pytest.MonkeyPatch, engine: str, kind: str
) -> None:
    engines = pytest.importorskip("ddgs.engines", reason="ddgs is not installed")
    monkeypatch.setattr(engines.ENGINES[kind][engine], "search_url", f"{site.address}/search")
    method, sent, page = ENGINES[engine, kind]
    site.put("/search", page)
    bench.policy = Policy.standard().grant(net={site.host})
    told = bench.run("web_search", query="bees", engine=engine, search_type=kind)
    assert told["results"] == [{"title": "Bees", "url": "https://bees.org/", "snippet": "buzz"}]
    (asked,) = site.asked
    assert asked[0] == method
    assert asked[3].startswith(sent)
    assert "bees" in asked[1] or sent
    site.put("/search", "<p>Are you a robot?</p>")
    assert bench.run("web_search", query="bees", engine=engine, search_type=kind)["results"] == []
    bench.policy = Policy.standard()
    assert bench.refused("web_search", query="bees", engine=engine, search_type=kind)[0] == "denied"
    assert len(site.asked) == 2


def test_an_engine_that_does_not_answer_is_told(bench: Any, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = pytest.importorskip("ddgs.engines", reason="ddgs is not installed")
    monkeypatch.setattr(engines.ENGINES["text"]["mojeek"], "search_url", f"{site.address}/elsewhere")
    bench.policy = Policy.standard().grant(net={site.host})
    assert bench.refused("web_search", query="bees", engine="mojeek")[0] == "bad_response"
    assert bench.refused("web_search", query="bees", engine="mojeek", language="the one of bees") == (
        "invalid_argument", "a language is two letters, with a country before them or not: 'en', 'us-en'",
    )  # fmt: skip


def test_a_search_that_makes_no_sense_is_refused(bench: Any) -> None:
    assert bench.refused("web_search", query=" ")[0] == "invalid_argument"
    assert bench.refused("web_search", query="x" * 501)[0] == "invalid_argument"
    assert bench.refused("web_search", query="x", search_type="images")[0] == "invalid_parameters"
    pytest.importorskip("ddgs", reason="ddgs is not installed")
    assert bench.refused("web_search", query="x", engine="altavista")[0] == "invalid_argument"


def test_without_ddgs_it_says_what_to_install(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "ddgs"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ddgs", None)
    code, message = bench.refused("web_search", query="bees")
    assert (code, "llmspell-toolbox[search]" in message) == ("unavailable", True)


# Interfaces


def test_an_interface_is_called(web: Any, site: Any) -> None:
    site.put("/v1/items/a%2Fb", '{"id": 1}', "application/json")
    told = web.run(
        "api_client", base_url=f"{site.address}/v1/", endpoint="/items/{id}", path_params={"id": "a/b"},
        query_params={"full": True, "n": 2},
    )  # fmt: skip
    assert (told["status"], told["data"]) == (200, {"id": 1})
    path, _, query = site.asked[0][1].partition("?")
    assert (path, set(query.split("&"))) == ("/v1/items/a%2Fb", {"full=true", "n=2"})


@pytest.mark.parametrize("value", ["..", ".", ""])
def test_no_value_leads_to_another_path(web: Any, site: Any, value: str) -> None:
    given = {"base_url": site.address, "endpoint": "/items/{id}", "path_params": {"id": value}}
    assert web.refused("api_client", **given)[0] == "invalid_argument"
    assert web.refused("api_client", base_url=site.address, endpoint="/items/{id}")[0] == "invalid_argument"


@pytest.mark.parametrize("endpoint", ["//169.254.169.254/x", "http://169.254.169.254/", "@169.254.169.254/"])
def test_no_endpoint_leads_to_another_host(web: Any, site: Any, endpoint: str) -> None:
    told = web.told("api_client", base_url=site.address, endpoint=endpoint)
    assert told["success"] is False or told["result"]["url"].startswith(site.address)


def test_a_secret_goes_to_the_server_alone(web: Any, site: Any) -> None:
    site.put("/", "{}", "application/json")
    web.policy = web.policy.grant(secrets={"TOOLBOX_HIDDEN"})
    for auth in (
        {"type": "bearer", "token_env": "TOOLBOX_HIDDEN"},
        {"type": "basic", "username": "ann", "password_env": "TOOLBOX_HIDDEN"},
        {"type": "api_key", "name": "X-Key", "value_env": "TOOLBOX_HIDDEN"},
        {"type": "api_key", "name": "key", "value": "open", "in": "query"},
    ):
        web.run("api_client", base_url=site.address, auth=auth)
    sent = [asked[2].get("Authorization") or asked[2].get("X-Key") or asked[1] for asked in site.asked]
    assert sent == ["Bearer hush", "Basic YW5uOmh1c2g=", "hush", "/?key=open"]


@pytest.mark.parametrize("auth", [{"type": "bearer"}, {"type": "oauth"}, {"type": "bearer", "token_env": "HOME"}, {}])
def test_an_authorization_that_cannot_be_used_is_refused(web: Any, site: Any, auth: dict[str, str]) -> None:
    assert web.refused("api_client", base_url=site.address, auth=auth)[0] == "invalid_argument"
    assert site.asked == []


SPEC = """
openapi: 3.1.0
paths:
  /bees/{id}:
    parameters: [{name: id, in: path, required: true}, {$ref: '#/components/parameters/page'}, {$ref: 'file:///etc/passwd'}]
    get: {operationId: getBee, summary: One bee}
    put: {requestBody: {}}
components: {parameters: {page: {name: page, in: query}}}
"""


def test_the_operations_of_an_interface_are_told(web: Any, site: Any) -> None:
    site.put("/openapi", SPEC, "text/yaml")
    for spec in (SPEC, f"{site.address}/openapi"):
        told = web.run("api_client", base_url=site.address, openapi_spec=spec, discover_operations=True)["data"]
        assert [(each["id"], each["method"]) for each in told] == [("put /bees/{id}", "PUT"), ("getBee", "GET")] or [
            (each["id"], each["method"]) for each in told
        ] == [("getBee", "GET"), ("put /bees/{id}", "PUT")]
        assert {each["name"] for each in told[0]["parameters"]} == {"id", "page"}


@pytest.mark.parametrize("spec", ["nonsense: [", "a: 1", "[]", "{", "a: &x [*x]"])
def test_what_is_no_openapi_is_refused(web: Any, site: Any, spec: str) -> None:
    given = {"base_url": site.address, "openapi_spec": spec, "discover_operations": True}
    assert web.refused("api_client", **given)[0] == "invalid_openapi"


def test_a_graphql_query_is_sent_and_its_errors_told(web: Any, site: Any) -> None:
    site.put("/graphql", '{"data": {"bee": null}, "errors": [{"message": "gone"}]}', "application/json")
    told = web.run(
        "api_client", base_url=f"{site.address}/graphql", graphql_query="query B($n: Int) { bee(n: $n) { name } }",
        graphql_variables={"n": 1}, graphql_operation_name="B",
    )  # fmt: skip
    assert (told["data"], told["errors"]) == ({"bee": None}, [{"message": "gone"}])
    assert json.loads(site.asked[0][3]) == {
        "query": "query B($n: Int) { bee(n: $n) { name } }", "variables": {"n": 1}, "operationName": "B",
    }  # fmt: skip
    deep = "{a" * 7 + "}" * 7
    assert web.refused("api_client", base_url=site.address, graphql_query=deep)[0] == "too_deep"
    site.put("/graphql", "[]", "application/json")
    assert web.refused("api_client", base_url=f"{site.address}/graphql", graphql_query="{a}")[0] == "bad_response"


def test_what_a_graphql_interface_offers_is_told(web: Any, site: Any) -> None:
    bee = {"kind": "OBJECT", "name": "Bee"}
    field = {
        "name": "bees",
        "args": [{"name": "n", "type": {"kind": "NON_NULL", "ofType": {"kind": "SCALAR", "name": "Int"}}}],
        "type": {"kind": "LIST", "ofType": bee},
    }  # fmt: skip
    types = [{**bee, "fields": []}, {"kind": "OBJECT", "name": "Query", "fields": [field]}, {"name": "__Type"}]
    site.put(
        "/", json.dumps({"data": {"__schema": {"queryType": {"name": "Query"}, "types": types}}}), "application/json"
    )
    told = web.run("api_client", base_url=site.address, discover_graphql=True)["data"]
    assert told["types"] == ["Bee", "Query"]
    assert told["queries"] == [{"name": "bees", "description": "", "arguments": {"n": "Int!"}, "type": "[Bee]"}]
    for answer in ("{}", "[]", '{"data": {"__schema": {"types": [1]}}}', '{"data": {"__schema": {"types": [{}]}}}'):
        site.put("/", answer, "application/json")
        assert web.refused("api_client", base_url=site.address, discover_graphql=True)[0] == "bad_response"
