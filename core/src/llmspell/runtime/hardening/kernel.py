"""The Linux kernel by ctypes: system calls by number, ``prctl``, and a table of numbers per architecture.

Nothing is loaded at import, so that every other operating system can import this room and say what it lacks.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


@dataclass(frozen=True, slots=True)
class Machine:
    """An architecture this package can speak to.

    Attributes:
        name: As ``platform.machine()`` gives it.
        audit_arch: What ``seccomp_data.arch`` holds there (linux/audit.h).
        numbers: System calls by name. A call the architecture does not have is absent.
    """

    name: str
    audit_arch: int
    numbers: dict[str, int]


# name, x86_64 (asm/unistd_64.h), aarch64 (asm-generic/unistd.h); "-": the architecture has no such call.
# Holds the calls the filter or this package names; a test compares it with the kernel's own headers.
_TABLE = """
read 0 63|write 1 64|close 3 57|readv 19 65|writev 20 66|pread64 17 67|lseek 8 62|getdents64 217 61
open 2 -|openat 257 56|openat2 437 437|creat 85 -|stat 4 -|lstat 6 -|fstat 5 80|newfstatat 262 79|statx 332 291
access 21 -|faccessat 269 48|faccessat2 439 439|readlink 89 -|readlinkat 267 78|getcwd 79 17
poll 7 -|ppoll 271 73|select 23 -|pselect6 270 72|fcntl 72 25|ioctl 16 29|dup 32 23|dup2 33 -|dup3 292 24
mmap 9 222|munmap 11 215|mprotect 10 226|mremap 25 216|madvise 28 233|brk 12 214|mincore 27 232|msync 26 227
rt_sigaction 13 134|rt_sigprocmask 14 135|rt_sigreturn 15 139|sigaltstack 131 132|restart_syscall 219 128
clone 56 220|clone3 435 435|fork 57 -|vfork 58 -|execve 59 221|execveat 322 281
exit 60 93|exit_group 231 94|wait4 61 260|waitid 247 95
futex 202 98|futex_waitv 449 449|set_robust_list 273 99|get_robust_list 274 100|rseq 334 293
set_tid_address 218 96|sched_yield 24 124|sched_getaffinity 204 123|getcpu 309 168|membarrier 324 283
nanosleep 35 101|clock_nanosleep 230 115|clock_gettime 228 113|clock_getres 229 114|gettimeofday 96 169|time 201 -
times 100 153|getrusage 98 165|getrandom 318 278|sysinfo 99 179|uname 63 160
getpid 39 172|gettid 186 178|getppid 110 173|getuid 102 174|geteuid 107 175|getgid 104 176|getegid 108 177
kill 62 129|tkill 200 130|tgkill 234 131|rt_sigqueueinfo 129 138|rt_tgsigqueueinfo 297 240
pidfd_open 434 434|pidfd_send_signal 424 424|pidfd_getfd 438 438
prctl 157 167|arch_prctl 158 -|prlimit64 302 261|getrlimit 97 163|setrlimit 160 164|personality 135 92
seccomp 317 277|landlock_create_ruleset 444 444|landlock_add_rule 445 445|landlock_restrict_self 446 446
capget 125 90|capset 126 91|unshare 272 97|setns 308 268|setsid 112 157|setpgid 109 154|setuid 105 146
ptrace 101 117|process_vm_readv 310 270|process_vm_writev 311 271|process_madvise 440 440|kcmp 312 272
io_uring_setup 425 425|io_uring_enter 426 426|io_uring_register 427 427|io_setup 206 0|io_submit 209 2
bpf 321 280|perf_event_open 298 241|userfaultfd 323 282
keyctl 250 219|add_key 248 217|request_key 249 218
mount 165 40|umount2 166 39|pivot_root 155 41|chroot 161 51|fsopen 430 430|fsmount 432 432|fsconfig 431 431
fspick 433 433|open_tree 428 428|move_mount 429 429|mount_setattr 442 442
name_to_handle_at 303 264|open_by_handle_at 304 265
init_module 175 105|finit_module 313 273|delete_module 176 106|kexec_load 246 104|kexec_file_load 320 294
reboot 169 142|swapon 167 224|swapoff 168 225|acct 163 89|quotactl 179 60|syslog 103 116
settimeofday 164 170|clock_settime 227 112|adjtimex 159 171|clock_adjtime 305 266
sethostname 170 161|setdomainname 171 162|iopl 172 -|ioperm 173 -|modify_ldt 154 -
socket 41 198|socketpair 53 199|bind 49 200|listen 50 201|connect 42 203|accept 43 202|accept4 288 242
sendto 44 206|recvfrom 45 207|sendmsg 46 211|recvmsg 47 212|sendmmsg 307 269|recvmmsg 299 243
setsockopt 54 208|getsockopt 55 209|shutdown 48 210
shmget 29 194|shmat 30 196|shmctl 31 195|semget 64 190|semop 65 193|msgget 68 186|msgsnd 69 189|msgrcv 70 188
mq_open 240 180|memfd_create 319 279|memfd_secret 447 447|pipe2 293 59|eventfd2 290 19|signalfd4 289 74
timerfd_create 283 85|inotify_init1 294 26|fanotify_init 300 262|epoll_create1 291 20
unlink 87 -|unlinkat 263 35|mkdir 83 -|mkdirat 258 34|rename 82 -|renameat 264 38|renameat2 316 276|rmdir 84 -
link 86 -|linkat 265 37|symlink 88 -|symlinkat 266 36|mknod 133 -|mknodat 259 33|truncate 76 45|ftruncate 77 46
chmod 90 -|fchmod 91 52|fchmodat 268 53|chown 92 -|fchownat 260 54|utimensat 280 88|setxattr 188 5
fallocate 285 47|splice 275 76|tee 276 77|vmsplice 278 75|sendfile 40 71|copy_file_range 326 285
pkey_mprotect 329 288|pkey_alloc 330 289|remap_file_pages 216 234
move_pages 279 239|migrate_pages 256 238|mbind 237 235|set_mempolicy 238 237
setitimer 38 103|timer_create 222 107|chdir 80 49|fchdir 81 50|umask 95 166|setpriority 141 140
"""


def _numbers(column: int) -> dict[str, int]:
    rows = [row.split() for line in _TABLE.strip().splitlines() for row in line.split("|")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


X86_64 = Machine("x86_64", 0xC000003E, _numbers(1))
AARCH64 = Machine("aarch64", 0xC00000B7, _numbers(2))
MACHINES = {machine.name: machine for machine in (X86_64, AARCH64)}


def unsupported() -> str | None:
    """Say why this package cannot talk to this kernel, or None if it can."""
    if sys.platform != "linux":
        return f"the operating system is {sys.platform}, not Linux"
    if platform.machine() not in MACHINES:
        return f"the processor is {platform.machine()}; known are {', '.join(MACHINES)}"
    if sys.maxsize < 2**32:
        return "the interpreter is a 32-bit program"
    return None


@functools.cache
def machine() -> Machine:
    """Return this machine's architecture.

    Raises:
        OSError: With the text of :func:`unsupported`.
    """
    if reason := unsupported():
        raise OSError(38, reason)
    return MACHINES[platform.machine()]


@functools.cache
def _libc() -> ctypes.CDLL:
    # PyDLL: these calls end at once, and giving the GIL away around a change of the process is asking for trouble.
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.prctl.restype = ctypes.c_int
    return libc


def syscall(name: str, *args: int) -> int:
    """Make a system call; every argument is a machine word.

    Raises:
        OSError: With the kernel's error number and the call's name.
    """
    words = [ctypes.c_long(number) for number in (machine().numbers[name], *args)]
    result: int = _libc().syscall(*words)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def prctl(option: int, *args: int) -> int:
    """Call ``prctl`` with its unused arguments zero, as newer options insist on.

    Raises:
        OSError: As :func:`syscall`.
    """
    return syscall("prctl", option, *args, *([0] * (4 - len(args))))
