"""What an export may know of the call it serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from llmspell.bridge.function import ScriptFunction
    from llmspell.guards import FilesGuard, NetGuard
    from llmspell.policy import Policy


class RunView(Protocol):
    """The part of a run that calls show to exports."""

    id: str
    language: str
    session: str
    principal: str
    policy: Policy
    deadline: float | None
    files: FilesGuard
    net: NetGuard

    def checkpoint(self) -> None: ...
    def output(self, text: str) -> None: ...
    def event(self, kind: str, data: dict[str, Any]) -> None: ...
    def spend(self, usage: dict[str, Any]) -> None: ...
    def secret(self, name: str) -> str | None: ...


class Call:
    """One host call: who asks, under which policy, until when.

    An export receives it when its first parameter (after ``self``) is annotated ``Call``.

    Attributes:
        bridge: The bridge's name as the script used it.
        method: The export's name.
        line: Line of the script, 0 if unknown.
    """

    __slots__ = ("_on_progress", "_run", "_told", "bridge", "line", "method")

    def __init__(
        self, run: RunView, bridge: str, method: str, line: int = 0, on_progress: ScriptFunction | None = None
    ) -> None:
        self._on_progress = on_progress
        self._told: asyncio.Task[Any] | None = None
        self._run = run
        self.bridge = bridge
        self.method = method
        self.line = line

    @property
    def run(self) -> Any:
        """The run itself, for bridges of the house (``spell``, ``async``); not part of the plugin contract."""
        return self._run

    @property
    def run_id(self) -> str:
        return self._run.id

    @property
    def session(self) -> str:
        """Name of the session: what bridges keep state by."""
        return self._run.session

    @property
    def principal(self) -> str:
        """On whose behalf the session runs; never share state between two principals."""
        return self._run.principal

    @property
    def language(self) -> str:
        return self._run.language

    @property
    def policy(self) -> Policy:
        return self._run.policy

    @property
    def deadline(self) -> float | None:
        """When the run ends, on the clock of ``time.monotonic``; None for never."""
        return self._run.deadline

    @property
    def files(self) -> FilesGuard:
        """The one way to the file system: only what the policy granted."""
        return self._run.files

    @property
    def net(self) -> NetGuard:
        """The one way to the network: only what the policy granted."""
        return self._run.net

    def secret(self, name: str) -> str | None:
        """Return the value of a granted secret or environment variable, or None.

        The value is redacted wherever llmspell shows or records something. Never return it to the script.
        """
        return self._run.secret(name)

    def checkpoint(self) -> None:
        """Raise if the run was cancelled or is over its deadline; call it inside long loops."""
        self._run.checkpoint()

    def emit(self, text: str) -> None:
        """Write to the run's output, as the script's own print does."""
        self._run.output(text)

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell how far the work is, 0 to 1.

        Observers are told each time. The script's ``on_progress`` function (an option every ``async def`` export
        takes) is called with ``(fraction, message)``; while one such call is still running, further ones are left
        out.
        """
        self._run.event("progress", {"fraction": fraction, "message": message, "call": f"{self.bridge}.{self.method}"})

        told = self._told
        if self._on_progress is not None and (told is None or told.done()):
            if told is not None and not told.cancelled() and (error := told.exception()) is not None:
                raise error
            self._told = asyncio.ensure_future(self._on_progress(fraction, message))

    async def settle(self) -> None:
        """Wait for the last call of ``on_progress``; what it raised is the call's failure."""
        if self._told is not None:
            await self._told

    async def hush(self) -> None:
        """Cancel a call of ``on_progress`` under way and wait for its end: the call has failed already."""
        told = self._told
        if told is not None:
            told.cancel()
            await asyncio.gather(told, return_exceptions=True)

    def event(self, kind: str, data: dict[str, Any]) -> None:
        """Tell observers something."""
        self._run.event(kind, data)

    def spend(self, **usage: Any) -> None:
        """Book usage: ``input_tokens``, ``output_tokens``, ``requests``, ``cost`` (US dollars; None if unknown).

        Raises:
            BudgetExceeded: The run's budget is used up; what was spent is booked all the same.
        """
        self._run.spend(usage)
