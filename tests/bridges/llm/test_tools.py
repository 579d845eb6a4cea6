"""The tools bridge: functions of scripts with schemas, checked both ways, counted, composed and described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmspell import Policy
from llmspell.errors import BridgeCallError
from llmspell_llm.tools import ToolSource

LUA = """
tools.define("add", "Add two numbers", {parameters = {a = "number", b = "number"}, output = "number",
    category = "math", tags = {"numbers", "sum"}, permissions = {"none"}, resources = {network = "none"},
    examples = {{description = "small", parameters = {a = 1, b = 2}, result = 3}}},
    function(p) return p.a + p.b end)
tools.define("double", "Double a number", {parameters = {n = "number"}}, function(p) return p.n * 2 end)
tools.define("liar", "Promise a number", {output = "number"}, function(p) return "no" end)
tools.define("broken", "Always fail", function(p) error("out of order") end)
"""
JAVASCRIPT = """
tools.define("add", "Add two numbers", {parameters: {a: "number", b: "number"}, output: "number",
    category: "math", tags: ["numbers", "sum"], permissions: ["none"], resources: {network: "none"},
    examples: [{description: "small", parameters: {a: 1, b: 2}, result: 3}]},
    p => p.a + p.b);
tools.define("double", "Double a number", {parameters: {n: "number"}}, p => p.n * 2);
tools.define("liar", "Promise a number", {output: "number"}, p => "no");
tools.define("broken", "Always fail", p => { throw new Error("out of order") });
"""


@pytest.fixture
def tools(spells: Any) -> Any:
    """Spells in which four tools are defined."""

    class Tools:
        fake = spells.fake

        def value(self, *, lua: str, javascript: str) -> Any:
            return spells.value(lua=LUA + lua, javascript=JAVASCRIPT + javascript)

        def calls(self, *calls: tuple[Any, ...]) -> list[Any]:
            return list(spells.calls(*calls, prelude={"lua": LUA, "javascript": JAVASCRIPT}[spells.language]))

        def call(self, name: str, *args: Any) -> Any:
            return self.calls((name, *args))[0]

    return Tools()


def test_a_tool_of_the_script_is_run_with_checked_parameters(tools: Any) -> None:
    assert tools.call("tools.execute", "add", {"a": 1, "b": 2.5}) == 3.5
    assert tools.call("tools.execute_tool", {"name": "add"}, {"a": 1, "b": 2}) == 3


@pytest.mark.parametrize("params", [{"a": 1}, {"a": "x", "b": 1}, {}, None])
def test_parameters_that_do_not_fit_never_reach_the_function(tools: Any, params: Any) -> None:
    with pytest.raises(BridgeCallError, match="parameters of tool 'add' do not fit"):
        tools.call("tools.execute", "add", params)


def test_a_result_that_was_not_promised_is_an_error(tools: Any) -> None:
    with pytest.raises(BridgeCallError, match="result of tool 'liar' is not what it promised"):
        tools.call("tools.execute", "liar", {})


def test_a_failing_function_is_the_tools_failure(tools: Any) -> None:
    with pytest.raises(BridgeCallError, match=r"tool 'broken' failed: .*out of order"):
        tools.call("tools.execute", "broken")


def test_a_tool_is_registered_from_one_table(spells: Any) -> None:
    value = spells.value(
        lua="""local t = tools.register{name = "up", description = "Upper", parameters = {s = "string"},
                execute = function(p) return p.s:upper() end, timeout = 5, destructive = true}
            tools.register_custom_tool{name = "up2", description = "Upper", func = function() return 2 end}
            tools.register_tool{name = "up3", description = "Upper", handler = function() return 3 end}
            return {t.name, t.destructive, t.timeout, tools.execute("up", {s = "a"}), tools.execute("up2"),
                tools.execute(t, {s = "b"})}""",
        javascript="""const t = tools.register({name: "up", description: "Upper", parameters: {s: "string"},
                execute: p => p.s.toUpperCase(), timeout: 5, destructive: true});
            tools.registerCustomTool({name: "up2", description: "Upper", func: () => 2});
            tools.registerTool({name: "up3", description: "Upper", handler: () => 3});
            return [t.name, t.destructive, t.timeout, await tools.execute("up", {s: "a"}), await tools.execute("up2"),
                await tools.execute(t, {s: "b"})]""",
    )
    assert value == ["up", True, 5, "A", 2, "B"]


def test_a_library_is_registered_and_its_failures_told(spells: Any) -> None:
    told = spells.value(
        lua="""return tools.register_library{one = function() return 1 end, ["bad name"] = function() end,
            two = {description = "Two", execute = function() return 2 end}, three = 3}""",
        javascript="""return tools.registerLibrary({one: () => 1, two: {description: "Two", execute: () => 2},
            "bad name": () => {}, three: 3})""",
    )
    assert (told["registered"], told["failed"], told["total"]) == (2, 2, 4)
    assert {failure["name"] for failure in told["failures"]} == {"bad name", "three"}


@pytest.mark.parametrize(
    ("name", "lua", "javascript", "message"),
    [
        ("x y", "{}", "{}", "no name for a tool"),
        ("x", "{colour = 1}", "{colour: 1}", "has no 'colour'"),
        ("x", '{tags = "a"}', '{tags: "a"}', "list of texts"),
        ("x", "{timeout = -1}", "{timeout: -1}", "number of seconds"),
        ("x", "{category = 3}", "{category: 3}", "should be a text"),
        ("x", "{examples = {3}}", "{examples: [3]}", "an example of tool"),
        ("x", '{parameters = {a = "nope"}}', '{parameters: {a: "nope"}}', "no type 'nope'"),
        ("x", '{parameters = "string"}', '{parameters: "string"}', "are a table"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(
    spells: Any, name: str, lua: str, javascript: str, message: str
) -> None:
    with pytest.raises(BridgeCallError, match=message):
        spells.run(
            lua=f'tools.define("{name}", "d", {lua}, function() end)',
            javascript=f'tools.define("{name}", "d", {javascript}, () => {{}})',
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("tools.define", "x", "d"), "needs a function"),
        (("tools.register", {"name": "x", "description": "d"}), "one function named execute"),
        (("tools.register", {"description": "d"}), "needs a name"),
    ],
)
def test_a_tool_without_a_function_or_a_name_is_refused(spells: Any, call: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        spells.calls(call)


def test_safe_execution_tells_instead_of_raising(tools: Any) -> None:
    good, bad, broken, raised = tools.calls(
        ("tools.execute_safe", "add", {"a": 1, "b": 2}, {"silent": True}),
        ("tools.execute_tool_validated", "add", {"a": "x", "b": 2}),
        ("tools.execute_safe", "broken", {}, {"silent": True}),
        ("tools.execute_safe", "add", {"a": 1, "b": 2}),
    )
    assert (good["success"], good["result"], raised) == (True, 3, 3)
    assert (bad["success"], bad["error"]["code"], bad["validation_errors"][0]["path"]) == (
        False,
        "invalid_parameters",
        "$.a",
    )
    assert (broken["success"], broken["error"]["code"]) == (False, "script")


def test_a_tool_that_takes_too_long_is_given_up(spells: Any) -> None:
    told = spells.value(
        lua="""tools.define("slow", "Slow", {timeout = 0.05}, function() core.sleep(30) end)
            return tools.execute_safe("slow", {}, {silent = true})""",
        javascript="""tools.define("slow", "Slow", {timeout: 0.05}, async () => { await core.sleep(30) });
            return await tools.executeSafe("slow", {}, {silent: true})""",
    )
    assert (told["success"], told["error"]["code"]) == (False, "timeout")


def test_parameters_and_results_can_be_checked_apart(tools: Any) -> None:
    good, bad, also, output = tools.calls(
        ("tools.validate_params", "add", {"a": 1, "b": 2}),
        ("tools.validate_params", "add", {"a": 1}),
        ("tools.validate_tool_input", "add", {"a": "x", "b": 1}),
        ("tools.validate_tool_output", "add", "three"),
    )
    assert good["valid"] is True
    assert (bad["valid"], also["errors"][0]["path"], output["valid"]) == (False, "$.a", False)


# Finding


def test_tools_are_listed_found_and_told(tools: Any) -> None:
    listed, found, category, tags, permission, resources, categories, info, schema, stats = tools.calls(
        ("tools.list",),
        ("tools.search", "add numbers"),
        ("tools.list_by_category", "math"),
        ("tools.list_by_tags", ["sum"]),
        ("tools.list_by_permission", "none"),
        ("tools.list_by_resource_usage", {"network": "none"}),
        ("tools.get_categories",),
        ("tools.get_info", "add"),
        ("tools.get_tool_schema", "add"),
        ("tools.get_registry_stats",),
    )
    assert {"add", "double", "liar", "broken"} <= {tool["name"] for tool in listed}
    for one in (found, category, tags, permission, resources):
        assert [tool["name"] for tool in one] == ["add"]
    assert {"custom", "math"} <= set(categories)
    assert info["examples"][0]["result"] == 3
    assert (schema["input"]["properties"]["a"], schema["output"]) == ({"type": "number"}, {"type": "number"})
    assert (stats["by_category"]["math"], stats["by_source"]["script"]) == (1, 4)


def test_an_unknown_tool_gets_the_nearest_name(tools: Any) -> None:
    for name in ("execute", "get_info", "get_tool_info"):
        with pytest.raises(BridgeCallError, match="did you mean 'double'"):
            tools.call(f"tools.{name}", "duble")


def test_tools_are_removed(tools: Any) -> None:
    gone, again, also, count = tools.calls(
        ("tools.remove", "add"), ("tools.remove", "add"), ("tools.unregister_tool", "double"), ("tools.clear_registry",)
    )
    assert (gone, again, also, count) == (True, False, True, 2)


def test_tools_of_one_run_are_unknown_to_the_next(spells: Any) -> None:
    with spells.host() as host, host.session(policy=spells.policy) as session:
        define = {"lua": LUA, "javascript": JAVASCRIPT}[spells.language]
        session.eval(spells.language, define)
        listing = {"lua": "return tools.list()", "javascript": "return await tools.list()"}[spells.language]
        assert "add" not in {tool["name"] for tool in session.eval(spells.language, listing).value}


# Composing


def test_a_pipeline_hands_each_result_on(tools: Any) -> None:
    value = tools.value(
        lua="""tools.compose({"add", "double"}, {name = "twice_sum"})
            local given = {a = 1, b = 2}
            return {tools.execute("twice_sum", given), tools.pipeline({"add", "double", "double"}, given)}""",
        javascript="""await tools.compose(["add", "double"], {name: "twice_sum"});
            const given = {a: 1, b: 2};
            const all = await tools.pipeline(["add", "double", "double"], given);
            return [await tools.execute("twice_sum", given), all]""",
    )
    twice, told = value
    assert twice == 6
    assert (told["results"], told["final_output"], told["success"], told["completed_steps"]) == (
        [3, 6, 12],
        12,
        True,
        3,
    )


def test_a_pipeline_may_go_on_after_a_failure(tools: Any) -> None:
    told, apart = tools.calls(
        ("tools.pipeline", ["double", "broken", "double"], 3, {"continue_on_error": True}),
        ("tools.pipeline", ["double", "double"], 3, {"pass_output": False}),
    )
    assert (told["success"], told["completed_steps"], told["final_output"]) == (False, 2, 12)
    assert "out of order" in told["results"][1]["error"]
    assert apart["results"] == [6, 6]
    with pytest.raises(BridgeCallError, match="out of order"):
        tools.call("tools.pipeline", ["double", "broken"], 3)


def test_tools_run_side_by_side(tools: Any) -> None:
    told, composed = tools.calls(
        ("tools.parallel_execute", ["double", "broken", "double"], {"n": 4}, {"max_concurrent": 2}),
        ("tools.compose", ["double", "double"], {"name": "both", "mode": "parallel"}),
    )
    assert (told["success_count"], told["error_count"], told["total"]) == (2, 1, 3)
    assert told["errors"][0]["index"] == 2
    assert composed["tags"] == ["composed", "parallel"]


def test_the_first_condition_that_holds_decides(tools: Any) -> None:
    value = tools.value(
        lua="""tools.define("tell", "Tell", {parameters = {n = "number"}}, function(p) return "small" end)
            tools.compose({{tool = "double", condition = function(p) return p.n > 10 end}, {tool = "tell"}},
                {name = "either", mode = "conditional"})
            return {tools.execute("either", {n = 20}), tools.execute("either", {n = 2})}""",
        javascript="""tools.define("tell", "Tell", {parameters: {n: "number"}}, p => "small");
            await tools.compose([{tool: "double", condition: p => p.n > 10}, {tool: "tell"}],
                {name: "either", mode: "conditional"});
            return [await tools.execute("either", {n: 20}), await tools.execute("either", {n: 2})]""",
    )
    assert value == [40, "small"]


@pytest.mark.parametrize(
    ("args", "message"),
    [([["add"], {"mode": "nope"}], "no mode 'nope'"), ([[]], "nothing to compose"), ([["nope"]], "no tool 'nope'")],
)
def test_a_composition_that_makes_no_sense_is_refused(tools: Any, args: list[Any], message: str) -> None:
    with pytest.raises(BridgeCallError, match=message):
        tools.call("tools.compose", *args)


# Measuring


def test_calls_are_counted_and_remembered(tools: Any) -> None:
    *_, one, every, history, report, _, forgotten, _, empty = tools.calls(
        ("tools.execute", "add", {"a": 1, "b": 2}),
        ("tools.execute_safe", "broken", {}, {"silent": True}),
        ("tools.get_metrics", "add"),
        ("tools.get_metrics",),
        ("tools.get_history", 10),
        ("tools.get_tool_usage_report", "hour"),
        ("tools.clear_history",),
        ("tools.get_history",),
        ("tools.reset_metrics",),
        ("tools.get_metrics",),
    )
    assert (one["total_calls"], one["successful_calls"], one["failed_calls"]) == (1, 1, 0)
    assert "out of order" in every["broken"]["last_error"]
    assert [(entry["tool"], entry["success"]) for entry in history] == [("broken", False), ("add", True)]
    assert (history[1]["params"], history[1]["result"]) == ({"a": 1, "b": 2}, 3)
    assert (report["total"], report["by_tool"]["broken"]["failures"]) == (2, 1)
    assert not forgotten
    assert not empty


def test_tools_that_mostly_fail_stand_out(tools: Any) -> None:
    *_, found, none = tools.calls(
        *[("tools.execute_safe", "broken", {}, {"silent": True})] * 4,
        ("tools.get_tool_anomalies",),
        ("tools.get_tool_anomalies", "add"),
    )
    assert [(entry["tool"], entry["kind"]) for entry in found] == [("broken", "failing")]
    assert not none


def test_a_tool_is_tested_on_cases(tools: Any) -> None:
    value = tools.value(
        lua="""return tools.test_tool("add", {{name = "right", input = {a = 1, b = 2}, expected = 3},
            {input = {a = 1, b = 2}, expected = 4}, {input = {a = 1, b = 1}, validator = function(r) return r == 2 end},
            {input = {a = "x", b = 1}, error = true}})""",
        javascript="""return await tools.testTool("add", [{name: "right", input: {a: 1, b: 2}, expected: 3},
            {input: {a: 1, b: 2}, expected: 4}, {input: {a: 1, b: 1}, validator: r => r === 2},
            {input: {a: "x", b: 1}, error: true}])""",
    )
    assert [result["passed"] for result in value["results"]] == [True, False, True, True]
    assert value["summary"] == {"total": 4, "passed": 3, "failed": 1, "pass_rate": 0.75}


def test_a_tool_is_measured(tools: Any) -> None:
    told = tools.call("tools.benchmark_tool", "add", {"a": 1, "b": 2}, {"iterations": 5, "warmup": 1})
    assert (told["iterations"], told["successful"], told["errors"]) == (5, 5, 0)
    assert told["min_time"] <= told["median_time"] <= told["max_time"]


# Describing


def test_tools_are_described_for_people_and_programs(tools: Any) -> None:
    help_, markdown, every, as_json, openapi, examples, mcp, all_mcp = tools.calls(
        ("tools.get_tool_help", "add"),
        ("tools.generate_tool_documentation", "add"),
        ("tools.generate_all_tools_docs", "markdown"),
        ("tools.generate_tool_documentation", "add", "json"),
        ("tools.generate_all_tools_docs", "openapi"),
        ("tools.get_tool_examples", "add"),
        ("tools.export_tool_to_mcp", "add"),
        ("tools.export_all_to_mcp",),
    )
    assert tools.call("tools.get_tool_info", "add").keys() == tools.call("tools.get_info", {"name": "add"}).keys()
    as_mcp = json.loads(tools.call("tools.generate_all_tools_docs", "mcp"))
    assert [tool["name"] for tool in as_mcp["tools"]] == [tool["name"] for tool in all_mcp["tools"]]
    assert help_ == markdown
    assert "| `a` | number | yes |" in markdown
    assert "## double" in every
    assert json.loads(as_json)[0]["name"] == "add"
    assert json.loads(openapi)["paths"]["/tools/add"]["post"]["operationId"] == "add"
    assert examples[0]["parameters"] == {"a": 1, "b": 2}
    assert mcp["inputSchema"]["required"] == ["a", "b"] or sorted(mcp["inputSchema"]["required"]) == ["a", "b"]
    assert mcp["outputSchema"] == {"type": "number"}
    assert len(all_mcp["tools"]) >= 4


def test_snippets_run(tools: Any, spells: Any) -> None:
    lua, javascript = tools.calls(
        ("tools.generate_sdk_snippet", "add", "lua"), ("tools.export_tool", "add", "javascript")
    )
    value = tools.value(lua=f"{lua} return result", javascript=f"{javascript} return result")
    assert value == 3
    with pytest.raises(BridgeCallError, match="no language 'cobol'"):
        tools.call("tools.generate_sdk_snippet", "add", "cobol")
    assert json.loads(tools.call("tools.export_tool", "add"))["name"] == "add"


# Tools of distributions


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ToolSource("fs", exports=("read", "write"), category="file", details={"write": {"destructive": True}})
    monkeypatch.setattr("llmspell_llm.bridges.tools.base.discover", lambda: [source, ToolSource("not-installed")])


@pytest.mark.usefixtures("installed")
def test_exports_of_a_bridge_are_tools_within_the_policy(spells: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    spells.policy = Policy.standard().narrow(time=60).grant(read={str(path)})
    info, text = spells.calls(("tools.get_info", "read"), ("tools.execute", "read", {"path": str(path)}))
    assert (info["source"], info["category"], text) == ("bridge", "file", "hello")
    assert info["parameters"]["required"] == ["path"]
    with pytest.raises(BridgeCallError, match="grant"):
        spells.call("tools.execute", "read", {"path": "/etc/hostname"})
    with pytest.raises(BridgeCallError, match="do not fit"):
        spells.call("tools.execute", "read", {"path": 3})


@pytest.mark.usefixtures("installed")
def test_a_tool_whose_bridge_is_not_granted_is_refused(spells: Any, tmp_path: Path) -> None:
    spells.policy = Policy.standard().narrow(time=60).grant(read={str(tmp_path)}, denied={"fs.read"})
    with pytest.raises(BridgeCallError, match=r"fs\.read is not granted"):
        spells.call("tools.execute", "read", {"path": str(tmp_path / "x")})


# Hooks and other languages


def test_hooks_see_change_and_veto_tool_calls(tools: Any) -> None:
    value = tools.value(
        lua="""hooks.register_hook{type = "before_tool_call", handler = function(c)
                if c.tool_name == "double" then return false end
                return {arguments = {a = c.arguments.a * 10, b = c.arguments.b}} end}
            hooks.register_hook{type = "after_tool_call", handler = function(c) return {result = c.result + 1000} end}
            local safe = tools.execute_safe("double", {n = 1}, {silent = true})
            return {tools.execute("add", {a = 1, b = 2}), safe.error.code}""",
        javascript="""hooks.registerHook({type: "before_tool_call", handler: c => {
                if (c.tool_name === "double") return false;
                return {arguments: {a: c.arguments.a * 10, b: c.arguments.b}} }});
            hooks.registerHook({type: "after_tool_call", handler: c => ({result: c.result + 1000})});
            const safe = await tools.executeSafe("double", {n: 1}, {silent: true});
            return [await tools.execute("add", {a: 1, b: 2}), safe.error.code]""",
    )
    assert value == [1012, "vetoed"]


def test_a_tool_of_one_language_is_used_from_another(spells: Any, tmp_path: Path) -> None:
    from llmspell import Host

    shout = """tools.define("shout", "Shout", {parameters = {s = "string"}}, function(p) return p.s:upper() .. "!" end)
        return {}"""
    (tmp_path / "helper.lua").write_text(shout)
    (tmp_path / "main.js").write_text('await require("./helper.lua"); return await tools.execute("shout", {s: "hey"})')
    pytest.importorskip("llmspell_lua.plugin")
    pytest.importorskip("llmspell_quickjs.plugin")
    with Host(config=spells.config, environ=spells.environ) as host, host.session(policy=spells.policy) as session:
        assert session.run(str(tmp_path / "main.js")).value == "HEY!"


def test_a_tool_of_lua_is_used_by_an_agent_of_javascript(spells: Any, tmp_path: Path) -> None:
    from llmspell import Host
    from llmspell.testing import FakeReply, FakeToolCall

    pytest.importorskip("llmspell_lua.plugin")
    pytest.importorskip("llmspell_quickjs.plugin")
    spells.fake.say(FakeReply(tool_calls=(FakeToolCall("shout", {"s": "hey"}),)), "I shouted.")
    (tmp_path / "helper.lua").write_text(
        """tools.define("shout", "Shout", {parameters = {s = "string"}, output = "string"},
            function(p) return p.s:upper() .. "!" end)
        return {}"""
    )
    (tmp_path / "main.js").write_text(
        """await require("./helper.lua");
        const crier = await agent.create({name: "crier", tools: ["shout"]});
        return await crier.run("Shout hey.", {details: true});"""
    )
    with Host(config=spells.config, environ=spells.environ) as host, host.session(policy=spells.policy) as session:
        value = session.run(str(tmp_path / "main.js")).value
    assert value["content"] == "I shouted."
    assert [(call["name"], call["result"]) for call in value["tool_calls"]] == [("shout", "HEY!")]


@pytest.mark.usefixtures("installed")
def test_a_plugin_that_refuses_a_call_refuses_the_tool_too(spells: Any, tmp_path: Path) -> None:
    from llmspell.plugin import Denial, hookimpl

    class Guardian:
        @hookimpl
        def llmspell_authorize(self, call: Any) -> Any:
            inner = (call.bridge, call.method) == ("fs", "read")
            return Denial(f"not {call.args[0]['path']}") if inner else None

    path = tmp_path / "a.txt"
    path.write_text("hello")
    source = {
        "lua": 'return tools.execute("read", {path = params.path})',
        "javascript": 'return await tools.execute("read", {path: params.path})',
    }
    policy = spells.policy.grant(read={str(path)})
    with spells.host() as host:
        host.register(Guardian(), "guardian")
        with host.session(policy=policy) as session, pytest.raises(BridgeCallError, match=r"fs\.read is refused: not"):
            session.eval(spells.language, source[spells.language], {"path": str(path)})


def test_what_models_read_has_the_same_order_in_every_run(spells: Any) -> None:
    """Tables of Lua have no order, so they are sorted; objects of JavaScript are as they were written."""
    lua = """
        local names, parameters = {"pear", "fig", "apple", "cherry", "banana", "elder", "date", "grape"}, {}
        for _, name in ipairs(names) do parameters[name] = "string" end
        local tool = tools.define("shop", "Sells fruit", {parameters = parameters}, function() return parameters end)
        return {tool.parameters.required, json.encode(tools.execute("shop", parameters))}"""
    javascript = """
        const parameters = {pear: "string", fig: "string", apple: "string"};
        const tool = tools.define("shop", "Sells fruit", {parameters}, () => parameters);
        return [tool.parameters.required, JSON.stringify(await tools.execute("shop", parameters))]"""
    required, told = spells.run(lua=lua, javascript=javascript).value
    sorted_names = ["apple", "banana", "cherry", "date", "elder", "fig", "grape", "pear"]
    assert required == (sorted_names if spells.language == "lua" else ["pear", "fig", "apple"])
    assert list(json.loads(told)) == required
