"""MCP: real servers over standard input and output and over HTTP, and servers that misbehave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError
from llmspell.testing import FakeReply, FakeToolCall

pytest.importorskip("mcp", reason="the package mcp is not installed")

SERVERS = Path(__file__).parent / "servers"
PYTHON = sys.executable


@pytest.fixture
def mcp(spells: Any) -> Any:
    """Spells that may start this Python."""
    spells.policy = Policy.standard().narrow(time=60).grant(subprocess=PYTHON)
    return spells


def bees(**more: Any) -> dict[str, Any]:
    return {"command": PYTHON, "args": [str(SERVERS / "bees.py")], **more}


def rogue(mode: str) -> dict[str, Any]:
    return {"command": PYTHON, "args": [str(SERVERS / "rogue.py"), mode]}


CONNECT = {
    "lua": "local server = tools.connect_mcp(params.server, params.options)\n",
    "javascript": "const server = await tools.connectMcp(params.server, params.options);\n",
}


def connected(spells: Any, server: Any, *, lua: str, javascript: str, **options: Any) -> Any:
    """Connect, and return what the spell makes of it."""
    return spells.run(
        params={"server": server, "options": options},
        lua=CONNECT["lua"] + lua,
        javascript=CONNECT["javascript"] + javascript,
    ).value


def failure(spells: Any, server: Any, *, lua: str = "", javascript: str = "", **options: Any) -> tuple[str, str]:
    with pytest.raises(BridgeCallError) as caught:
        connected(spells, server, lua=lua, javascript=javascript, **options)
    return caught.value.fault_code, caught.value.message


one_language = pytest.mark.parametrize("spells", ["lua"], indirect=True)
"""For what is about the server and not about the language."""

USE = {
    "lua": 'return tools.execute("work", {n = 1})',
    "javascript": 'return await tools.execute("work", {n: 1});',
}


def running() -> list[str]:
    return subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """Address of the real server over HTTP."""
    process = subprocess.Popen([PYTHON, str(SERVERS / "bees.py"), "http"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()
    process.wait()
    process.stdout.close()


ALL = {
    "lua": """local info = server.info and server:info() or nil
    local names = {}
    for i, tool in ipairs(server:tools()) do names[i] = tool.name end
    local ok, why = pcall(tools.execute, "b_sting", {whom = "Ann"})
    return {info = info, names = names, sum = tools.execute("b_add", {a = 1, b = 2}).result,
        counted = tools.execute("b_count", {hives = 2}), hello = tools.execute("b_say_hello", {name = "Ann"}),
        failed = {ok, tostring(why)}, found = tools.search("bees hives")[1].name, details = tools.get_info("b_add")}""",
    "javascript": """const names = server.tools().map(tool => tool.name);
    let failed = [true, ""];
    try { await tools.execute("b_sting", {whom: "Ann"}); } catch (error) { failed = [false, error.message]; }
    return {info: server.info(), names, sum: (await tools.execute("b_add", {a: 1, b: 2})).result,
        counted: await tools.execute("b_count", {hives: 2}), hello: await tools.execute("b_say_hello", {name: "Ann"}),
        failed, found: (await tools.search("bees hives"))[0].name, details: await tools.getInfo("b_add")};""",
}


def check_all(told: dict[str, Any]) -> None:
    assert told["info"]["server"] == "bees"
    assert told["info"]["version"] == "1.2.3"
    assert told["info"]["instructions"] == "Ask about bees."
    assert told["info"]["connected"] is True
    assert told["names"] == ["b_add", "b_count", "b_dawdle", "b_environment", "b_heap", "b_say_hello", "b_sting"]
    assert told["sum"] == 3
    assert told["counted"] == {"hives": 2, "bees": 100_000}
    assert told["hello"] == "Hello, Ann!"
    assert told["failed"][0] is False
    assert "Ann ran away" in told["failed"][1]
    assert told["found"] == "b_count"
    assert (told["details"]["source"], told["details"]["category"]) == ("mcp", "mcp")
    assert (told["details"]["destructive"], told["details"]["deterministic"]) == (False, True)


def test_the_tools_of_a_program_are_tools_of_the_script(mcp: Any) -> None:
    check_all(connected(mcp, bees(), **ALL, prefix="b"))


def test_the_tools_of_an_address_are_tools_of_the_script(spells: Any, web: str) -> None:
    host = web.removeprefix("http://").partition("/")[0]
    spells.policy = Policy.standard().narrow(time=60).grant(net={host})
    check_all(connected(spells, web, **ALL, prefix="b"))


HEAP = {
    "lua": 'return #tools.execute("heap", {size = params.size})',
    "javascript": 'return (await tools.execute("heap", {size: params.size})).length;',
}


@one_language
def test_a_large_answer_over_http_comes_whole_and_a_huge_one_is_a_typed_failure(spells: Any, web: str) -> None:
    host = web.removeprefix("http://").partition("/")[0]
    spells.policy = Policy.standard().narrow(time=60).grant(net={host})
    made = {language: CONNECT[language] + code for language, code in HEAP.items()}
    given = {"server": web, "options": {}}
    assert spells.run(params={**given, "size": 3_000_000}, **made).value == 3_000_000
    with pytest.raises(BridgeCallError, match="larger than 16 MB"):
        spells.run(params={**given, "size": 20_000_000}, **made)


@one_language
def test_an_agent_uses_them(mcp: Any) -> None:
    mcp.fake.say(FakeReply(tool_calls=(FakeToolCall("add", {"a": 20, "b": 22}),)), "It is 42.")
    answer = connected(
        mcp,
        bees(),
        lua='local a = agent.create{name = "adder", tools = {"add"}} return a:run("What is 20 + 22?")',
        javascript="""const a = await agent.create({name: "adder", tools: ["add"]});
        return await a.run("What is 20 + 22?");""",
        only=["add"],
    )
    assert "42" in str(answer)


def test_a_server_is_hung_up_on_and_forgotten(mcp: Any) -> None:
    told = connected(
        mcp,
        bees(),
        lua="""local pid = tools.execute("environment")
        local listed = #server:refresh()
        server:disconnect()
        local ok, why = pcall(tools.execute, "add", {a = 1, b = 2})
        return {pid, listed, server:info().connected, ok, tostring(why)}""",
        javascript="""const pid = await tools.execute("environment");
        const listed = (await server.refresh()).length;
        await server.disconnect();
        let failed = [true, ""];
        try { await tools.execute("add", {a: 1, b: 2}); } catch (error) { failed = [false, error.message]; }
        return [pid, listed, server.info().connected, ...failed];""",
    )
    assert gone(int(told[0].split(",")[0]))
    assert told[1:4] == [7, False, False]
    assert "there is no tool 'add'" in told[4]


@one_language
def test_no_server_outlives_its_run(mcp: Any) -> None:
    pid = connected(mcp, rogue("stays"), lua="return server:info().version", javascript="return server.info().version;")
    assert gone(int(pid))
    assert mcp.run(lua="return #tools.list()", javascript="return (await tools.list()).length").value == 0


@one_language
def test_a_server_ends_with_a_run_that_fails(mcp: Any, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="enough") as caught:
        connected(
            mcp,
            bees(),
            lua='error("enough " .. tools.execute("environment"))',
            javascript='throw new Error("enough " + await tools.execute("environment"));',
        )
    pid = int(str(caught.value).partition("enough ")[2].split(",")[0])
    assert gone(pid)


@one_language
def test_a_server_ends_when_the_run_is_stopped(mcp: Any) -> None:
    mcp.policy = mcp.policy.narrow(time=4)
    with pytest.raises(Exception, match="took longer"):
        connected(mcp, bees(), lua='tools.execute("dawdle")', javascript='await tools.execute("dawdle");')
    while any(str(SERVERS / "bees.py") in line and "http" not in line for line in running()):
        time.sleep(0.05)


@one_language
def test_a_server_sees_only_granted_variables(mcp: Any) -> None:
    mcp.environ |= {"SHOWN": "1", "KEY": "k", "HIDDEN": "h"}
    mcp.policy = mcp.policy.grant(env={"SHOWN"}, secrets={"KEY"})
    lua, javascript = 'return tools.execute("environment")', 'return await tools.execute("environment");'
    names = set(connected(mcp, bees(env=["KEY"]), lua=lua, javascript=javascript).split(",")[1:])
    assert {"PATH", "SHOWN", "KEY"} <= names
    assert not {"HIDDEN", "HOME", "USER"} & names
    code, message = failure(mcp, bees(env=["HIDDEN"]))
    assert (code, "HIDDEN" in message) == ("denied", True)


@one_language
def test_a_program_or_host_that_is_not_granted_is_refused(spells: Any, web: str) -> None:
    spells.policy = Policy.standard().narrow(time=60)
    code, message = failure(spells, bees())
    assert (code, "does not allow starting" in message) == ("denied", True)
    code, message = failure(spells, web)
    assert (code, "does not allow connecting" in message) == ("denied", True)


@one_language
@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("git", "is no address"), ({}, "a server is"), ({"command": "x", "url": "y"}, "a server is"),
        ({"command": 3}, "command should be a text"), ({"command": "x", "args": "y"}, "list of texts"),
        ({"url": "http://x/", "headers": {"a": 1}}, "table of texts"), ({"command": "x", "shell": True}, "no 'shell'"),
    ],
)  # fmt: skip
def test_a_server_that_is_described_wrongly_is_refused(mcp: Any, server: Any, message: str) -> None:
    assert message in failure(mcp, server)[1]


@one_language
@pytest.mark.parametrize(
    ("mode", "code", "message"),
    [
        ("exits", "mcp_closed", "no such hive"),
        ("babbles", "bad_response", "no message of the protocol"),
        pytest.param("endless", "bad_response", "without end", marks=pytest.mark.slow),
        pytest.param("many", "too_large", "more than 512 tools", marks=pytest.mark.slow),
    ],
)
def test_a_server_that_cannot_be_connected_to_is_said_so(mcp: Any, mode: str, code: str, message: str) -> None:
    told = failure(mcp, rogue(mode))
    assert told[0] == code
    assert message in told[1]


@one_language
def test_a_server_that_never_answers_is_given_up(mcp: Any) -> None:
    code, message = failure(mcp, rogue("silent"), timeout=1)
    assert (code, "within 1 s" in message) == ("timeout", True)


@one_language
@pytest.mark.parametrize(
    ("mode", "code", "message"),
    [
        ("dies", "mcp_closed", "out of honey"),
        ("garbage", "bad_response", "no message of the protocol"),
        pytest.param("huge", "too_large", "message that is too large", marks=pytest.mark.slow),
        pytest.param("wrong-shape", "bad_response", "as the protocol says", marks=pytest.mark.slow),
        pytest.param("refuses", "mcp_error", "not today", marks=pytest.mark.slow),
        ("lying", "invalid_result", "not what it promised"),
        pytest.param("redos", "invalid_result", "not what it promised", marks=pytest.mark.slow),
    ],
)
def test_a_tool_that_misbehaves_is_a_typed_failure(mcp: Any, mode: str, code: str, message: str) -> None:
    told = failure(mcp, rogue(mode), **USE)
    assert told[0] == code
    assert message in told[1]


@one_language
def test_a_tool_that_takes_too_long_is_given_up(mcp: Any) -> None:
    assert failure(mcp, rogue("slow"), **USE, timeout=2)[0] == "timeout"


@one_language
def test_a_server_that_greets_on_the_wrong_stream_is_forgiven(mcp: Any) -> None:
    assert connected(mcp, rogue("greets"), **USE) == "ok"


@one_language
def test_what_is_no_text_comes_as_parts(mcp: Any) -> None:
    assert connected(mcp, rogue("picture"), **USE) == [{"type": "image", "data": "AAAA", "mimeType": "image/png"}]


@one_language
@pytest.mark.parametrize("mode", ["elsewhere", pytest.param("no-schema", marks=pytest.mark.slow)])
def test_a_tool_with_a_hostile_schema_is_left_out(mcp: Any, mode: str) -> None:
    told = connected(
        mcp,
        rogue(mode),
        lua="return {server:info(), server:tools()}",
        javascript="return [server.info(), server.tools()];",
    )
    assert [tool["name"] for tool in told[1]] == ["fine"]
    assert "cannot be used" in told[0]["refused"]["work"]
    code, message = failure(mcp, rogue(mode), only=["work"])
    assert (code, "cannot be used" in message) == ("tool_gone", True)


@one_language
def test_a_server_takes_no_tools_place(mcp: Any) -> None:
    lua = 'tools.define("calculator", "Mine", function() return 1 end)\n'
    javascript = 'tools.define("calculator", "Mine", () => 1);\n'
    with pytest.raises(BridgeCallError, match="there is a tool 'calculator' already"):
        mcp.run(
            params={"server": rogue("shadow"), "options": {}},
            lua=lua + CONNECT["lua"],
            javascript=javascript + CONNECT["javascript"],
        )


@one_language
def test_names_are_made_usable(mcp: Any) -> None:
    told = connected(mcp, rogue("odd-names"), lua="return server:tools()", javascript="return server.tools();")
    assert sorted(tool["name"] for tool in told) == ["_9lives", "a_b_c", "x" * 64]


TOUCH = {
    "lua": """tools.execute("touch", {n = 1})
    return tools.execute("work", {n = 1})""",
    "javascript": """await tools.execute("touch", {n: 1});
    return await tools.execute("work", {n: 1});""",
}


@one_language
@pytest.mark.parametrize(
    ("mode", "code", "message"),
    [("changing", "invalid_parameters", "do not fit"), ("vanishing", "tool_gone", "does not offer 'work'")],
)
def test_a_tool_that_changed_meanwhile_is_looked_at_again(mcp: Any, mode: str, code: str, message: str) -> None:
    told = failure(mcp, rogue(mode), **TOUCH)
    assert told[0] == code
    assert message in told[1]


@one_language
def test_without_the_library_it_says_what_to_install(mcp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    code, message = failure(mcp, rogue("fine"))
    assert code == "unavailable"
    assert 'pip install "llmspell-llm[mcp]"' in message
