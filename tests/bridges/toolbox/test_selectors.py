"""Selectors: the same elements as elsewhere, in time that grows with the page."""

from __future__ import annotations

import re

import pytest

from llmspell.errors import BridgeError
from llmspell_toolbox.web import tidy
from llmspell_toolbox.web.html import absolute, links, markdown, parsed, plain
from llmspell_toolbox.web.selectors import select

PAGE = parsed(
    "<body><div id=a><p class='x y'>1</p><p>2<b>3</b></p><ul><li>4</li><li class=x>5</li></ul></div>"
    "<div><p lang=en>6</p><a href='/q?a=1&amp;b=2'>7</a></div>"
)


@pytest.mark.parametrize(
    "selector",
    [
        "p", "div p", "div > p", "p + p", "p ~ ul", "#a li.x", "div p b", "* > b", "p, li", "p:not(.x)",
        "li:first-child", "li:last-child", "div > ul > li + li", "body div > p ~ ul .x", "[class~=y]", "p[class]",
        "#a ~ div p", "html body p", "html > body > div", "a[href^='/q']", "a[href$='b=2']", "p.x.y", "p[lang='EN' i]",
        ".none", "ul li, ol li",
    ],
)  # fmt: skip
def test_a_selector_finds_what_it_should(selector: str) -> None:
    soup = pytest.importorskip("bs4").BeautifulSoup(PAGE.html, "html.parser")
    assert [node.text() for node in select(PAGE, selector)] == [node.get_text() for node in soup.select(selector)]


@pytest.mark.parametrize(
    "selector",
    [
        "", ">p", "p >", "p,", "p,,b", "p:has(b)", "p:nth-child(2)", "a[", "p{color:red}", "*|*", "a:not(b:has(c))",
        "p ! b", "a:is(b)", "a " * 17, "a" * 501, "a[href='x\n']", "a[href=\"\\\"]",
    ],
)  # fmt: skip
def test_a_selector_that_cannot_be_used_is_refused(selector: str) -> None:
    with pytest.raises(BridgeError) as caught:
        select(PAGE, selector)
    assert caught.value.code == "invalid_selector"


def test_below_an_element_only_what_is_there_is_found() -> None:
    (first, _) = select(PAGE, "body > div")
    assert [node.text() for node in select(first, "p")] == ["1", "23"]
    assert select(first, "#a p") == []


def test_enough_is_enough() -> None:
    assert len(select(PAGE, "p", 2)) == 2


@pytest.mark.parametrize(
    ("page", "selector", "count"),
    [
        ("<div>" * 2000 + "x", "p div div div div", 0),
        ("<div>" * 2000 + "x", "div div div div", 197),
        ("<p>a</p>" * 5000, "p ~ p ~ p ~ p", 4997),
    ],
)
def test_a_page_made_to_be_slow_is_not(page: str, selector: str, count: int) -> None:
    assert len(select(parsed(page), selector)) == count


def test_a_page_with_too_many_tags_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "MAX_TAGS", 100)
    with pytest.raises(BridgeError, match="tags"):
        parsed("<div>" * 101)
    with pytest.raises(BridgeError, match="longer than"):
        parsed("x" * 5_000_000)


def test_deep_pages_become_no_markdown() -> None:
    with pytest.raises(BridgeError) as caught:
        markdown("<div>" * 5000 + "x")
    assert caught.value.code == "too_deep"


def test_a_page_becomes_markdown_text_and_links() -> None:
    tree = parsed(
        "<h1>Bees</h1><p>A <a href='/b'>b</a> &amp; c</p><a href='javascript:x'>no</a><a href='mailto:x'>no</a>"
    )
    assert markdown(tree.body.html) == "# Bees\n\nA [b](/b) & c\n\n[no](javascript:x)[no](mailto:x)"
    assert plain(tree.body).startswith("Bees\nA")
    assert links(tree, "https://example.org/a/", 10) == [{"url": "https://example.org/b", "text": "b"}]


@pytest.mark.parametrize(
    "href", [None, "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[", "//"]
)
def test_what_is_no_link_of_the_web_is_none(href: str | None) -> None:
    assert absolute("https://example.org/", href) in (None, "https://example.org/")
    if href:
        assert absolute("https://example.org/", href) is None or href == "//"


@pytest.mark.parametrize(
    ("page", "tidied"),
    [
        ("<p>a<b>b</p>c", "<p>a<b>b</b></p>c"),
        ("a</i>b", "ab"),
        ("<P CLASS='x' id=y disabled data-a='\"'>z", '<p class="x" id="y" disabled="" data-a="&quot;">z</p>'),
        ("<br/><img src=a.png>x", '<br><img src="a.png">x'),
        ("1 < 2 <3", "1 &lt; 2 &lt;3"),
        ("a<!-- <p> -->b<!doctype html><?php x ?>c", "abc"),
        ("<script>if (a<b) '</p>'</script>x<style>p{}</style>", "x"),
        ("<title>A <b> c</title>", "<title>A &lt;b> c</title>"),
        ("<svg><path/><title>t</title></svg>x<noscript><p>y</noscript>", "x"),
        ("<a b='1' b='2' 3=4 <c>x", '<a b="1">x</a>'),
        ("<p a=\"x", '<p a="x"></p>'), ("<!-- x", ""), ("<script>x", ""), ("x<", "x&lt;"), ("</", ""),
        ("<p", "<p></p>"),

        ("<x:y>a</x:y><h1\x00>b", "<x:y>a</x:y>b"),
    ],
)  # fmt: skip
def test_a_page_is_made_tidy(page: str, tidied: str) -> None:
    assert tidy.tidied(page) == tidied


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 3000 + "x", "<div><table></div>" * 1000, "<a " + " ".join(f"x{i}" for i in range(5000)) + ">",
        "<!--" * 100_000, "<a '" * 5000, "<svg>" * 3000, "<" * 5000, "</" * 50_000, "<title>" * 5000,
    ],
)  # fmt: skip
def test_a_page_made_to_be_slow_is_cut_to_size(page: str) -> None:
    made = tidy.tidied(page)
    depth = deepest = 0
    for mark in re.findall(r"<(/?)(?!br|img)[a-z]", made):
        depth += -1 if mark else 1
        deepest = max(deepest, depth)
    assert (depth, deepest <= tidy.MAX_DEPTH) == (0, True)
    assert made.count('=""') <= tidy.MAX_ATTRIBUTES
    parsed(page)


def test_attributes_that_are_too_many_or_too_long_are_left_out() -> None:
    made = tidy.tidied("<a href=x title='" + "y" * 10_000 + "' " + " ".join(f"x{i}=1" for i in range(1000)) + ">")
    assert made.startswith('<a href="x" x0="1"')
    assert made.count("=") == tidy.MAX_ATTRIBUTES
