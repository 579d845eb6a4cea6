"""What a compromised worker would try. Each attempt returns what it got, or raises OSError as the kernel does.

Only ctypes and the standard library: native code execution is worth no more than this. The arguments are
harmless where a call did succeed: signal 0, empty files below the temporary directory, absurd addresses.
An errno that only comes after a call was let in (EINVAL, EFAULT, EBADF...) counts as success of the attempt.
"""

import ctypes
import errno
import functools
import os
import struct
import sys
import tempfile
import threading
from collections.abc import Callable

REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS})

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.mmap.restype = ctypes.c_void_p
TEMPORARY = tempfile.gettempdir()

WANTED_ONLY = {"see_that_a_file_exists": "own-root"}
"""Attempts that are refused by a piece that strict wants but does not require, and the piece."""

ATTEMPTS: dict[str, Callable[["Scene"], object]] = {}


class Nothing(OSError):
    """A wall stood where the finding is a state of the process rather than an errno."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EPERM, why)


class Scene:
    """What the attacker knows: descriptors it was given, the host's process id, a file that exists."""

    def __init__(self, given: list[int], host: int, numbers: dict[str, int]) -> None:
        self.given = given
        self.host = host
        self.numbers = numbers

    def call(self, name: str, *args: int | bytes | None) -> int:
        words = []
        keep = []
        for arg in args:
            if isinstance(arg, bytes):
                keep.append(ctypes.create_string_buffer(arg))
                words.append(ctypes.c_long(ctypes.addressof(keep[-1])))
            else:
                words.append(ctypes.c_long(arg or 0))
        if name not in self.numbers:
            raise OSError(errno.ENOSYS, f"{name} does not exist on this architecture")
        result = libc.syscall(ctypes.c_long(self.numbers[name]), *words)
        if result == -1:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result


def attempt(function: Callable[[Scene], object]) -> Callable[[Scene], object]:
    ATTEMPTS[function.__name__] = function
    return function


def of_a_file_that_is_there(function: Callable[[Scene], object]) -> Callable[[Scene], object]:
    """Take "no such file" for a wall: the file is there, but not in the root of whoever looks."""

    @functools.wraps(function)
    def look(scene: Scene) -> object:
        try:
            return function(scene)
        except FileNotFoundError as error:
            raise Nothing(f"out of sight: {error}") from error

    return look


def system_call(title: str, name: str, *args: int | bytes | None) -> None:
    """Declare an attempt that is one system call."""
    ATTEMPTS[title] = lambda scene: scene.call(name, *args)


# files

AT_FDCWD = -100 & 0xFFFFFFFFFFFFFFFF
NEW_FILE = os.path.join(TEMPORARY, "llmspell-drill-new").encode()


@attempt
@of_a_file_that_is_there
def create_a_file(scene: Scene) -> object:
    return os.open(NEW_FILE, os.O_WRONLY | os.O_CREAT, 0o600)


@attempt
@of_a_file_that_is_there
def open_the_null_device_for_writing(scene: Scene) -> object:
    return os.open("/dev/null", os.O_WRONLY)


@attempt
@of_a_file_that_is_there
def read_the_user_database(scene: Scene) -> object:
    with open("/etc/passwd", "rb") as file:
        return file.read(10)


@attempt
@of_a_file_that_is_there
def see_that_a_file_exists(scene: Scene) -> object:
    return os.stat("/etc/passwd").st_size


@attempt
def list_the_root(scene: Scene) -> object:
    return os.listdir("/")


@attempt
def leave_its_root(scene: Scene) -> object:
    os.chdir("..")
    return os.listdir("..")


@attempt
@of_a_file_that_is_there
def read_the_hosts_environment(scene: Scene) -> object:
    with open(f"/proc/{scene.host}/environ", "rb") as file:
        return file.read(10)


@attempt
@of_a_file_that_is_there
def read_the_hosts_memory(scene: Scene) -> object:
    return os.open(f"/proc/{scene.host}/mem", os.O_RDONLY)


@attempt
@of_a_file_that_is_there
def write_own_memory_through_proc(scene: Scene) -> object:
    return os.open("/proc/self/mem", os.O_RDWR)


@attempt
@of_a_file_that_is_there
def write_through_a_descriptor_link(scene: Scene) -> object:
    return os.open(f"/proc/self/fd/{scene.given[0]}", os.O_WRONLY)


@attempt
@of_a_file_that_is_there
def open_an_anonymous_temporary_file(scene: Scene) -> object:
    return os.open(TEMPORARY, os.O_TMPFILE | os.O_RDWR)


@attempt
@of_a_file_that_is_there
def truncate_by_open(scene: Scene) -> object:
    return os.open("/dev/null", os.O_RDONLY | os.O_TRUNC)


