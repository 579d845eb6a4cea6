"""Where a ``Date`` of a script goes, and where one comes from: every door of the host that values pass.

What keeps values as they are (exports, callbacks, states in memory, events, channels, checkpoints) keeps points in
time. What is JSON (files and saved states, tools, models, schemas, templates) has them as ISO 8601 text.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmspell import BridgeCallError, ConversionError, Grants, Host, JsonlRecorder, MemoryRecorder, Policy, Source
from llmspell.errors import EngineNotFoundError, ScriptRuntimeError
from llmspell.plugin import Bridge, BridgeSpec, HostObject, ScriptFunction, export, hookimpl

AT = dt.datetime(2026, 1, 31, 8, 0, 0, 123_000, dt.UTC)
EAST = dt.timezone(dt.timedelta(hours=2))
SAME = AT.astimezone(EAST)
TEXT = "2026-01-31T08:00:00.123Z"
NEW = f"new Date({int(AT.timestamp() * 1000)})"

Evaluate = Callable[..., Any]


@dataclass(frozen=True)
class Appointment:
    starts_at: dt.datetime
    day: dt.date


class Clock(HostObject):
    """A handle that speaks of time."""

    @export
    def read(self) -> dt.datetime:
        """Tell the time."""
        return SAME


class Calendar(Bridge):
    name = "calendar"

    @export
    def keep(self, value: Any) -> Any:
        """Return what was given."""
        return value

    @export
    def appointment(self) -> Appointment:
        """Return a record."""
        return Appointment(SAME, SAME.date())

    @export
    def clock(self) -> Clock:
        """Return a handle."""
        return Clock()

    @export
    async def ticks(self) -> AsyncIterator[dt.datetime]:
        """Stream points in time."""
        yield SAME
        yield SAME

    @export
    async def ask(self, function: ScriptFunction) -> Any:
        """Call a function of the script with a point in time, and return what it returns."""
        return await function(SAME, {"at": [SAME]})

    @export
    def typed(
        self,
        when: dt.datetime,
        text: str = "",
        day: dt.date | None = None,
        texts: list[str] | None = None,
        *,
        either: str | dt.datetime = "",
    ) -> list[Any]:
        """Tell what was made of the arguments."""
        return [type(when).__name__, when, text, day, texts, type(either).__name__, either]

    @export
    def number(self, count: int) -> None:
        """Take an integer."""


class Offer:
    @hookimpl
    def llmspell_bridges(self) -> list[BridgeSpec]:
        return [BridgeSpec("calendar", Calendar)]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(config={}, environ={}) as host:
        try:
            host.engine_spec(Source("", language="javascript"))
        except EngineNotFoundError:
            pytest.skip("the engine javascript is missing")

        host.register(Offer(), name="calendars")
        yield host


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    granted = frozenset({str(tmp_path)})
    return Policy(level="minimal", grants=Grants(bridges=frozenset({"*"}), read=granted, write=granted))


@pytest.fixture
def evaluate(host: Host, policy: Policy) -> Iterator[Evaluate]:
    """Evaluate JavaScript in one session, or what ``language`` names."""
    with host.session(policy=policy) as session:
        yield lambda text, params=None, language="javascript": session.eval(language, text, params).value


@pytest.mark.parametrize("level", ["minimal", "standard"])
def test_parameters_and_results(host: Host, level: str) -> None:
    code = "const { at, list } = params; return { same: at instanceof Date && +at === +list[0].at, at, list }"
    with host.session(policy=Policy.at_level(level)) as session:  # type: ignore[arg-type]
        value = session.eval("javascript", code, {"at": SAME, "list": [{"at": SAME}]}).value
    assert value == {"same": True, "at": AT, "list": [{"at": AT}]}
    assert value["at"].tzinfo is dt.UTC


@pytest.mark.parametrize("level", ["minimal", "standard"])
def test_a_date_without_a_form_fails_the_run_with_its_path(host: Host, level: str) -> None:
    with host.session(policy=Policy.at_level(level)) as session:  # type: ignore[arg-type]
        with pytest.raises(ConversionError, match="years 1 to 9999") as caught:
            session.eval("javascript", "return { when: [new Date(8.64e15)] }")
        assert caught.value.path == "$.when[0]"
        assert session.eval("javascript", "return new Date(0)").value == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def test_records_handles_and_streams(evaluate: Evaluate) -> None:
    code = """
    const { startsAt, day } = calendar.appointment();
    const ticks = [];
    for await (const tick of calendar.ticks()) ticks.push(tick);
    return [startsAt instanceof Date, day, calendar.clock().read(), ticks]
    """
    assert evaluate(code) == [True, "2026-01-31", AT, [AT, AT]]


def test_callbacks(evaluate: Evaluate) -> None:
    assert evaluate("return calendar.ask((at, { at: [same] }) => [+at === +same, { at }])") == [True, {"at": AT}]


def test_what_is_free_gets_a_datetime_in_utc(evaluate: Evaluate) -> None:
    assert evaluate(f"return calendar.keep({{ at: [{NEW}] }})") == {"at": [AT]}


def test_what_is_declared_gets_what_it_declares(evaluate: Evaluate) -> None:
    midnight = "new Date(Date.UTC(2026, 0, 31))"
    code = f"return calendar.typed({NEW}, {NEW}, {midnight}, ['a', {NEW}], {{ either: {NEW} }})"
    assert evaluate(code) == ["datetime", AT, TEXT, "2026-01-31", ["a", TEXT], "datetime", AT]
    assert evaluate(f"return calendar.typed('{TEXT}', {NEW})")[:3] == ["datetime", AT, TEXT]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (f"number({NEW})", "argument 1 ('count') should be an integer, got a date and time"),
        (f"typed({NEW}, '', {NEW})", "argument 3 ('day') should be a date without a time or nothing, got a date and"),
        ("typed('soon')", "argument 1 ('when') should be a date and time, got a text"),
        (f"typed({NEW}, [{NEW}])", "argument 2 ('text') should be a text, got a list"),
    ],
)
def test_what_does_not_fit_is_told(evaluate: Evaluate, call: str, message: str) -> None:
    with pytest.raises(BridgeCallError) as caught:
        evaluate(f"calendar.{call}")
    assert message in caught.value.message


# Between scripts


FILES = {
    "lib.lua": """
        local M = {}
        function M.same(at) return at end
        function M.ask(fn, at) return fn(at) end
        return M
        """,
    "lib.js": "export const now = () => new Date(5); export const kind = (at) => [at instanceof Date, at];",
    "child.js": "return { at: params.at, is: params.at instanceof Date }",
    "child.lua": "return params.at",
}


@pytest.fixture
def run_beside(tmp_path: Path, host: Host, policy: Policy) -> Iterator[Callable[[str, str], Any]]:
    """Run a file beside those above."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with host.session(policy=policy) as session:

        def run(name: str, text: str) -> Any:
            (tmp_path / name).write_text(text)
            return session.run(tmp_path / name).value

        yield run


