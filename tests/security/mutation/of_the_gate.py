"""What a script may ask of the host, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from defences import Defence, Edit

from llmspell import Host, MemoryRecorder, Policy
from llmspell.errors import LlmspellError
from llmspell.gate import budget, doors, faults, record
from llmspell.gate.gate import Gate
from llmspell.host import result
from llmspell.plugin import Bridge, BridgeSpec, Secret, export, hookimpl
from llmspell.runtime import results
from llmspell.runtime.run import Run

CANARY = "canary-6f2d91"
SECRETS = {"secrets": frozenset({"VAULT_KEY"})}


class Vault(Bridge):
    """Has what a script should not."""

    name = "vault"

    @export
    def unlock(self, key: Annotated[str, Secret()] = "") -> str:
        """Return the treasure."""
        return "treasure"

    @export
    def tell(self) -> str:
        """Return the value of a secret, carelessly."""
        return f"the key is {CANARY}"

    @export
    def fail(self) -> str:
        """Fail in a way that tells much."""
        raise RuntimeError(f"no such file: /home/{CANARY}/keys")


class Plugin:
    """Offers the vault; refuses to open it where it is asked to."""

    def __init__(self, forbid: bool) -> None:
        self.forbid = forbid

    @hookimpl
    def llmspell_bridges(self) -> Any:
        yield BridgeSpec("vault", factory=Vault)

    @hookimpl
    def llmspell_authorize(self, call: Any) -> Any:
        from llmspell.plugin import Denial

        return Denial("not today") if self.forbid else None


def ask(text: str, *, forbid: bool = False, recorder: Any = None, grants: Any = None, **limits: Any) -> Any:
    """Run Lua in this process and return its value and output, or the error that ended it."""
    policy = Policy.minimal().narrow(**{"time": 20, **limits})
    if grants is not None:
        policy = replace(policy, grants=replace(policy.grants, **grants))
    environ = {"VAULT_KEY": CANARY} if grants is SECRETS else {}
    with Host(config={}, environ=environ) as host:
        host.register(Plugin(forbid), "vault")
        with host.session(policy=policy, recorder=recorder) as session:
            try:
                result = session.eval("lua", text)
            except LlmspellError as error:
                return error
            return f"{result.value}\n{result.output}"


def opens(**how: Any) -> bool:
    return "treasure" in str(ask("return vault.unlock()", **how))


def denied_bridge(_: Path) -> bool:
    return opens(grants={"denied": frozenset({"vault.unlock"})})


def told_path(_: Path) -> bool:
    return CANARY in str(ask("local ok, e = pcall(vault.fail) return e.message"))


def told_secret(_: Path) -> bool:
    return CANARY in str(ask("return vault.tell()", grants=SECRETS))


def printed_secret(_: Path) -> bool:
    halves = f"'{CANARY[:5]}' .. '{CANARY[5:]}'"
    return CANARY in str(ask(f"print({halves})", grants=SECRETS))


def recorded_secret(_: Path) -> bool:
    recorder = MemoryRecorder()
    ask(f"return vault.unlock('{CANARY}')", recorder=recorder)
    assert recorder.records
    return CANARY in repr(recorder.records)


def error_with_secret(_: Path) -> bool:
    return CANARY in str(ask(f"error('{CANARY[:5]}' .. '{CANARY[5:]}')", grants=SECRETS))


def too_many_calls(_: Path) -> bool:
    return "done" in str(ask("for i = 1, 50 do vault.unlock() end return 'done'", calls=10))


def floods(_: Path) -> bool:
    return not isinstance(ask("print(('x'):rep(100000)) return 1", output=1000), LlmspellError)


def large_result(_: Path) -> bool:
    return not isinstance(ask("return ('x'):rep(100000)", result=1000), LlmspellError)


DEFENCES = [
    Defence("the grants, at the gate", denied_bridge,
            (Edit(doors.find, "if not grants.allows_call(target, method)", "if False"),)),
    Defence("plugins that refuse calls", lambda _: opens(forbid=True),
            (Edit(Gate._serve, "if self.authorize is not None", "if False"),)),
    Defence("what a script is told of an error", told_path,
            (Edit(faults.fault_of, 'f"{where} failed inside the host; the host\'s log says why"', "str(error)"),)),
    Defence("redaction of what a bridge returns", told_secret,
            (Edit(Gate._reply, "if run.scrub is not None", "if False"),
             Edit(record.scrub_value, "return scrub(item)", "return item"))),
    Defence("redaction of what a script prints", printed_secret,
            (Edit(Run.output, "if self.scrub is not None", "if False"),)),
    Defence("redaction of errors", error_with_secret, (Edit(result.tell_of, "if scrub is not None", "if False"),)),
    Defence("redaction of secret parameters", recorded_secret,
            (Edit(Gate._record, "if door is not None and door.secrets", "if False"),)),
    Defence("the number of calls", too_many_calls,
            (Edit(budget.Budget.count_call, "limit is not None and usage.calls > limit", "False"),)),
    Defence("the amount of output", floods,
            (Edit(Run.output, "limit is not None and self._output_size", "False and self._output_size"),)),
    Defence("the size of a result", large_result,
            (Edit(results.result_of, "if limit is not None and size_of", "if False and size_of"),)),
]  # fmt: skip
