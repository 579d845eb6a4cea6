"""What an export may know of the call it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from contextlib import AbstractContextManager

    from llmspell.bridge.function import ScriptFunction
    from llmspell.guards import FilesGuard, NetGuard, ProgramsGuard
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
    programs: ProgramsGuard

    def checkpoint(self) -> None: ...
    def output(self, text: str) -> None: ...
    def event(self, kind: str, data: dict[str, Any]) -> None: ...
    def spend(self, usage: dict[str, Any]) -> None: ...
    def secret(self, name: str) -> str | None: ...
    def waiting_for_person(self) -> AbstractContextManager[None]: ...


class Call:
    """One host call: who asks, under which policy, until when.

    An export receives it when its first parameter (after ``self``) is annotated ``Call``.

    Attributes:
        bridge: The bridge's name as the script used it.
        method: The export's name.
        line: Line of the script, 0 if unknown.
    """

    __slots__ = ("_news", "_on_progress", "_run", "_telling", "bridge", "line", "method")

    def __init__(
        self, run: RunView, bridge: str, method: str, line: int = 0, on_progress: ScriptFunction | None = None
    ) -> None:
        self._on_progress = on_progress
        self._news: tuple[float, str] | None = None
        self._telling: asyncio.Task[None] | None = None
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

    @property
    def programs(self) -> ProgramsGuard:
        """The one way to start another program: only what the policy granted."""
        return self._run.programs

    def secret(self, name: str) -> str | None:
        """Return the value of a granted secret or environment variable, or None.

        The value is redacted wherever llmspell shows or records something. Never return it to the script.
        """
        return self._run.secret(name)

    def waiting_for_person(self) -> AbstractContextManager[None]:
        """Return a block in which an export waits for a person's answer: the run's time stands still meanwhile.

        Not for a run that goes on working in other tasks; that one is stopped at its deadline.
        """
        return self._run.waiting_for_person()

    def checkpoint(self) -> None:
        """Raise if the run was cancelled or is over its deadline; call it inside long loops."""
        self._run.checkpoint()

    def emit(self, text: str) -> None:
        """Write to the run's output, as the script's own print does."""
        self._run.output(text)

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell how far the work is, 0 to 1; what is outside is taken for the nearer end.

        Observers (the command line's bar is one) are told each time. The script's ``on_progress`` function, an option
        that every ``async def`` export with a ``Call`` takes, is called with ``(fraction, message)``, one call at a
        time: of what is told while one is still running, it hears the last.

        Raises:
            ValueError: ``fraction`` is not a number.
            ScriptError: What an earlier call of ``on_progress`` raised.

        Example:
            >>> from llmspell.plugin import Bridge, Call, export
            >>> class Counter(Bridge):
            ...     name = "counter"
            ...     @export
            ...     async def count(self, call: Call, to: int) -> int:
            ...         for at in range(to):
            ...             call.progress((at + 1) / to, f"{at + 1} of {to}")
            ...         return to
        """
        if fraction != fraction:  # noqa: PLR0124 - only nan differs from itself
            raise ValueError("progress is a number from 0 to 1, not nan")
        fraction = min(max(fraction, 0.0), 1.0)
        self._run.event("progress", {"fraction": fraction, "message": message, "call": f"{self.bridge}.{self.method}"})
        if self._on_progress is None:
            return
        telling = self._telling
        if telling is not None and not telling.done():
            self._news = (fraction, message)
            return
        if telling is not None and (error := telling.exception()) is not None:
            raise error
        import asyncio

        self._telling = asyncio.ensure_future(self._tell(self._on_progress, fraction, message))

    async def _tell(self, on_progress: ScriptFunction, fraction: float, message: str) -> None:
        await on_progress(fraction, message)
        while (news := self._news) is not None:
            self._news = None
            await on_progress(*news)

    async def settle(self) -> None:
        """Wait until ``on_progress`` has heard the last; what it raised is the call's failure."""
        if self._telling is not None:
            await self._telling

    async def hush(self) -> None:
        """End a call of ``on_progress`` under way, and wait for its end: the export itself has failed."""
        telling = self._telling
        if telling is not None:
            import asyncio

            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    def event(self, kind: str, data: dict[str, Any]) -> None:
        """Tell observers something."""
        self._run.event(kind, data)

    def spend(self, **usage: Any) -> None:
        """Book usage: ``input_tokens``, ``output_tokens``, ``requests``, ``cost`` (US dollars; None if unknown).

        Raises:
            BudgetExceeded: The run's budget is used up; what was spent is booked all the same.
        """
        self._run.spend(usage)
