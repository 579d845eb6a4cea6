"""``llmspell run`` and ``llmspell exec``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from llmspell.cli.app import Settings
from llmspell.cli.options import Choices, run_options
from llmspell.cli.streams import ReaderGone, Stream

if TYPE_CHECKING:
    from llmspell.cli.progress import ProgressLine
    from llmspell.cli.running import Outcome
    from llmspell.cli.terminal import Terminal
    from llmspell.engine import Source
    from llmspell.gate import JsonlRecorder
    from llmspell.host.host import Host
    from llmspell.policy import Policy
    from llmspell.spell import Spell


@click.command()
@click.argument("file")
@click.option("-e", "--engine", metavar="NAME", default="", help="Script engine, if the file's ending does not tell.")
@run_options
@click.pass_obj
def run(settings: Settings, /, file: str, engine: str, **options: Any) -> int:
    """Run a spell.

    FILE is a script, or - for one on standard input (Lua, unless --engine or its front matter say otherwise).
    A parameter that the spell declares as a file or directory, given with -p, may be read by the spell: exactly
    that path. Nothing else may, unless allowed.
    """
    from llmspell.spell import read_source

    return _run(settings, _from_stdin(engine) if file == "-" else read_source(file, language=engine), options)


@click.command()
@click.argument("language", metavar="LANG")
@click.argument("code")
@run_options
@click.pass_obj
def execute(settings: Settings, /, language: str, code: str, **options: Any) -> int:
    """Run CODE written in LANG, e.g. llmspell exec lua 'return 1 + 1'. A CODE of - is read from standard input."""
    from llmspell.engine import Source
    from llmspell.spell import decode_source

    if code == "-":
        return _run(settings, _from_stdin(language), options)
    return _run(settings, Source(decode_source(os.fsencode(code), "<exec>"), "<exec>", language), options)


def _from_stdin(language: str) -> Source:
    from llmspell.engine import Source
    from llmspell.errors import UsageError
    from llmspell.spell import MAX_SOURCE_BYTES, decode_source

    if sys.stdin is None:
        raise UsageError("there is no standard input to read the spell from")
    raw = sys.stdin.buffer.read(MAX_SOURCE_BYTES + 1)
    return Source(decode_source(raw, "<stdin>"), "<stdin>", language)


def _spell(source: Source) -> Spell:
    """Read the front matter; what neither it nor a file's ending tells is Lua."""
    from llmspell.engine import Source
    from llmspell.spell import Spell

    spell = Spell.from_source(source)
    if spell.source.language or source.name != "<stdin>":
        return spell
    return Spell(Source(source.text, source.name, "lua"), spell.manifest)


def _run(settings: Settings, source: Source, options: dict[str, Any]) -> int:
    from llmspell.cli.failure import fail
    from llmspell.errors import ScriptSyntaxError
    from llmspell.spell import named_paths, parse_assignments, read_params_file, surplus_hint

    choices = Choices.taken_from(options)
    as_json, quiet = options["as_json"], options["quiet"]
    try:
        spell = _spell(source)
    except ScriptSyntaxError as error:
        return fail(error, as_json=as_json, source=source)
    out, err = Stream.out(), Stream.err()
    given: dict[str, Any] = {}
    if options["params_file"] is not None:
        given |= read_params_file(options["params_file"])
    given |= parse_assignments(spell.manifest, options["params"])
    if not quiet and (hint := surplus_hint(spell.manifest, given)):
        err.line(f"note: {hint}")
    host = settings.open_host(warn=not quiet)
    policy = choices.policy(host, named_paths(spell.manifest, given))
    _prepare(settings, host, spell, policy)
    from llmspell.cli.running import perform  # while the worker comes to life
    from llmspell.cli.terminal import Terminal

    recorder = _recorder(options["record"])
    try:
        streams = None if as_json else {"output": out, "error_output": err}
        progress = None if as_json or quiet or not err.is_terminal else _progress(err, out)
        terminal = Terminal.of_process(out, err, (lambda: None) if progress is None else progress.clear)
        if err.is_terminal and terminal is not None and terminal.interactive:
            _let_person_approve(host, err, terminal)
        if spell.source.name == "<stdin>":
            terminal = None  # standard input that held the spell has no answers left
        outcome = perform(
            host, spell, given, policy, recorder=recorder, streams=streams, progress=progress, terminal=terminal
        )
    finally:
        if recorder is not None:
            recorder.close()
    if as_json:
        _show_json(outcome, out)
    if outcome.error is not None:
        return _show_error(outcome, spell)
    if not as_json and not quiet:
        _show_result(outcome, out, err)
    return 0


def _let_person_approve(host: Host, err: Stream, terminal: Terminal) -> None:
    from llmspell.cli.approving import TerminalApproval

    host.approve = TerminalApproval(terminal, err)


def _prepare(settings: Settings, host: Host, spell: Spell, policy: Policy) -> None:
    """Let the worker come to life while this process gets ready to run the spell in it."""
    from llmspell.errors import LlmspellError

    if settings.launch is None or policy.placement == "inline":
        return
    host.adopt(settings.launch)
    with suppress(LlmspellError):  # the run is going to say so
        host.prepare(spell.source, policy)


def _recorder(path: str | None) -> JsonlRecorder | None:
    if path is None:
        return None
    from llmspell.gate import JsonlRecorder

    return JsonlRecorder(path)


def _progress(err: Stream, out: Stream) -> ProgressLine:
    from llmspell.cli.progress import ProgressLine

    return ProgressLine(err, out)


def _show_json(outcome: Outcome, out: Stream) -> None:
    from llmspell.cli.failure import as_known, exit_code
    from llmspell.cli.payload import dumps, run_payload

    account = outcome.account
    error = None if outcome.error is None else as_known(outcome.error)
    if error is not None and exit_code(error) == 0:
        error = None
    payload = run_payload(
        value=None if outcome.result is None else outcome.result.value,
        output="".join(outcome.printed),
        usage={} if account is None else account.usage.as_dict(),
        seconds=outcome.seconds,
        error=error,
    )
    out.line(dumps(payload))


def _show_error(outcome: Outcome, spell: Spell) -> int:
    """Report the error of a run; a script that chose to exit has said what it wanted to say."""
    from llmspell.cli.failure import as_known, exit_code, report
    from llmspell.errors import ScriptExitError

    assert outcome.error is not None
    if isinstance(outcome.error, ReaderGone):
        raise outcome.error
    error = as_known(outcome.error)
    if not isinstance(error, ScriptExitError):
        report(error, spell.source)
    return exit_code(error)


def _show_result(outcome: Outcome, out: Stream, err: Stream) -> None:
    from llmspell.cli.show import show_value
    from llmspell.cli.warnings import told, warn_of

    result = outcome.result
    assert result is not None
    if not out.at_line_start:
        out.line("")
    if len(result.values) > 1:
        for value in result.values:
            show_value("null" if value is None else value, out)
    else:
        show_value(result.value, out)
    warn_of(told(warning) for warning in result.warnings)
    if err.is_terminal and result.usage.requests:
        usage = result.usage
        cost = "cost unknown" if usage.unpriced else f"${usage.cost:.4f}"
        requests = "1 model request" if usage.requests == 1 else f"{usage.requests} model requests"
        err.line(f"({requests}, {usage.tokens:,} tokens, {cost}, {result.duration:.1f} s)")
