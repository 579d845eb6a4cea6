"""Compiled programs, kept: least recently used out first, none longer than its time, all within a size."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from llmspell.engine.source import Source

if TYPE_CHECKING:
    from llmspell.engine.disk import DiskLayer

P = TypeVar("P")


class ProgramKey(NamedTuple):
    """What a program is known by.

    Attributes:
        engine, version: Of the engine that compiled it; another version's program is never used.
        digest: SHA-256 of the source.
        variant: What else the program depends on, such as the name errors give the source.
    """

    engine: str
    version: str
    digest: str
    variant: str = ""

    @classmethod
    def of(cls, engine: str, version: str, source: Source, variant: str = "") -> ProgramKey:
        """Return the key of a source."""
        return cls(engine, version, source.digest, variant)


@dataclass(frozen=True, slots=True)
class CacheMetrics:
    """Counts since the cache was made, and what it holds now.

    Attributes:
        misses: Not in memory; ``disk_hits`` of them were on disk.
        evictions: Taken out for room; ``expirations``: for age.
        bytes: As the programs' makers gave their sizes.
    """

    hits: int = 0
    misses: int = 0
    disk_hits: int = 0
    evictions: int = 0
    expirations: int = 0
    entries: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Codec(Generic[P]):
    """How a program becomes bytes on disk and comes back.

    Attributes:
        dump: None for a program that cannot be kept.
        load: May raise anything for bytes it cannot use; the program is then made anew.
    """

    dump: Callable[[P], bytes | None]
    load: Callable[[bytes], P]


class _Entry(Generic[P]):
    __slots__ = ("born", "program", "size")

    def __init__(self, program: P, size: int, born: float) -> None:
        self.program = program
        self.size = size
        self.born = born


class ProgramCache(Generic[P]):
    """Keep compiled programs of one process. Safe to use from any thread.

    Args:
        max_entries: How many.
        max_bytes: How large all together; a program larger than that is not kept.
        ttl: Seconds after which a program is made anew; None for never.
        disk: A second layer that outlives the process. Only for what the host itself derived from source text:
            bytecode that comes out of a worker is never put here.
        codec: How programs go to disk; needed with ``disk``.

    Example:
        >>> cache = ProgramCache(max_entries=2)
        >>> key = ProgramKey.of("lua", "5.4", Source("return 1"))
        >>> cache.get_or_make(key, lambda: ("compiled", 8))
        'compiled'
        >>> cache.get(key), cache.metrics.hits, cache.metrics.misses
        ('compiled', 1, 1)
    """

    def __init__(
        self,
        *,
        max_entries: int = 512,
        max_bytes: int = 64 * 1024 * 1024,
        ttl: float | None = None,
        disk: DiskLayer | None = None,
        codec: Codec[P] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if disk is not None and codec is None:
            raise TypeError("a disk layer needs a codec")
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._disk = disk
        self._codec = codec
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[ProgramKey, _Entry[P]] = OrderedDict()
        self._bytes = self._hits = self._misses = self._disk_hits = self._evictions = self._expirations = 0

    def get(self, key: ProgramKey) -> P | None:
        """Return a program, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._is_old(entry):
                self._remove(key)
                self._expirations += 1
                entry = None
            if entry is not None:
                self._entries.move_to_end(key)
                self._hits += 1
                return entry.program
            self._misses += 1
        return self._from_disk(key)

    def put(self, key: ProgramKey, program: P, size: int) -> None:
        """Keep a program of ``size`` bytes, on disk as well where there is one."""
        self._keep(key, program, size)
        if self._disk is not None and self._codec is not None:
            payload = self._codec.dump(program)
            if payload is not None:
                self._disk.write(key, payload)

    def get_or_make(self, key: ProgramKey, make: Callable[[], tuple[P, int]]) -> P:
        """Return a program, made by ``make`` (program and size in bytes) if it is not there.

        Two threads that miss at once both make it, and the later one's is kept. What ``make`` raises is raised,
        and nothing is kept: a syntax error costs a parse each time.
        """
        program = self.get(key)
        if program is None:
            program, size = make()
            self.put(key, program, size)
        return program

    def clear(self) -> None:
        """Forget everything in memory; counts go on, the disk stays."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    @property
    def metrics(self) -> CacheMetrics:
        with self._lock:
            return CacheMetrics(
                self._hits,
                self._misses,
                self._disk_hits,
                self._evictions,
                self._expirations,
                len(self._entries),
                self._bytes,
            )

    def __len__(self) -> int:
        return len(self._entries)

    def _from_disk(self, key: ProgramKey) -> P | None:
        if self._disk is None or self._codec is None:
            return None
        payload = self._disk.read(key)
        if payload is None:
            return None
        try:
            program = self._codec.load(payload)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the remedy is to make it anew
            self._disk.remove(key)
            return None
        with self._lock:
            self._disk_hits += 1
        self._keep(key, program, len(payload))
        return program

    def _keep(self, key: ProgramKey, program: P, size: int) -> None:
        with self._lock:
            if key in self._entries:
                self._remove(key)
            if size > self._max_bytes or self._max_entries < 1:
                return
            self._entries[key] = _Entry(program, size, self._clock())
            self._bytes += size
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self._remove(next(iter(self._entries)))
                self._evictions += 1

    def _is_old(self, entry: _Entry[P]) -> bool:
        return self._ttl is not None and self._clock() - entry.born > self._ttl

    def _remove(self, key: ProgramKey) -> None:
        self._bytes -= self._entries.pop(key).size