def test_a_child_in_javascript_gets_a_date_and_gives_one(run_beside: Callable[[str, str], Any]) -> None:
    code = f"const {{ at, is }} = await spell.run('./child.js', {{ at: {NEW} }}); return [is, at instanceof Date, at]"
    assert run_beside("main.js", code) == [True, True, AT]


def test_lua_gets_the_text_of_an_instant(run_beside: Callable[[str, str], Any]) -> None:
    text = "2026-01-31T08:00:00.123000+00:00"
    assert run_beside("main.js", f"return spell.run('./child.lua', {{ at: {NEW} }})") == text
    code = f"""
    const lib = await spell.load("./lib.lua");
    return [await lib.same({NEW}), await lib.ask((at) => typeof at, {NEW})]
    """
    assert run_beside("main.js", code) == [text, "string"]


def test_lua_gets_a_text_from_a_javascript_library_and_gives_one(run_beside: Callable[[str, str], Any]) -> None:
    code = 'local lib = require("./lib.js"); return {lib.now(), lib.kind(lib.now())}'
    text = "1970-01-01T00:00:00.005000+00:00"
    assert run_beside("main.lua", code) == [text, [False, text]]


def test_an_error_that_crosses_languages_has_its_dates(run_beside: Callable[[str, str], Any]) -> None:
    code = """
        local ok, error = pcall(require("./late.js").late)
        return {error.code, error.details.due}
        """
    late = "export function late() { throw Object.assign(new Error('late'), { code: 'late', due: new Date(5) }) }"
    run_beside("late.js", late)
    assert run_beside("main.lua", code) == ["late", "1970-01-01T00:00:00.005000+00:00"]


