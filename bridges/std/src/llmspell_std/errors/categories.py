"""What kind of failure an error is, and whether trying again can help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmspell.plugin import ScriptFunction


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of failure.

    Attributes:
        codes: Codes that mean it, in lower case.
        words: Words in a message that suggest it, where the code says nothing.
        matcher: A script's own test, asked before all else.
    """

    name: str
    codes: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    retryable: bool = False
    fatal: bool = False
    matcher: ScriptFunction | None = None


UNKNOWN = Category("unknown")
BUILT_IN: tuple[Category, ...] = (
    Category(
        "ratelimit",
        frozenset({"rate_limited", "rate_limit", "too_many_requests", "too_many_calls"}),
        ("rate limit", "too many requests", "429"),
        retryable=True,
    ),
    Category(
        "network",
        frozenset(
            {"network_error", "network", "connection_failed", "connect_failed", "connection_lost", "host_not_found",
             "timeout", "bad_response", "unavailable"}
        ),
        ("timed out", "timeout", "connection", "network", "unreachable", "temporarily"),
        retryable=True,
    ),
    Category(
        "authentication",
        frozenset({"unauthorized", "auth_failed", "invalid_token", "token_expired"}),
        ("unauthorized", "authentication", "401", "api key"),
        fatal=True,
    ),
    Category(
        "authorization",
        frozenset({"forbidden", "access_denied", "permission_denied", "denied", "no_permission"}),
        ("forbidden", "permission", "not allowed", "403"),
        fatal=True,
    ),
    Category(
        "validation",
        frozenset(
            {"validation_error", "invalid_input", "invalid_argument", "invalid_data", "invalid_json", "invalid_path",
             "invalid_schema", "invalid_url", "type_error", "conversion", "parameter", "not_text"}
        ),
        ("invalid", "validation", "malformed", "required"),
    ),
    Category(
        "system",
        frozenset({"internal_error", "system_error", "internal", "io", "no_space", "engine_crashed"}),
        ("internal error", "out of memory", "no space"),
        fatal=True,
    ),
)  # fmt: skip
_HOPELESS = frozenset({"authentication", "authorization", "validation", "system"})


class Categories:
    """The kinds of failure a session knows: the built-in ones and its own, which are asked first."""

    def __init__(self) -> None:
        self._own: dict[str, Category] = {}

    def add(self, category: Category) -> None:
        self._own[category.name] = category

    def drop(self, category: Category) -> None:
        if self._own.get(category.name) is category:
            del self._own[category.name]

    def all(self) -> Mapping[str, Category]:
        return {category.name: category for category in BUILT_IN} | self._own

    async def find(self, error: Mapping[str, Any]) -> Category:
        """Tell an error's category: as it says itself, else by matcher, code, and words of its message."""
        known = (*reversed(self._own.values()), *BUILT_IN)
        named = error.get("category")
        for category in known:
            if category.name == named:
                return category
        for category in known:
            if category.matcher is not None and await category.matcher(dict(error)) not in (None, False):
                return category
        code = str(error.get("code", "")).lower()
        for category in known:
            if code in category.codes:
                return category
        message = str(error.get("message", "")).lower()
        for category in known:
            if any(word in message for word in category.words):
                return category
        return UNKNOWN

    async def is_retryable(self, error: Mapping[str, Any]) -> bool:
        said = error.get("retryable")
        return said if isinstance(said, bool) else (await self.find(error)).retryable

    async def is_fatal(self, error: Mapping[str, Any]) -> bool:
        said = error.get("fatal")
        return said if isinstance(said, bool) else (await self.find(error)).fatal

    async def is_hopeless(self, error: Mapping[str, Any]) -> bool:
        """Tell whether trying again cannot help. An unknown failure may be worth another try."""
        said = error.get("retryable")
        if isinstance(said, bool):
            return not said
        category = await self.find(error)
        return category.fatal or (not category.retryable and category.name in _HOPELESS)
