"""A small assembler for seccomp's classic BPF: rules over a system call's number and arguments in, bytes out."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from llmspell.runtime.hardening.kernel import Machine

LOAD, AND, EQUALS, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
"""The five instructions used: ``LD|W|ABS``, ``ALU|AND|K``, ``JMP|JEQ|K``, ``JMP|JGE|K`` and ``RET|K``."""

_NUMBER, _ARCH, _ARGS = 0, 4, 16
_X32_BIT = 0x40000000
_ERRNO = 0x00050000


class Action(IntEnum):
    """What becomes of a call; the values are seccomp's own."""

    KILL = 0x80000000
    REFUSE = _ERRNO | 1
    ABSENT = _ERRNO | 38
    ALLOW = 0x7FFF0000


@dataclass(frozen=True, slots=True)
class Test:
    """A claim about one argument: ``argument & mask`` is one of ``values``.

    Only the low 32 bits are looked at, as the kernel itself does for flags, descriptors and process ids; a
    pointer claimed to be null is tested with ``whole``, which looks at the high half too.
    """

    argument: int
    mask: int
    values: tuple[int, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with one call.

    Attributes:
        name: The call, as in :data:`~llmspell.runtime.hardening.kernel.Machine.numbers`.
        action: What to do if any of ``cases`` holds, or always when there are none.
        cases: Alternatives, each a conjunction of tests.
        otherwise: What to do if no case holds.
    """

    name: str
    action: Action = Action.ALLOW
    cases: tuple[tuple[Test, ...], ...] = ()
    otherwise: Action = Action.REFUSE


Instruction = tuple[int, int, int, int]


def assemble(machine: Machine, rules: Iterable[Rule], default: Action) -> bytes:
    """Build the filter as an array of ``struct sock_filter``.

    A call of another architecture (32-bit entry, x32) is killed before any rule is looked at: its numbers
    mean other calls. Rules are tested in order, so the frequent ones come first; rules for calls that
    ``machine`` does not have are left out.
    """
    program: list[Instruction] = [
        (LOAD, 0, 0, _ARCH),
        (EQUALS, 1, 0, machine.audit_arch),
        (RETURN, 0, 0, Action.KILL),
        (LOAD, 0, 0, _NUMBER),
        (AT_LEAST, 0, 1, _X32_BIT),
        (RETURN, 0, 0, Action.KILL),
    ]
    for rule in rules:
        number = machine.numbers.get(rule.name)
        if number is None:
            continue
        body = _body(rule)
        program.append((EQUALS, 0, len(body), number))
        program += body
    program.append((RETURN, 0, 0, default))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _body(rule: Rule) -> list[Instruction]:
    if not rule.cases:
        return [(RETURN, 0, 0, rule.action)]
    body: list[Instruction] = []
    for case in rule.cases:
        body += _case(case, rule.action)
    return [*body, (RETURN, 0, 0, rule.otherwise)]


def _case(case: tuple[Test, ...], action: Action) -> list[Instruction]:
    """Assemble one conjunction, back to front: a failing test jumps behind the case's return."""
    block: list[Instruction] = [(RETURN, 0, 0, action)]
    for test in reversed(case):
        if test.whole:
            block = [(LOAD, 0, 0, _ARGS + 8 * test.argument + 4), (EQUALS, 0, len(block), 0), *block]
        masked = [(AND, 0, 0, test.mask)] if test.mask != 0xFFFFFFFF else []
        last = len(test.values) - 1
        compare = [
            (EQUALS, last - index, len(block) if index == last else 0, value) for index, value in enumerate(test.values)
        ]
        block = [(LOAD, 0, 0, _ARGS + 8 * test.argument), *masked, *compare, *block]
    return block