system_call("openat2", "openat2", AT_FDCWD, b"/etc/passwd\0", struct.pack("=QQQ", 0, 0, 0), 24)
system_call("creat", "creat", NEW_FILE, 0o600)
system_call("mkdir", "mkdirat", AT_FDCWD, NEW_FILE, 0o700)
system_call("unlink", "unlinkat", AT_FDCWD, NEW_FILE, 0)
system_call("rename", "renameat2", AT_FDCWD, NEW_FILE, AT_FDCWD, NEW_FILE + b"2", 0)
system_call("symlink", "symlinkat", b"/etc/passwd", AT_FDCWD, NEW_FILE)
system_call("hard_link", "linkat", AT_FDCWD, b"/dev/null", AT_FDCWD, NEW_FILE, 0)
system_call("make_a_fifo", "mknodat", AT_FDCWD, NEW_FILE, 0o010600, 0)
system_call("chmod", "fchmodat", AT_FDCWD, NEW_FILE, 0o600)
system_call("chown", "fchownat", AT_FDCWD, NEW_FILE, -1, -1, 0)
system_call("truncate", "truncate", NEW_FILE, 0)
system_call("set_times", "utimensat", AT_FDCWD, NEW_FILE, None, 0)
system_call("set_an_extended_attribute", "setxattr", NEW_FILE, b"user.x", b"y", 1, 0)
system_call("chdir", "chdir", b"/")
system_call("chroot", "chroot", b"/")
system_call("memfd_create", "memfd_create", b"drill", 0)
system_call("memfd_secret", "memfd_secret", 0)
system_call("file_handle", "name_to_handle_at", AT_FDCWD, b"/etc/passwd", bytes(200), bytes(8), 0)
system_call("open_by_handle", "open_by_handle_at", AT_FDCWD, bytes(16), 0)
system_call("watch_files", "inotify_init1", 0)
system_call("watch_the_machine", "fanotify_init", 0, 0)

# network and other channels

for _title, _family, _kind in (
    ("socket_tcp", 2, 1),
    ("socket_udp", 2, 2),
    ("socket_tcp6", 10, 1),
    ("socket_unix", 1, 1),
    ("socket_unix_datagram", 1, 2),
    ("socket_netlink", 16, 3),
    ("socket_packet", 17, 3),
    ("socket_alg", 38, 5),
    ("socket_vsock", 40, 1),
    ("socket_raw", 2, 3),
):
    system_call(_title, "socket", _family, _kind, 0)
system_call("socketpair", "socketpair", 1, 1, 0, bytes(8))


@attempt
def bind_an_abstract_name_on_a_given_socket(scene: Scene) -> object:
    return scene.call("bind", scene.given[0], struct.pack("=H", 1) + b"\0llmspell-drill", 18)


@attempt
def connect_a_given_socket(scene: Scene) -> object:
    return scene.call("connect", scene.given[0], struct.pack("=H", 1) + b"\0llmspell-drill", 18)


@attempt
def send_a_descriptor(scene: Scene) -> object:
    return scene.call("sendmsg", scene.given[0], bytes(56), 0)


@attempt
def receive_a_descriptor(scene: Scene) -> object:
    return scene.call("recvmsg", scene.given[0], bytes(56), 0x40)


@attempt
def ask_to_be_signalled_for_another(scene: Scene) -> object:
    set_owner = 8
    return scene.call("fcntl", scene.given[0], set_owner, os.getpid())


@attempt
def control_a_descriptor(scene: Scene) -> object:
    tiocsti = 0x5412
    return scene.call("ioctl", scene.given[0], tiocsti, b"x")


system_call("shared_memory", "shmget", 0x11D211, 4096, 0o1600)
system_call("attach_shared_memory", "shmat", 0, None, 0)
system_call("semaphores", "semget", 0x11D211, 1, 0o1600)
system_call("message_queue", "msgget", 0x11D211, 0o1600)
system_call("posix_message_queue", "mq_open", b"drill", 0o100, 0o600, None)
system_call("pipe", "pipe2", bytes(8), 0)
system_call("splice", "splice", -1, None, -1, None, 0, 0)
system_call("vmsplice", "vmsplice", -1, None, 0, 0)

# processes


@attempt
def fork(scene: Scene) -> object:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)


