"""The system calls a strict worker may make: an allow-list, measured with CPython, lupa and quickjs-ng.

Three answers to everything else. *Absent* (ENOSYS) where libc knows an older way that the filter can look
into. *Refuse* (EPERM) for what a library may try and survive. *Kill* for what nothing honest in a worker ever
does: the attempt is the proof, and the parent sees a death by SIGSYS.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from llmspell.runtime.hardening import kernel
from llmspell.runtime.hardening.bpf import Action, Rule, Test, assemble
from llmspell.runtime.hardening.kernel import Machine

_ALL = 0xFFFFFFFF

_O_WRONLY, _O_RDWR, _O_CREAT, _O_TRUNC, _O_APPEND, _O_TMPFILE = 0o1, 0o2, 0o100, 0o1000, 0o2000, 0o20000000
_WRITING = _O_WRONLY | _O_RDWR | _O_CREAT | _O_TRUNC | _O_APPEND | _O_TMPFILE
_PROT_WRITE, _PROT_EXEC, _MAP_ANONYMOUS = 2, 4, 0x20
# VM, FS, FILES, SIGHAND, THREAD and SYSVSEM make a thread; libc adds SETTLS, PARENT_SETTID, CHILD_CLEARTID,
# CHILD_SETTID and (musl) DETACHED. Anything more is a namespace, a trace, or a process.
_THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000
_THREAD_EXTRAS = 0x80000 | 0x100000 | 0x200000 | 0x1000000 | 0x400000
_F_GETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 1, 3, 1030
_ADVICE = (0, 3, 4, 8, 14, 15)  # normal, willneed, dontneed, free, hugepage, nohugepage

_FREE = """
read write futex close clock_gettime brk munmap mremap rt_sigprocmask rt_sigreturn gettid getpid
poll ppoll select pselect6 readv writev pread64 lseek fstat rt_sigaction sigaltstack restart_syscall
clock_nanosleep nanosleep sched_yield clock_getres gettimeofday time times getrusage getrandom
exit exit_group set_robust_list rseq sched_getaffinity getcpu
getppid getuid geteuid getgid getegid
"""

_READING = "newfstatat statx stat lstat access faccessat readlink readlinkat getcwd getdents64"

_KILLED = """
ptrace process_vm_readv process_vm_writev process_madvise kcmp bpf perf_event_open userfaultfd
io_uring_setup io_uring_enter io_uring_register io_setup io_submit keyctl add_key request_key
execve execveat fork vfork mount umount2 pivot_root chroot fsopen fsmount fsconfig fspick open_tree move_mount
mount_setattr setns unshare name_to_handle_at open_by_handle_at init_module finit_module delete_module
kexec_load kexec_file_load reboot swapon swapoff acct quotactl settimeofday clock_settime adjtimex
clock_adjtime sethostname setdomainname iopl ioperm modify_ldt personality pidfd_open pidfd_send_signal
pidfd_getfd memfd_secret fanotify_init move_pages migrate_pages pkey_mprotect remap_file_pages
"""


def rules(pid: int, *, reading: bool) -> tuple[Rule, ...]:
    """List the rules for a worker.

    Args:
        pid: The worker's own process id, as it sees it.
        reading: It may look at files (Landlock says which). Otherwise no call that takes a path is left.
    """
    looks = [
        Rule("openat", cases=((Test(2, _WRITING, (0,)),),)),
        Rule("open", cases=((Test(1, _WRITING, (0,)),),)),
    ]
    return (
        *(Rule(name) for name in _FREE.split()),
        Rule(
            "mmap",
            cases=(
                (Test(2, _PROT_EXEC, (0,)),),
                (Test(2, _PROT_WRITE, (0,)), Test(3, _MAP_ANONYMOUS, (0,))),
            ),
        ),
        Rule("mprotect", cases=((Test(2, _PROT_EXEC, (0,)),),)),
        Rule("madvise", cases=((Test(2, _ALL, _ADVICE),),)),
        Rule("clone", cases=((Test(0, _ALL ^ _THREAD_EXTRAS, (_THREAD,)),),)),
        Rule("clone3", Action.ABSENT),
        Rule("fcntl", cases=((Test(1, _ALL, (_F_GETFD, _F_GETFL, _F_DUPFD_CLOEXEC)),),)),
        Rule("prctl", cases=((Test(0, _ALL, (kernel.PR_SET_NAME,)),),)),
        Rule("prlimit64", cases=((Test(0, _ALL, (0, pid)), Test(2, _ALL, (0,), whole=True)),)),
        Rule("tgkill", cases=((Test(0, _ALL, (pid,)),),)),
        *(looks if reading else ()),
        *(Rule(name) for name in (_READING.split() if reading else ())),
        Rule("openat2", Action.ABSENT),
        Rule("faccessat2", Action.ABSENT),
        *(Rule(name, Action.KILL) for name in _KILLED.split()),
    )


def build(machine: Machine, pid: int, *, reading: bool) -> bytes:
    """Assemble the filter of :func:`rules`; what no rule names is refused."""
    return assemble(machine, rules(pid, reading=reading), Action.REFUSE)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install(program: bytes) -> None:
    """Put a filter on every thread of this process, for good.

    Needs ``no_new_privs``.

    Raises:
        OSError: The kernel has no seccomp filters, or a thread of ours cannot take this one.
    """
    code = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.addressof(code))
    set_mode_filter, on_every_thread = 1, 1
    stuck = kernel.syscall("seccomp", set_mode_filter, on_every_thread, ctypes.addressof(header))
    if stuck:
        raise OSError(3, f"seccomp: thread {stuck} cannot take the filter")


def actions() -> Iterable[str]:
    """Name the actions of ours that this kernel does not have, in a process that stays as it was."""
    get_action_avail = 2
    for action in (Action.KILL, Action.REFUSE, Action.ALLOW):
        word = ctypes.c_uint32(action & 0xFFFF0000)
        try:
            kernel.syscall("seccomp", get_action_avail, 0, ctypes.addressof(word))
        except OSError as error:
            yield f"{action.name.lower()} ({error.strerror})"
