"""Guests of several languages in one run, and whole spells run by spells.

Each language has at most one guest in a run. A foreign guest's run is a child of the run that asked for it: it
draws on its parent's budget and deadline, has no more rights, and ends with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llmspell.bridge import Bridge, Call, HostObject, ScriptFunction, export
from llmspell.engine import Source
from llmspell.errors import BridgeError, DeadlineExceeded, EngineCrashed, ScriptModuleNotFoundError
from llmspell.policy import Policy
from llmspell.runtime.conversation import Conversation
from llmspell.runtime.outcome import why_lost
from llmspell.values import FunctionRef

if TYPE_CHECKING:
    from llmspell.runtime.run import Run


MOST_WAITING = 50
"""Files that wait for a module in a row. Half of them may be of an engine that takes them one inside the other."""


class Neighbour(HostObject):
    """The guest of another language in a run, and what drives it."""

    def __init__(self, conversation: Conversation, task: asyncio.Task[None] | None) -> None:
        self.conversation = conversation
        self._task = task
        self.loading: dict[str, asyncio.Future[Any]] = {}  # exports of modules, by name; also of those that are there
        self.waiting: dict[str, tuple[str, ...]] = {}  # the files that wait for a module, by its name

    async def aclose(self) -> None:
        """End the guest, and wait for it; the run's own guest ends with the run."""
        if self._task is None:
            return
        self.conversation.dismiss()
        await asyncio.gather(self._task, return_exceptions=True)
        for item in self.conversation.run.end():
            await item.aclose() if hasattr(item, "aclose") else item.close()
        self.conversation.run.services.release(self.conversation)


async def load_foreign(run: Run, source: Source, importer: str) -> Any:
    """Load a module into the guest of its language; return its exports, functions among them awaitable.

    Args:
        run: That of the guest that asks.
        source: The module.
        importer: The file that asks.

    Raises:
        ScriptModuleNotFoundError: The module is being loaded already, by one that this one requires.
        BridgeError: Too many files wait for modules of other languages already, each for the next.
        ScriptError: It does not compile, or raised.
    """
    home = run.home
    waiting = _waiting(run, importer)
    if len(waiting) > MOST_WAITING:
        message = f"{source.name}: more than {MOST_WAITING} files of several languages wait for each other"
        raise BridgeError(message, code="too_deep")
    neighbour = home.neighbours.get(source.language)
    if neighbour is None and source.language == home.language:
        # The other way round: a module in the main language, asked for by a foreign one.
        neighbour = home.neighbours[source.language] = Neighbour(home.conversation, None)
    if neighbour is None:
        neighbour = home.neighbours[source.language] = _move_in(home, source)
    while (known := neighbour.loading.get(source.name)) is not None:
        if not known.done() and source.name in waiting:
            circle = " -> ".join([*waiting[waiting.index(source.name) :], source.name])
            raise ScriptModuleNotFoundError(f"modules require each other in a circle: {circle}", name=source.name)
        try:
            return await asyncio.shield(known)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not known.cancelled() or (task is not None and task.cancelling()):
                raise
            # Who was loading it has called that off.
    future = neighbour.loading[source.name] = asyncio.get_running_loop().create_future()
    neighbour.waiting[source.name] = waiting
    try:
        exports = await neighbour.conversation.load(source, waiting)
    except BaseException as error:
        del neighbour.loading[source.name]
        if isinstance(error, Exception):
            future.set_exception(error)
            future.exception()
        else:
            future.cancel()
        raise
    finally:
        del neighbour.waiting[source.name]
    _name(exports)
    future.set_result(exports)
    return exports


def _waiting(run: Run, importer: str) -> tuple[str, ...]:
    """Return the files that wait for what a file asks for, in any language; that file is the last."""
    neighbour: Neighbour | None = run.home.neighbours.get(run.language)
    loading = neighbour.waiting if neighbour is not None else {}
    if not importer:
        # A call of ``spell.load`` does not say whose it is: that of what its guest was asked for last.
        importer = next(reversed(loading), run.source_name if run.home is run else "")
    waiting = loading.get(importer)
    if waiting is None:
        # The file came to its guest by one of its own language: that is one of those that are being loaded.
        is_main = run.home is run and importer in ("", run.source_name)
        waiting = () if is_main or not loading else next(reversed(loading.values()))
    return (*waiting, importer) if importer else waiting


def _name(exports: Any) -> None:
    """Have exported functions called as they are exported: where they come from, few languages know a name for them."""
    if isinstance(exports, dict):
        for name, function in exports.items():
            if type(function) is ScriptFunction:
                function.ref = FunctionRef(function.ref.id, name)


def _move_in(home: Run, source: Source) -> Neighbour:
    """Open a guest of a language that the run has none of yet."""
    limit = home.policy.limits.depth
    if limit is not None and home.depth >= limit:
        raise BridgeError(f"spells run spells more than {limit} deep (limit: depth)", code="too_deep")
    idle = Source("", source.name, source.language, source.root)
    conversation = home.services.child(idle, {}, home.policy, home, "idle")
    conversation.run.home = home
    conversation.attach()
    task = asyncio.get_running_loop().create_task(conversation.finish(), name=f"llmspell-guest-{source.language}")
    return Neighbour(conversation, task)


class SpellBridge(Bridge):
    """Other spells and modules, in any language."""

    name = "spell"

    @export
    async def load(self, call: Call, path: str) -> Any:
        """Load a module by its path inside this spell's directory, whatever its language; return its exports."""
        run = call.run
        found = run.system.find_local(run, path, "")
        module = found if isinstance(found, dict) else await found
        if module["kind"] == "source":
            raise BridgeError(f"{path} is in this spell's own language: use require or import", code="same_language")
        return module["exports"]

    @export
    async def run(
        self, call: Call, path: str, params: dict[str, Any] | None = None, *, time: float | None = None
    ) -> Any:
        """Run a whole spell as a child, in a VM of its own, and return its value.

        It has no more rights than this one, its usage counts for this one too, and it ends with it.

        Args:
            path: A file inside this spell's directory.
            params: What it finds as ``params``.
            time: Seconds it may take, within what this spell has left. When they are over it ends, and this fails
                with the code ``deadline``, which this spell may catch: its own time is not over.
        """
        run = call.run
        limit = run.policy.limits.depth
        if limit is not None and run.depth >= limit:
            raise BridgeError(f"spells run spells more than {limit} deep (limit: depth)", code="too_deep")
        policy: Policy = run.policy if time is None else run.policy.narrow(time=time)
        source, values = run.services.find_spell(run, path, params or {})
        conversation: Conversation = run.services.child(source, values, policy, run, "run")
        run.services.watch(conversation)
        try:
            await conversation.finish()
            return conversation.outcome()
        except (EngineCrashed, DeadlineExceeded) as error:
            known = why_lost(conversation.run, error) if isinstance(error, EngineCrashed) else error
            its_own = time is not None and not run.stopping and conversation.run.deadline != run.deadline
            if its_own and isinstance(known, DeadlineExceeded):
                message = f"the spell {path} took longer than the {time:g} s it was given"
                raise BridgeError(message, code=known.code) from error
            raise known from error
        finally:
            run.services.unwatch(conversation)
            for item in conversation.run.end():
                await item.aclose() if hasattr(item, "aclose") else item.close()
            run.services.release(conversation)
