"""The seccomp filter, read by an interpreter of BPF, for both architectures."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from llmspell.runtime.hardening import kernel, seccomp
from llmspell.runtime.hardening.bpf import Action

PID = 4711
MACHINES = pytest.mark.parametrize("machine", kernel.MACHINES.values(), ids=kernel.MACHINES)
HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}

Decide = Callable[..., int]


class Filter:
    def __init__(self, machine: kernel.Machine, decide: Decide, reading: bool = True) -> None:
        self.machine = machine
        self.decide = decide
        self.program = seccomp.build(machine, PID, reading=reading)

    def __call__(self, name: str, *args: int) -> int:
        return self.decide(self.program, self.machine.audit_arch, self.machine.numbers[name], *args)


@MACHINES
@pytest.mark.parametrize("name", ["read", "write", "futex", "mremap", "exit_group", "getrandom", "lseek"])
def test_what_every_interpreter_needs_is_allowed(machine: kernel.Machine, decide: Decide, name: str) -> None:
    assert Filter(machine, decide)(name) == Action.ALLOW


@MACHINES
@pytest.mark.parametrize("name", ["ptrace", "execve", "bpf", "io_uring_setup", "keyctl", "mount", "setns", "unshare"])
def test_what_nothing_honest_does_is_fatal(machine: kernel.Machine, decide: Decide, name: str) -> None:
    assert Filter(machine, decide)(name) == Action.KILL


@MACHINES
@pytest.mark.parametrize(
    "name", ["socket", "connect", "sendmsg", "kill", "unlinkat", "memfd_create", "capset", "setsid"]
)
def test_everything_else_is_refused(machine: kernel.Machine, decide: Decide, name: str) -> None:
    assert Filter(machine, decide)(name) == Action.REFUSE


@MACHINES
def test_a_number_nobody_knows_is_refused(machine: kernel.Machine, decide: Decide) -> None:
    strict = Filter(machine, decide)
    assert decide(strict.program, machine.audit_arch, 5000) == Action.REFUSE


@MACHINES
def test_calls_of_another_architecture_are_fatal(machine: kernel.Machine, decide: Decide) -> None:
    strict = Filter(machine, decide)
    i386 = 0x40000003
    assert decide(strict.program, i386, machine.numbers["read"]) == Action.KILL
    assert decide(strict.program, machine.audit_arch, 0x40000000 | machine.numbers["read"]) == Action.KILL


@MACHINES
def test_clone3_is_absent_so_that_libc_falls_back_to_clone(machine: kernel.Machine, decide: Decide) -> None:
    assert Filter(machine, decide)("clone3") == Action.ABSENT


@MACHINES
@pytest.mark.parametrize("flags", [0x3D0F00, 0x7D0F00], ids=["glibc", "musl"])
def test_clone_makes_threads(machine: kernel.Machine, decide: Decide, flags: int) -> None:
    assert Filter(machine, decide)("clone", flags) == Action.ALLOW


@MACHINES
@pytest.mark.parametrize(
    "flags",
    [
        signal.SIGCHLD,
        0x4000 | 0x100 | signal.SIGCHLD,
        0x3D0F00 | 0x10000000,
        0x3D0F00 | 0x40000000,
        0x3D0F00 & ~0x10000,
        0x3D0F00 | 0x2000,
    ],
    ids=["fork", "vfork", "user namespace", "network namespace", "no thread", "traced"],
)
def test_clone_makes_nothing_but_threads(machine: kernel.Machine, decide: Decide, flags: int) -> None:
    assert Filter(machine, decide)("clone", flags) == Action.REFUSE


@MACHINES
@pytest.mark.parametrize("flags", [0, 0o2000000, 0o200000, 0o100000], ids=["read", "cloexec", "directory", "large"])
def test_files_open_for_reading(machine: kernel.Machine, decide: Decide, flags: int) -> None:
    assert Filter(machine, decide)("openat", 3, 0xDEAD, flags) == Action.ALLOW


@MACHINES
@pytest.mark.parametrize("flags", [0o1, 0o2, 0o100, 0o1000, 0o2000, 0o20200000 | 0o2], ids=str)
def test_files_do_not_open_for_anything_else(machine: kernel.Machine, decide: Decide, flags: int) -> None:
    assert Filter(machine, decide)("openat", 3, 0xDEAD, flags) == Action.REFUSE


@MACHINES
@pytest.mark.parametrize("name", ["openat", "newfstatat", "statx", "getcwd", "faccessat", "readlinkat"])
def test_no_path_is_looked_at_where_nothing_is_readable(machine: kernel.Machine, decide: Decide, name: str) -> None:
    assert Filter(machine, decide, reading=False)(name) == Action.REFUSE


@MACHINES
@pytest.mark.parametrize(
    ("protection", "flags", "expected"),
    [
        (3, 0x22, Action.ALLOW),
        (1, 0x02, Action.ALLOW),
        (5, 0x02, Action.ALLOW),
        (7, 0x02, Action.REFUSE),
        (7, 0x22, Action.REFUSE),
        (5, 0x22, Action.REFUSE),
        (4, 0x22, Action.REFUSE),
    ],
)
def test_only_files_are_mapped_as_code_and_never_writable(
    machine: kernel.Machine, decide: Decide, protection: int, flags: int, expected: Action
) -> None:
    assert Filter(machine, decide)("mmap", 0, 4096, protection, flags, 3) == expected


@MACHINES
def test_memory_is_not_turned_into_code(machine: kernel.Machine, decide: Decide) -> None:
    strict = Filter(machine, decide)
    assert strict("mprotect", 0, 4096, 3) == Action.ALLOW
    assert strict("mprotect", 0, 4096, 5) == Action.REFUSE


@MACHINES
def test_limits_are_read_but_not_written(machine: kernel.Machine, decide: Decide) -> None:
    strict = Filter(machine, decide)
    assert strict("prlimit64", 0, 7, 0, 0x1000) == Action.ALLOW
    assert strict("prlimit64", PID, 7, 0, 0x1000) == Action.ALLOW
    assert strict("prlimit64", 0, 7, 0x1000, 0) == Action.REFUSE
    assert strict("prlimit64", 0, 7, 0x7F00_0000_0000, 0) == Action.REFUSE
    assert strict("prlimit64", 1, 7, 0, 0x1000) == Action.REFUSE


@MACHINES
def test_a_process_may_abort_itself_and_signal_nobody_else(machine: kernel.Machine, decide: Decide) -> None:
    strict = Filter(machine, decide)
    assert strict("tgkill", PID, PID, signal.SIGABRT) == Action.ALLOW
    assert strict("tgkill", 1, 1, signal.SIGKILL) == Action.REFUSE
    assert strict("kill", PID, signal.SIGKILL) == Action.REFUSE


@MACHINES
def test_prctl_names_a_thread_and_nothing_else(machine: kernel.Machine, decide: Decide) -> None:
    strict = Filter(machine, decide)
    assert strict("prctl", kernel.PR_SET_NAME, 0x1000) == Action.ALLOW
    for option in (kernel.PR_SET_PDEATHSIG, kernel.PR_SET_DUMPABLE, 22, 59):
        assert strict("prctl", option) == Action.REFUSE


@MACHINES
def test_a_descriptor_cannot_be_made_to_send_signals(machine: kernel.Machine, decide: Decide) -> None:
    set_flags, set_owner, set_signal = 4, 8, 10
    strict = Filter(machine, decide)
    assert [strict("fcntl", 3, command) for command in (set_flags, set_owner, set_signal)] == [Action.REFUSE] * 3
    assert strict("fcntl", 3, 1) == Action.ALLOW


@MACHINES
def test_the_filter_is_short_enough_for_the_kernel(machine: kernel.Machine) -> None:
    assert len(seccomp.build(machine, PID, reading=True)) // 8 < 4096


@MACHINES
def test_every_call_a_rule_names_is_known(machine: kernel.Machine) -> None:
    known = set().union(*(other.numbers for other in kernel.MACHINES.values()))
    assert {rule.name for rule in seccomp.rules(PID, reading=True)} <= known


@MACHINES
def test_no_call_has_two_rules(machine: kernel.Machine) -> None:
    names = [rule.name for rule in seccomp.rules(PID, reading=True)]
    assert len(names) == len(set(names))


@MACHINES
def test_call_numbers_are_the_kernels_own(machine: kernel.Machine) -> None:
    header = Path(HEADERS[machine.name])
    if not header.exists():
        pytest.skip(f"the kernel header {header} is missing")
    text = header.read_text()
    official = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    official.setdefault("newfstatat", official.get("fstatat", -1))
    # A header older than the call cannot speak about it.
    newest = max(official.values())
    mine = {name: number for name, number in machine.numbers.items() if name in official or number <= newest}
    assert mine == {name: official.get(name) for name in mine}
