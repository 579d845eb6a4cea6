"""Compiled programs are kept within size, number and age, and counted."""

from __future__ import annotations

import threading

import pytest

from llmspell.engine import Source
from llmspell.engine.cache import Codec, ProgramCache, ProgramKey
from llmspell.engine.disk import DiskLayer


def key(text: str, *, engine: str = "lua", version: str = "5.4", variant: str = "") -> ProgramKey:
    return ProgramKey.of(engine, version, Source(text), variant)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_program_is_made_once() -> None:
    cache: ProgramCache[str] = ProgramCache()
    made: list[str] = []

    def make() -> tuple[str, int]:
        made.append("x")
        return "program", 10

    assert [cache.get_or_make(key("a"), make) for _ in range(3)] == ["program"] * 3
    assert made == ["x"]
    assert (cache.metrics.hits, cache.metrics.misses, cache.metrics.entries, cache.metrics.bytes) == (2, 1, 1, 10)


@pytest.mark.parametrize(
    "other", [key("b"), key("a", engine="luau"), key("a", version="5.5"), key("a", variant="named")]
)
def test_source_engine_version_and_variant_tell_programs_apart(other: ProgramKey) -> None:
    cache: ProgramCache[str] = ProgramCache()
    cache.put(key("a"), "a", 1)
    assert cache.get(other) is None


def test_the_least_recently_used_goes_first() -> None:
    cache: ProgramCache[str] = ProgramCache(max_entries=2)
    cache.put(key("a"), "a", 1)
    cache.put(key("b"), "b", 1)
    assert cache.get(key("a")) == "a"
    cache.put(key("c"), "c", 1)
    assert [cache.get(key(name)) for name in "abc"] == ["a", None, "c"]
    assert cache.metrics.evictions == 1


def test_size_evicts_until_all_fit() -> None:
    cache: ProgramCache[str] = ProgramCache(max_bytes=100)
    for name in "abc":
        cache.put(key(name), name, 30)
    cache.put(key("d"), "d", 70)
    assert [cache.get(key(name)) for name in "abcd"] == [None, None, "c", "d"]
    assert cache.metrics.bytes == 100
    assert cache.metrics.evictions == 2


def test_a_program_larger_than_the_cache_is_not_kept_and_evicts_nothing() -> None:
    cache: ProgramCache[str] = ProgramCache(max_bytes=100)
    cache.put(key("a"), "a", 10)
    assert cache.get_or_make(key("big"), lambda: ("big", 101)) == "big"
    assert cache.get(key("big")) is None
    assert cache.get(key("a")) == "a"


def test_replacing_a_program_counts_its_size_once() -> None:
    cache: ProgramCache[str] = ProgramCache()
    cache.put(key("a"), "old", 40)
    cache.put(key("a"), "new", 10)
    assert cache.get(key("a")) == "new"
    assert cache.metrics.bytes == 10


def test_an_old_program_is_made_anew() -> None:
    clock = Clock()
    cache: ProgramCache[str] = ProgramCache(ttl=10, clock=clock)
    cache.put(key("a"), "a", 1)
    clock.now = 10
    assert cache.get(key("a")) == "a"
    clock.now = 10.5
    assert cache.get(key("a")) is None
    assert (cache.metrics.expirations, cache.metrics.entries, cache.metrics.bytes) == (1, 0, 0)


def test_what_making_raises_is_raised_and_nothing_is_kept() -> None:
    cache: ProgramCache[str] = ProgramCache()

    def fail() -> tuple[str, int]:
        raise ValueError("syntax")

    for _ in range(2):
        with pytest.raises(ValueError, match="syntax"):
            cache.get_or_make(key("a"), fail)
    assert len(cache) == 0


def test_clear_forgets_programs_and_keeps_counts() -> None:
    cache: ProgramCache[str] = ProgramCache()
    cache.put(key("a"), "a", 1)
    assert cache.get(key("a")) == "a"
    cache.clear()
    assert cache.get(key("a")) is None
    assert (cache.metrics.hits, cache.metrics.misses, cache.metrics.bytes) == (1, 1, 0)


def test_threads_share_a_cache_without_losing_count() -> None:
    cache: ProgramCache[str] = ProgramCache(max_entries=8, max_bytes=1000)
    problems: list[str] = []

    def work(offset: int) -> None:
        for turn in range(2_000):
            name = str((turn * 7 + offset) % 20)
            found = cache.get_or_make(key(name), lambda name=name: (name, 50))
            if found != name:
                problems.append(f"{found} for {name}")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = cache.metrics
    assert problems == []
    assert metrics.hits + metrics.misses == 8_000
    assert metrics.entries == len(cache) <= 8
    assert metrics.bytes == 50 * metrics.entries


def test_a_disk_layer_without_a_codec_is_refused(tmp_path) -> None:
    with pytest.raises(TypeError, match="codec"):
        ProgramCache(disk=DiskLayer(tmp_path))


@pytest.fixture
def codec() -> Codec[str]:
    return Codec(dump=lambda program: program.encode() or None, load=lambda raw: raw.decode())


def test_another_process_finds_a_program_on_disk(tmp_path, codec) -> None:
    ProgramCache(disk=DiskLayer(tmp_path), codec=codec).put(key("a"), "program", 7)
    cache = ProgramCache(disk=DiskLayer(tmp_path), codec=codec)
    assert cache.get(key("a")) == "program"
    assert cache.get(key("a")) == "program"
    assert (cache.metrics.misses, cache.metrics.disk_hits, cache.metrics.hits) == (1, 1, 1)


def test_a_program_that_cannot_be_dumped_stays_off_the_disk(tmp_path, codec) -> None:
    cache = ProgramCache(disk=DiskLayer(tmp_path), codec=codec)
    cache.put(key("a"), "", 0)
    assert list(tmp_path.iterdir()) == []


def test_a_payload_that_does_not_load_is_removed_and_made_anew(tmp_path, codec) -> None:
    disk = DiskLayer(tmp_path)
    disk.write(key("a"), b"\xff\xff")
    cache = ProgramCache(disk=disk, codec=codec)
    assert cache.get_or_make(key("a"), lambda: ("", 0)) == ""
    assert disk.read(key("a")) is None
