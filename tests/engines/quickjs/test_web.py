"""What authors expect of any JavaScript: URL, text codecs, structuredClone, base64, crypto, and what is not there."""

from __future__ import annotations

from typing import Any

import pytest

URLS = [
    ("http://example.com", "http://example.com/"),
    ("HTTP://EXAMPLE.com:80/a/./b/../c?x=1#y", "http://example.com/a/c?x=1#y"),
    ("https://user:pa ss@host:8443/p", "https://user:pa%20ss@host:8443/p"),
    ("http://a/b c?d e#f g", "http://a/b%20c?d%20e#f%20g"),
    ("http://a/%7Efoo/é", "http://a/%7Efoo/%C3%A9"),
    ("http://192.168.257", "http://192.168.1.1/"),
    ("http://0x7f.1", "http://127.0.0.1/"),
    ("http://[2001:DB8:0:0:0:0:0:1]/", "http://[2001:db8::1]/"),
    ("http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/"),
    ("  http://a/\n b", "http://a/%20b"),
    ("http:\\\\a\\b", "http://a/b"),
    ("file:///etc/hosts", "file:///etc/hosts"),
    ("mailto:a@b.c?subject=x", "mailto:a@b.c?subject=x"),
    ("data:text/plain,hi there", "data:text/plain,hi there"),
    ("custom://Host/Path", "custom://Host/Path"),
]


@pytest.mark.parametrize(("text", "href"), URLS)
def test_urls_are_read_and_written(stage: Any, text: str, href: str) -> None:
    assert stage.run("return new URL(params.t).href", params={"t": text}) == href


@pytest.mark.parametrize(
    ("text", "base", "href"),
    [
        ("b", "http://a/x/y?q#f", "http://a/x/b"),
        ("../b", "http://a/x/y/z", "http://a/x/b"),
        ("/b", "http://a/x/y", "http://a/b"),
        ("//c/d", "https://a/x", "https://c/d"),
        ("?z=1", "http://a/x?y", "http://a/x?z=1"),
        ("#g", "http://a/x?y#f", "http://a/x?y#g"),
        ("", "http://a/x?y#f", "http://a/x?y"),
        ("https://other/", "http://a/", "https://other/"),
        ("../../../b", "http://a/x", "http://a/b"),
    ],
)
def test_relative_urls_are_resolved(stage: Any, text: str, base: str, href: str) -> None:
    assert stage.run("return new URL(params.t, params.b).href", params={"t": text, "b": base}) == href


@pytest.mark.parametrize(
    "text",
    ["", "nope", "http://", "http://a:b/", "http://a:99999/", "http://[1]/", "http://a b/", "http://1.2.3.4.5.6/"],
)
def test_what_is_no_url_is_refused(stage: Any, text: str) -> None:
    assert stage.run("return URL.canParse(params.t)", params={"t": text}) is False
    assert stage.failure("new URL(params.t)", params={"t": text}).message.startswith("TypeError: Invalid URL")


def test_the_parts_of_a_url_can_be_read_and_set(stage: Any) -> None:
    code = """
    const u = new URL("https://bo:pw@example.com:8443/a/b?x=1&y=2#top");
    const parts = [u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash,
      u.origin];
    u.port = "443"; u.pathname = "/c d"; u.search = "?z"; u.hash = ""; u.hostname = "other.org"; u.username = "";
    u.searchParams.append("k", "v w");
    return [parts, u.href, JSON.stringify(u), u.toString() === u.href, u.searchParams.get("k")]
    """
    assert stage.run(code) == [
        ["https:", "bo", "pw", "example.com:8443", "example.com", "8443", "/a/b", "?x=1&y=2", "#top",
         "https://example.com:8443"],
        "https://:pw@other.org/c%20d?z=&k=v+w",
        '"https://:pw@other.org/c%20d?z=&k=v+w"',
        True,
        "v w",
    ]  # fmt: skip


def test_search_parameters(stage: Any) -> None:
    code = """
    const p = new URLSearchParams("?a=1&b=2&a=3&c=%20x+y&%C3%A9=%F0%9F%98%80");
    p.set("b", "new"); p.append("d", "&="); p.delete("c"); p.sort();
    return [p.getAll("a"), p.has("c"), p.size, [...p].length, p.get("é"), p.toString(),
      new URLSearchParams({ x: 1, y: "z" }).toString(), new URLSearchParams([["q", "w"]]).get("q")]
    """
    assert stage.run(code) == [
        ["1", "3"], False, 5, 5, "😀", "a=1&a=3&b=new&d=%26%3D&%C3%A9=%F0%9F%98%80", "x=1&y=z", "w",
    ]  # fmt: skip