@attempt
def fork_by_clone(scene: Scene) -> object:
    sigchld = 17
    pid = scene.call("clone", sigchld, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return pid


@attempt
def fork_into_a_user_namespace(scene: Scene) -> object:
    pid = scene.call("clone", 0x10000000 | 17, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return pid


@attempt
def clone3(scene: Scene) -> object:
    pid = scene.call("clone3", struct.pack("=QQQQQQQQ", 0, 0, 0, 0, 17, 0, 0, 0), 64)
    if pid == 0:
        os._exit(0)
    return pid


@attempt
def execute_a_program(scene: Scene) -> object:
    # Should it succeed, "true" says nothing, and the missing answer is the finding.
    os.execve("/bin/true", ["true"], {})


system_call("execveat", "execveat", AT_FDCWD, b"/nonexistent/drill", None, None, 0)
system_call("ptrace_me", "ptrace", 0, 0, 0, 0)


@attempt
def ptrace_the_host(scene: Scene) -> object:
    seize = 0x4206
    return scene.call("ptrace", seize, scene.host, 0, 0)


@attempt
def read_the_host_by_process_vm(scene: Scene) -> object:
    return scene.call("process_vm_readv", scene.host, bytes(16), 1, bytes(16), 1, 0)


@attempt
def write_the_host_by_process_vm(scene: Scene) -> object:
    return scene.call("process_vm_writev", scene.host, bytes(16), 1, bytes(16), 1, 0)


@attempt
def signal_the_host(scene: Scene) -> object:
    return scene.call("kill", scene.host, 0)


@attempt
def signal_the_parent(scene: Scene) -> object:
    if os.getppid() == 0:
        raise Nothing("the parent lives in another process-id namespace")
    return scene.call("kill", os.getppid(), 0)


system_call("signal_everybody", "kill", -1, 0)
system_call("signal_process_1", "kill", 1, 0)


@attempt
def signal_a_thread_of_the_host(scene: Scene) -> object:
    return scene.call("tgkill", scene.host + 1, scene.host + 1, 0)


@attempt
def queue_a_signal_to_the_host(scene: Scene) -> object:
    return scene.call("rt_sigqueueinfo", scene.host, 0, bytes(128))


@attempt
def open_the_host_as_pidfd(scene: Scene) -> object:
    return scene.call("pidfd_open", scene.host, 0)


system_call("take_a_descriptor_by_pidfd", "pidfd_getfd", 0, 0, 0)
system_call("signal_by_pidfd", "pidfd_send_signal", 0, 0, None, 0)
system_call("compare_with_the_host", "kcmp", 1, 1, 0, 0, 0)


@attempt
def limit_the_host(scene: Scene) -> object:
    return scene.call("prlimit64", scene.host, 7, None, bytes(16))


@attempt
def change_own_limits(scene: Scene) -> object:
    open_files = 7
    return scene.call("prlimit64", 0, open_files, struct.pack("=QQ", 8, 8), None)


system_call("new_session", "setsid")
system_call("change_group", "setpgid", 0, 0)
system_call("change_priority", "setpriority", 0, 0, 19)
system_call("change_user", "setuid", 0)
system_call("advise_the_host", "process_madvise", -1, None, 0, 0, 0)
system_call("personality", "personality", 0xFFFFFFFF)
system_call("interval_timer", "setitimer", 0, bytes(32), None)

# the kernel itself

system_call("io_uring_setup", "io_uring_setup", 1, bytes(120))
system_call("io_uring_enter", "io_uring_enter", -1, 0, 0, 0, None, 0)
system_call("aio", "io_setup", 1, bytes(8))
system_call("bpf", "bpf", 0, bytes(128), 128)
system_call("perf_event_open", "perf_event_open", bytes(112), 0, -1, -1, 0)
system_call("userfaultfd", "userfaultfd", 0)
system_call("keyctl", "keyctl", 0, -3, 0, 0, 0)
system_call("add_key", "add_key", b"user", b"drill", b"x", 1, -3)
system_call("request_key", "request_key", b"user", b"drill", None, 0)
system_call("mount", "mount", b"none", b"/nonexistent", b"tmpfs", 1, None)
system_call("umount", "umount2", b"/nonexistent", 0)
system_call("fsopen", "fsopen", b"tmpfs", 0)
system_call("open_tree", "open_tree", AT_FDCWD, b"/nonexistent", 0)
system_call("pivot_root", "pivot_root", b"/nonexistent", b"/nonexistent")
system_call("unshare", "unshare", 0x10000000)
system_call("setns", "setns", -1, 0)
system_call("load_a_module", "finit_module", -1, b"", 0)
system_call("load_a_module_image", "init_module", None, 0, b"")
system_call("load_a_kernel", "kexec_file_load", -1, -1, 0, None, 0)
system_call("reboot", "reboot", 0, 0, 0, None)
system_call("swap", "swapon", b"/nonexistent", 0)
system_call("kernel_log", "syslog", 10, None, 0)
system_call("set_the_clock", "settimeofday", None, None)
system_call("adjust_the_clock", "adjtimex", bytes(208))
system_call("host_name", "sethostname", None, -1)
system_call("accounting", "acct", b"/nonexistent")
system_call("quota", "quotactl", 0, None, 0, None)
system_call("ports", "iopl", 0)
system_call("segments", "modify_ldt", 0, bytes(16), 16)
system_call("move_pages", "move_pages", 0, 0, None, None, None, 0)

# lifting the walls

system_call("seccomp_off", "prctl", 22, 0, 0, 0, 0)
system_call("seccomp_replaced", "seccomp", 1, 0, None)
system_call("new_privileges_again", "prctl", 38, 0, 0, 0, 0)
system_call("outlive_the_parent", "prctl", 1, 0, 0, 0, 0)
system_call("dumpable_again", "prctl", 4, 1, 0, 0, 0)
system_call("become_subreaper", "prctl", 36, 0, 0, 0, 0)
system_call("landlock_again", "landlock_create_ruleset", None, 0, 1)
system_call("capabilities_again", "capset", struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", 0, 0, 0, 0, 0, 0))

# memory


@attempt
def writable_code(scene: Scene) -> object:
    return scene.call("mmap", None, 4096, 7, 0x22, -1, 0)


@attempt
def fresh_code(scene: Scene) -> object:
    return scene.call("mmap", None, 4096, 5, 0x22, -1, 0)


@attempt
def data_turned_to_code(scene: Scene) -> object:
    address = scene.call("mmap", None, 4096, 3, 0x22, -1, 0)
    return scene.call("mprotect", address, 4096, 5)


@attempt
def data_turned_to_code_by_key(scene: Scene) -> object:
    address = scene.call("mmap", None, 4096, 3, 0x22, -1, 0)
    return scene.call("pkey_mprotect", address, 4096, 5, -1)


@attempt
def a_librarys_code_made_writable(scene: Scene) -> object:
    file = os.open(threading.__file__, os.O_RDONLY)
    return scene.call("mmap", None, 4096, 7, 2, file, 0)


@attempt
def more_memory_than_the_limit(scene: Scene) -> object:
    try:
        return len(bytearray(1 << 30))
    except MemoryError as error:
        raise Nothing("memory") from error


# tricks


@attempt
def another_architectures_numbers(scene: Scene) -> object:
    x32_getpid = 0x40000000 | 39
    result = libc.syscall(ctypes.c_long(x32_getpid))
    if result == -1:
        raise OSError(ctypes.get_errno(), "x32")
    return result


@attempt
def inherited_descriptors(scene: Scene) -> object:
    found = []
    for number in range(3, 4096):
        try:
            scene.call("fcntl", number, 1)
        except OSError:
            continue
        found.append(number)
    if set(found) - set(scene.given):
        return sorted(set(found) - set(scene.given))
    raise Nothing("only what was given is open")


@attempt
def standard_streams_lead_somewhere(scene: Scene) -> object:
    null = os.makedev(1, 3)
    leads = [number for number in range(3) if os.fstat(number).st_rdev != null]
    if leads:
        return leads
    raise Nothing("all three are the null device")


@attempt
def secrets_in_the_environment(scene: Scene) -> object:
    if os.environ:
        return dict(os.environ)
    raise Nothing("the environment is empty")


@attempt
@of_a_file_that_is_there
def secrets_in_the_first_environment_block(scene: Scene) -> object:
    with open("/proc/self/environ", "rb") as file:
        return file.read(100)


@attempt
def a_thread_without_walls(scene: Scene) -> object:
    """Threads are allowed; one of them must be no freer than the others."""
    got: list[object] = []

    def elsewhere() -> None:
        try:
            got.append(scene.call("socket", 2, 1, 0))
        except OSError as error:
            got.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    if isinstance(got[0], OSError):
        raise got[0]
    return got


@attempt
def a_core_dump(scene: Scene) -> object:
    import resource

    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        return resource.getrlimit(resource.RLIMIT_CORE)
    raise Nothing("core dumps are limited to nothing")


def run(name: str, scene: Scene) -> dict[str, object]:
    """Make one attempt and say how it ended, if we are still there to say it."""
    try:
        got = ATTEMPTS[name](scene)
    except OSError as error:
        refused = error.errno in REFUSALS
        return {"refused": refused, "why": errno.errorcode.get(error.errno or 0, "?"), "text": str(error)}
    return {"refused": False, "why": "succeeded", "text": repr(got)[:200]}


def names() -> list[str]:
    return list(ATTEMPTS)


if sys.platform != "linux":
    raise ImportError("the drill speaks to a Linux kernel")