def test_channels_between_tasks_and_runs(evaluate: Evaluate) -> None:
    own = f"const c = require('channel').new(1); await c.send({NEW}); return (await c.receive()).value"
    assert evaluate(own) == AT
    evaluate(f"const c = await require('channel').shared('clock', 1); await c.send({{ at: {NEW} }})")
    code = """
    const shared = await require('channel').shared('clock');
    const { at } = (await shared.receive()).value;
    return [at instanceof Date, at]
    """
    assert evaluate(code) == [True, AT]


# In the host's bridges


def test_a_state_in_memory_keeps_dates_and_a_saved_one_is_json(evaluate: Evaluate, tmp_path: Path) -> None:
    code = f"""
    state.set("due.first", {NEW});
    const kept = state.get("due.first");
    await state.persistTo("{tmp_path}/states.sqlite3");
    await state.save("mine");
    state.set("due.first", null);
    await state.load("mine");
    return [kept, state.get("due.first")]
    """
    assert evaluate(code) == [AT, TEXT]


def test_events_bring_dates_to_listeners(evaluate: Evaluate) -> None:
    code = f"""
    const heard = [];
    events.on("tick", (data) => heard.push(data.at instanceof Date, data.at));
    await events.emit("tick", {{ at: {NEW} }});
    return heard
    """
    assert evaluate(code) == [True, AT]


def test_what_is_written_has_its_text(evaluate: Evaluate) -> None:
    code = f"""
    const at = {NEW};
    const prompt = llm.prompt("{{{{ at }}}} {{{{ all|tojson }}}} {{{{ all }}}}", {{ at, all: [at] }});
    return [data.toJson({{ at }}), json.encode([at]), json.marshalIndent(at), core.template("at {{{{at}}}}", {{ at }}),
            core.join(["at", at], " "), prompt, JSON.stringify({{ at }}), errors.wrap(at).message]
    """
    assert evaluate(code) == [
        f'{{"at":"{TEXT}"}}', f'["{TEXT}"]', f'"{TEXT}"', f"at {TEXT}", f"at {TEXT}",
        f'{TEXT} ["{TEXT}"] ["{TEXT}"]', f'{{"at":"{TEXT}"}}', TEXT,
    ]  # fmt: skip


def test_a_log_has_its_text(evaluate: Evaluate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "llmspell.script")
    evaluate(f"await log.info('begins', {{ at: {NEW}, list: [{NEW}] }})")
    assert f'at={TEXT} list=["{TEXT}"]' in caplog.text


def test_schemas_see_the_json_it_would_be(evaluate: Evaluate) -> None:
    code = f"""
    const schema = {{ type: "object", properties: {{ at: {{ type: "string", format: "date-time" }} }} }};
    const value = {{ at: {NEW} }};
    return [data.validate(value, schema).valid, (await structured.validate(schema, value)).valid,
            data.inferSchema(value).properties.at, (await structured.infer(value)).properties.at]
    """
    date_time = {"type": "string", "format": "date-time"}
    assert evaluate(code) == [True, True, date_time, date_time]