def test_text_is_encoded_and_decoded(stage: Any) -> None:
    code = """
    const bytes = new TextEncoder().encode("aé€😀\\ud800");
    const { read, written } = new TextEncoder().encodeInto("é€", new Uint8Array(4));
    return [bytes, new TextDecoder().decode(bytes), read, written]
    """
    assert stage.run(code) == ["aé€😀\ufffd".encode(), "aé€😀\ufffd", 1, 2]


@pytest.mark.parametrize(
    "data",
    [b"", b"abc", "é€😀".encode(), b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80",
     b"a\x80b", b"\xf5\x80\x80\x80", b"\xe2\x28\xa1", bytes(range(256)), b"\xf0\x90\x80\x80x" * 3000],
)  # fmt: skip
def test_utf8_is_decoded_as_everywhere(stage: Any, data: bytes) -> None:
    assert stage.run("return new TextDecoder().decode(params.d)", params={"d": data}) == data.decode("utf-8", "replace")


def test_decoding_in_pieces_and_strictly(stage: Any) -> None:
    code = """
    const d = new TextDecoder(); const b = new TextEncoder().encode("€😀");
    let text = ""; for (const x of b) text += d.decode(new Uint8Array([x]), { stream: true });
    let strict;
    try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])) } catch (e) { strict = e.name }
    return [text + d.decode(), strict, new TextDecoder("utf-16le").decode(new Uint8Array([61, 216, 0, 222, 97, 0])),
      new TextDecoder("latin1").decode(new Uint8Array([0xe9, 0x80]))]
    """
    assert stage.run(code) == ["€😀", "TypeError", "😀a", "é€"]


def test_structured_clone_copies_deeply(stage: Any) -> None:
    code = """
    const a = { d: new Date(5), m: new Map([[{ k: 1 }, new Set([1])]]), r: /x/gi, b: new Uint8Array([1, 2]), n: null,
      u: undefined, s: [1, , 3], e: new RangeError("bad"), big: 5n };
    a.self = a;
    const c = structuredClone(a);
    a.b[0] = 9; a.d.setTime(7);
    return [c !== a, c.self === c, c.d.getTime(), [...c.m.values()][0].has(1), String(c.r), [...c.b], 1 in c.s,
      c.s.length, c.e instanceof RangeError, c.e.message, c.big === 5n, "u" in c]
    """
    assert stage.run(code) == [True, True, 5, True, "/x/gi", [1, 2], False, 3, True, "bad", True, True]


@pytest.mark.parametrize("value", ["() => 1", "Symbol()", "Promise.resolve()", "new WeakMap()", "{ f() {} }"])
def test_what_cannot_be_cloned_is_refused(stage: Any, value: str) -> None:
    assert stage.run(f"try {{ structuredClone(({value})) }} catch (e) {{ return e.name }}") == "DataCloneError"


def test_base64(stage: Any) -> None:
    assert stage.run("return [btoa('abc'), atob('YWJj')]") == ["YWJj", "abc"]
    assert stage.run("try { btoa('é€') } catch (e) { return e.name }") == "InvalidCharacterError"


def test_chance_comes_from_the_host(stage: Any) -> None:
    stage.bridges["core"] = {"uuid": lambda: "u-1", "random_string": lambda n, chars: (chars * n)[:n]}
    code = """
    const { getRandomValues } = crypto;
    return [crypto.randomUUID(), getRandomValues(new Uint8Array(3)), [...getRandomValues(new Uint16Array(1))]]
    """
    assert stage.run(code) == ["u-1", b"\x01\x23\x45", [0x2301]]
    assert [c.method for c in stage.calls if c.target == "core"] == ["uuid", "random_string", "random_string"]


def test_too_many_random_bytes_are_refused(stage: Any) -> None:
    assert (
        stage.run("try { crypto.getRandomValues(new Uint8Array(70000)) } catch (e) { return e.name }")
        == "QuotaExceededError"
    )


@pytest.mark.parametrize(
    "name",
    ["std", "os", "process", "Deno", "fetch", "XMLHttpRequest", "SharedArrayBuffer", "Atomics", "FinalizationRegistry",
     "WebAssembly", "load", "print", "scriptArgs"],
)  # fmt: skip
def test_the_world_is_not_there(stage: Any, name: str) -> None:
    assert stage.run(f"return typeof {name}") == "undefined"
