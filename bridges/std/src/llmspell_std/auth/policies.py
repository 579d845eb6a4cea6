"""Rules of a script's own: who may do what, when, from where."""

from __future__ import annotations

import datetime as dt
import fnmatch
import ipaddress
from typing import Any

from llmspell.plugin import BridgeError, ScriptFunction, Value, export
from llmspell_std.handle import Handle

_ANY_OF_GROUP = ("role", "permission")


def has_permission(permission: str, granted: list[Any]) -> bool:
    """Tell whether a permission is covered by granted ones, which may be patterns (``"files.*"``)."""
    return any(isinstance(each, str) and fnmatch.fnmatchcase(permission, each) for each in granted)


def has_role(role: str, roles: list[Any]) -> bool:
    """Tell whether a role is among those held."""
    return role in roles


def in_time(rule: dict[str, Any], now: dt.datetime) -> bool:
    """Tell whether it is between ``start_time`` and ``end_time`` (``HH:MM``, also over midnight) and in
    ``allowed_hours``."""
    hours = rule.get("allowed_hours")
    if isinstance(hours, list) and now.hour not in hours:
        return False
    start, end = (_minutes(rule.get(name)) for name in ("start_time", "end_time"))
    here = now.hour * 60 + now.minute
    if start is None or end is None:
        return (start is None or here >= start) and (end is None or here < end)
    return start <= here < end if start <= end else here >= start or here < end


def _minutes(text: Any) -> int | None:
    if text is None:
        return None
    try:
        when = dt.time.fromisoformat(text)
    except (ValueError, TypeError):
        raise BridgeError(f"{text!r} is no time of day; write HH:MM", code="invalid_argument") from None
    return when.hour * 60 + when.minute


def in_networks(address: Any, networks: list[Any]) -> bool:
    """Tell whether an address is in one of the networks or is one of the addresses."""
    try:
        here = ipaddress.ip_address(str(address))
    except ValueError:
        return False
    for network in networks:
        try:
            if here in ipaddress.ip_network(str(network), strict=False):
                return True
        except ValueError:
            raise BridgeError(f"{network!r} is no address or network", code="invalid_argument") from None
    return False


async def evaluate_rule(rule: dict[str, Any], context: dict[str, Any]) -> bool:
    """Decide one rule.

    Raises:
        BridgeError: ``invalid_argument``: an unknown type of rule, or one that lacks what it needs.
    """
    kind = rule.get("type")
    if kind == "permission":
        return has_permission(str(rule.get("permission", "")), _list(context.get("permissions")))
    if kind == "role":
        return has_role(str(rule.get("role", "")), _list(context.get("roles") or context.get("role")))
    if kind == "time_based":
        now = context.get("time")
        moment = dt.datetime.fromtimestamp(now, dt.UTC) if isinstance(now, int | float) else dt.datetime.now(dt.UTC)
        return in_time(rule, moment)
    if kind == "ip_whitelist":
        addresses = rule.get("addresses") or rule.get("ips") or rule.get("whitelist")
        return in_networks(context.get("client_ip") or context.get("ip"), _list(addresses))
    evaluator = rule.get("evaluator")
    if kind == "custom" and isinstance(evaluator, ScriptFunction):
        return await evaluator(context) not in (None, False)
    raise BridgeError(f"there is no type of rule {kind!r}, or it lacks its evaluator", code="invalid_argument")


def _list(item: Any) -> list[Any]:
    if item is None:
        return []
    return item if isinstance(item, list) else [item]


class SecurityPolicy(Handle):
    """Rules under a name. Of rules of the type role or permission one suffices per type; all others must hold."""

    def __init__(self, name: str, rules: list[dict[str, Any]], enabled: bool) -> None:
        self.policy_name = name
        self._rules = rules
        self._enabled = enabled

    @export
    async def evaluate(self, context: dict[str, Any]) -> dict[str, Any]:
        """Return ``{allowed, reason}`` for ``{permissions, roles, client_ip, time, ...}``."""
        if not self._enabled:
            return {"allowed": True, "reason": "the policy is switched off"}
        groups: dict[str, list[bool]] = {}
        for rule in self._rules:
            groups.setdefault(str(rule.get("type")), []).append(await evaluate_rule(rule, context))
        for kind, results in groups.items():
            if not (any(results) if kind in _ANY_OF_GROUP else all(results)):
                return {"allowed": False, "reason": f"no rule of the type {kind} allows it"}
        return {"allowed": True, "reason": "all rules allow it"}

    @export
    def update(self, rules: list[dict[str, Any]]) -> None:
        """Replace the rules."""
        self._rules = rules

    @export
    def enable(self) -> None:
        """Have the rules count."""
        self._enabled = True

    @export
    def disable(self) -> None:
        """Have the policy allow everything."""
        self._enabled = False

    @export
    def describe(self) -> dict[str, Value]:
        """Return the name, whether the rules count, and how many there are."""
        return {"name": self.policy_name, "enabled": self._enabled, "rules": len(self._rules)}
