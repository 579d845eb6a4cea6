"""Policies: levels preset and validate, and nothing that tightens ever widens."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell.errors import ConfigError, NotFoundError, PolicyError
from llmspell.guards.hosts import HostGrants, read_host
from llmspell.policy import LEVELS, Grants, Limits, Policy, parse_duration, parse_size
from llmspell.policy.policy import PROFILES

MB = 1024 * 1024

# Levels


@pytest.mark.parametrize(
    ("policy", "level", "placement"),
    [
        (Policy.minimal(), "minimal", "inline"),
        (Policy.standard(), "standard", "worker"),
        (Policy.strict(), "strict", "hardened"),
        (Policy(), "standard", "worker"),
        (Policy(level="strict"), "strict", "hardened"),
        (Policy(level="minimal"), "minimal", "inline"),
        (Policy(level="custom", placement="inline"), "custom", "inline"),
        (Policy(level="standard", placement="hardened"), "standard", "hardened"),
    ],
)
def test_a_level_has_its_placement(policy, level, placement) -> None:
    assert (policy.level, policy.placement) == (level, placement)


@pytest.mark.parametrize(("level", "placement"), [("standard", "inline"), ("strict", "inline"), ("strict", "worker")])
def test_a_placement_weaker_than_the_level_is_refused(level, placement) -> None:
    with pytest.raises(ConfigError, match=f"level {level} needs placement"):
        Policy(level=level, placement=placement)


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Policy.standard().level = "minimal"


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'grant'"):
        Policy(grant={"bridges": ["*"]})


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_profile_is_named_after_itself(name) -> None:
    assert Policy.profile(name).name == name


def test_unknown_names_say_which_there_are() -> None:
    with pytest.raises(NotFoundError, match="no profile named 'sandbx'") as caught:
        Policy.profile("sandbx")
    assert "sandbox" in caught.value.hint
    with pytest.raises(NotFoundError, match="no level named 'paranoid'") as caught:
        Policy.at_level("paranoid")
    assert "strict" in caught.value.hint


def test_every_level_but_custom_has_a_preset() -> None:
    assert [Policy.at_level(level).level for level in LEVELS if level != "custom"] == ["minimal", "standard", "strict"]


def test_the_default_profile_reaches_nothing_of_the_world() -> None:
    grants = Policy.profile("sandbox").grants
    assert (grants.read, grants.write, grants.net, grants.env, grants.secrets, grants.subprocess) == (frozenset(),) * 6
    assert not grants.allows_bridge("os")
    assert grants.allows_call("llm", "complete")


# Narrowing


def test_narrowing_takes_the_smaller_limit_and_keeps_the_rest() -> None:
    policy = Policy.standard().narrow(time="2s", memory="16MB", calls=10**9)
    assert policy.limits.time == 2
    assert policy.limits.memory == 16 * MB
    assert policy.limits.calls == Policy.standard().limits.calls
    assert policy.limits.output == Policy.standard().limits.output


def test_a_limit_that_was_not_there_is_taken() -> None:
    assert Policy.standard().limits.steps is None
    assert Policy.standard().narrow(steps=5).limits.steps == 5
    assert Policy.standard().narrow(steps=5).narrow(steps=None).limits.steps == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": 0},
        {"time": "soon"},
        {"memory": 1},
        {"tim": 1},
        {"calls": -1},
        {"time": float("nan")},
        {"value_depth": 500},
    ],
)
def test_an_impossible_limit_is_refused_by_name(wrong) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Policy.standard().narrow(**wrong)


@pytest.mark.parametrize(
    ("policy", "level", "expected"),
    [
        (Policy.minimal(), "standard", ("standard", "worker")),
        (Policy.minimal(), "strict", ("strict", "hardened")),
        (Policy.strict(), "minimal", ("strict", "hardened")),
        (Policy.standard(), "minimal", ("standard", "worker")),
        (Policy(level="custom", placement="hardened"), "standard", ("standard", "hardened")),
    ],
)
def test_narrowing_takes_the_stricter_level_and_the_stronger_placement(policy, level, expected) -> None:
    narrowed = policy.narrow(level=level)
    assert (narrowed.level, narrowed.placement) == expected


@pytest.mark.parametrize("other", [Policy.minimal(), Policy.standard(), Policy.strict()])
def test_an_intersection_is_never_placed_weaker_than_either(other) -> None:
    hardened = Policy(level="custom", placement="hardened")
    assert hardened.intersect(other).placement == "hardened"
    assert other.intersect(hardened).placement == "hardened"


def test_libraries_are_intersected() -> None:
    some = replace(Policy.standard(), libraries={"math", "text"})
    others = replace(Policy.standard(), libraries={"text", "times"})
    assert some.intersect(others).libraries == {"text"}
    assert some.intersect(Policy.standard()).libraries == {"math", "text"}
    assert Policy.standard().intersect(some).libraries == {"math", "text"}


NUMBERS = st.none() | st.integers(1, 10**6)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[NUMBERS] * 4), st.tuples(*[NUMBERS] * 4))
def test_an_intersection_of_limits_is_within_both(left, right) -> None:
    names = ("steps", "calls", "tokens", "tasks")
    one, two = (Limits(**dict(zip(names, values, strict=True))) for values in (left, right))
    both = one.intersect(two)
    assert both == two.intersect(one)
    for name in names:
        for side in (one, two):
            limit = getattr(side, name)
            assert limit is None or getattr(both, name) <= limit


# Granting


def test_granting_adds_one_name_or_several() -> None:
    policy = Policy.standard().grant(bridges="os", read=["data", "~/notes"], net=("example.org",))
    assert policy.grants.allows_bridge("os")
    assert policy.grants.read == {os.path.abspath("data"), os.path.expanduser("~/notes")}
    assert policy.grants.net == {"example.org"}


def test_granting_one_path_as_a_text_grants_that_path_and_not_its_letters() -> None:
    assert Policy.standard().grant(read="/srv/x").grants.read == {"/srv/x"}


def test_strict_never_grants_subprocesses() -> None:
    with pytest.raises(PolicyError, match="strict never grants subprocesses"):
        Policy.strict().grant(subprocess={"ls"})


@pytest.mark.parametrize("wrong", [{"reed": ["/x"]}, {"read": ["a\0b"]}])
def test_an_impossible_grant_is_refused_by_name(wrong) -> None:
    with pytest.raises(ConfigError, match="cannot be granted"):
        Policy.standard().grant(**wrong)


# Bridges and methods


@pytest.mark.parametrize(
    ("patterns", "denied", "bridge", "method", "allowed"),
    [
        ({"fs"}, (), "fs", "read", True),
        ({"fs"}, (), "fsx", "read", False),
        ({"fs.read"}, (), "fs", "read", True),
        ({"fs.read"}, (), "fs", "write", False),
        ({"fs.*"}, (), "fs", "write", True),
        ({"*"}, (), "anything", "at_all", True),
        ({"*.read"}, (), "fs", "read", True),
        ({"f?"}, (), "fs", "read", True),
        ((), (), "fs", "read", False),
        ({"*"}, {"fs"}, "fs", "read", False),
        ({"*"}, {"fs.write"}, "fs", "write", False),
        ({"*"}, {"fs.write"}, "fs", "read", True),
        ({"fs"}, {"*.read"}, "fs", "read", False),
        ({"fs"}, {"*"}, "fs", "read", False),
    ],
)
def test_a_call_is_allowed_by_patterns_and_taken_away_by_denials(patterns, denied, bridge, method, allowed) -> None:
    grants = Grants(bridges=patterns, denied=denied)
    assert grants.allows_call(bridge, method) is allowed


@pytest.mark.parametrize(
    ("patterns", "denied", "allowed"),
    [
        ({"fs"}, (), True), ({"fs.read"}, (), True), ({"*.read"}, (), True), ({"f*.read"}, (), True), ((), (), False),
        ({"db"}, (), False), ({"*"}, {"fs"}, False), ({"*"}, {"fs.*"}, False), ({"*"}, {"fs.read"}, True),
    ],
)  # fmt: skip
def test_a_bridge_is_there_if_anything_of_it_may_be_called(patterns, denied, allowed) -> None:
    assert Grants(bridges=patterns, denied=denied).allows_bridge("fs") is allowed


# Intersections of grants never widen

WORDS = st.text("ab.*?[]!", min_size=1, max_size=4)
NAMES = st.text("ab.", min_size=1, max_size=4)


def matches(patterns: frozenset[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


@settings(max_examples=400, deadline=None)
@given(st.frozensets(WORDS, max_size=3), st.frozensets(WORDS, max_size=3), NAMES)
def test_what_an_intersection_matches_both_sides_match(left, right, name) -> None:
    for field in ("env", "secrets", "subprocess", "modules"):
        both = getattr(Grants(**{field: left}).intersect(Grants(**{field: right})), field)
        if matches(both, name):
            assert matches(left, name), (field, both)
            assert matches(right, name), (field, both)


@settings(max_examples=400, deadline=None)
@given(
    st.frozensets(WORDS, max_size=3), st.frozensets(WORDS, max_size=3), st.text("ab", min_size=1, max_size=3),
    st.text("ab", min_size=1, max_size=3),
)  # fmt: skip
def test_what_an_intersection_allows_both_sides_allow(left, right, bridge, method) -> None:
    one, two = Grants(bridges=left), Grants(bridges=right)
    if one.intersect(two).allows_call(bridge, method):
        assert one.allows_call(bridge, method)
        assert two.allows_call(bridge, method)


HOSTS = [
    "example.org",
    "api.example.org",
    "10.0.0.1",
    "8.8.8.8",
    "localhost",
    "intranet.corp",
    "169.254.169.254",
    "::1",
]
PATTERNS = st.sampled_from(
    ["*", "*.example.org", "*.org", "example.org", "api.example.org:443", "10.0.0.1", "8.8.8.8", "localhost", "*.corp",
     "intranet.corp", "*:80", "[::1]", "169.254.169.254", "api.*", "api"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.frozensets(PATTERNS, max_size=3), st.frozensets(PATTERNS, max_size=3))
def test_an_intersection_of_hosts_covers_and_names_no_more_than_either(left, right) -> None:
    both = Grants(net=left).intersect(Grants(net=right)).net
    for host in HOSTS:
        for port in (80, 443):
            read = read_host(host)
            private = read.is_local_name or (read.address is not None and not read.address.is_global)
            for side in (left, right):
                if HostGrants(both).covers(read, port):
                    assert HostGrants(side).covers(read, port), (both, host)
                if private and HostGrants(both).names(read.text, port):
                    assert HostGrants(side).names(read.text, port), (both, host)


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ({"llm"}, {"llm.complete"}, {"llm.complete"}),
        ({"*"}, {"fs", "llm.complete"}, {"fs", "llm.complete"}),
        ({"fs.read", "llm"}, {"fs", "llm.*"}, {"fs.read", "llm.*"}),
        ({"fs"}, {"llm"}, set()),
    ],
)
def test_an_intersection_of_bridges_keeps_what_both_mean(left, right, both) -> None:
    assert Grants(bridges=left).intersect(Grants(bridges=right)).bridges == both
    assert Grants(bridges=right).intersect(Grants(bridges=left)).bridges == both


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ({"/srv"}, {"/srv/data"}, {"/srv/data"}),
        ({"/srv/data"}, {"/srv/database"}, set()),
        ({"/"}, {"/srv", "/tmp"}, {"/srv", "/tmp"}),
        ({"/srv/../etc"}, {"/srv"}, set()),
    ],
)
def test_an_intersection_of_paths_keeps_the_deeper(left, right, both) -> None:
    for field in ("read", "write"):
        grants = Grants(**{field: left}).intersect(Grants(**{field: right}))
        assert getattr(grants, field) == both


def test_denials_add_up() -> None:
    both = Grants(bridges={"*"}, denied={"a"}).intersect(Grants(bridges={"*"}, denied={"b.c"}))
    assert both.denied == {"a", "b.c"}


def test_an_intersection_with_itself_changes_nothing() -> None:
    for name in PROFILES:
        policy = Policy.profile(name)
        assert policy.intersect(policy) == policy


# Sizes and durations


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("256MB", 256 * MB), ("64 KiB", 65536), ("1.5g", 1536 * MB), (" 2 tb ", 2 * 1024**4), (7, 7), ("3b", 3)],
)
def test_a_size_is_read(text, size) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "1XB", "-1", "1 2", "1e3", True, None, 1.5, "1MBB", "inf"])
def test_what_is_no_size_is_refused(text) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1), ("500ms", 0.5), ("30s", 30), ("2m", 120), ("2 min", 120), ("1.5h", 5400), (0.25, 0.25)],
)
def test_a_duration_is_read(text, seconds) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "1d", "-1s", "1s2", True, None, "inf"])
def test_what_is_no_duration_is_refused(text) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    "wrong", [{"time": float("inf")}, {"time": -1}, {"memory": "1KB"}, {"cost": -0.1}, {"output": 0}]
)
def test_impossible_limits_are_refused(wrong) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)