def test_tools_speak_json(evaluate: Evaluate) -> None:
    code = f"""
    const seen = [];
    const parameters = {{ type: "object", properties: {{ at: {{ type: "string", format: "date-time" }} }} }};
    tools.define("remind", "Remind somebody.", {{ parameters }}, ({{ at }}) => {{
      seen.push(at);
      return {{ next: {NEW} }};
    }});
    return [await tools.execute("remind", {{ at: {NEW} }}), seen]
    """
    assert evaluate(code) == [{"next": TEXT}, [TEXT]]


def test_a_workflow_that_goes_on_has_the_same_dates(evaluate: Evaluate, tmp_path: Path) -> None:
    code = f"""
    let fail = true;
    await workflow.create("w", {{ steps: [
      {{ id: "a", function: (input) => ({{ at: new Date(+input.at + 1) }}) }},
      {{ id: "b", function: ({{ at }}) => {{
        if (fail) throw new Error("power cut");
        return [at instanceof Date, at];
      }} }},
    ] }});
    const how = {{ runId: "r", checkpoint: "{tmp_path}/runs" }};
    try {{ await workflow.execute("w", {{ at: {NEW} }}, how) }} catch {{ fail = false }}
    return workflow.execute("w", {{ at: {NEW} }}, how)
    """
    assert evaluate(code) == [True, AT + dt.timedelta(milliseconds=1)]


def test_a_snapshot_of_an_agent_has_the_same_dates(evaluate: Evaluate, tmp_path: Path) -> None:
    code = f"""
    await providers.fake("robot", ["ok"]);
    const pilot = await agent.create("pilot", {{ model: "robot" }});
    agent.setState(pilot, {{ due: {NEW} }});
    await agent.createSnapshot(pilot, "before", {{ directory: "{tmp_path}/shelf" }});
    agent.setState(pilot, {{}});
    await agent.restoreSnapshot(pilot, "before", {{ directory: "{tmp_path}/shelf" }});
    return agent.getState(pilot).due
    """
    assert evaluate(code) == AT


def test_errors_carry_dates(evaluate: Evaluate) -> None:
    raising = f"errors.raise({{ code: 'late', message: 'm', due: {NEW} }})"
    assert evaluate(f"try {{ {raising} }} catch (e) {{ return e.details.error.due }}") == AT
    with pytest.raises(ScriptRuntimeError) as caught:
        evaluate(f"throw {{ message: 'late', due: {NEW} }}")
    assert caught.value.value["due"] == AT


def test_assertions_compare_dates(evaluate: Evaluate) -> None:
    code = f"""
    testing.assertEquals({NEW}, {NEW});
    testing.assertGreaterThan(new Date(+{NEW} + 1), {NEW});
    testing.assertEquals({NEW}, new Date(5));
    """
    with pytest.raises(BridgeCallError, match=rf'expected "1970-01-01T00:00:00.005Z", got "{TEXT}"'):
        evaluate(code)


# Records


def test_a_record_keeps_instants_and_its_json_has_their_text(host: Host, policy: Policy, tmp_path: Path) -> None:
    memory = MemoryRecorder()
    written = JsonlRecorder(tmp_path / "calls.jsonl")
    for recorder in (memory, written):
        with host.session(policy=policy, recorder=recorder) as session:
            session.eval("javascript", f"calendar.keep({{ at: {NEW}, big: 2n ** 70n }}); calendar.keep({NEW})")
    written.close()
    first, second = (record for record in memory.records if record.method == "keep")
    assert first.args[0]["at"] == first.result["at"] == second.result == AT
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    first, second = (line for line in lines if line["method"] == "keep")
    assert [dt.datetime.fromisoformat(said) for said in (first["args"][0]["at"], second["result"])] == [AT, AT]
