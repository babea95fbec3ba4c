"""Handlers that child processes import: what they try must do the host no harm."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from rtfs_framework.api import CapabilityError, Described
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword

_MOST = 65_536
"""Files that are looked for: the host's may have had any number."""


def echo(request):
    return request.args


async def later(request):
    return request.args[0]


def told(request):
    own = [f"{grant.own} from {grant.base}" for grant in request.grants]
    return (request.id, request.key, request.tenant, tuple(sorted(request.marks)), tuple(own))


def marked(request):
    return Described(1, marks=frozenset({"secret"}))


def refuses(request):
    raise CapabilityError("no such thing", "NotFound")


def refuses_with_marks(request):
    raise CapabilityError("there is such a thing", marks=frozenset({"secret"}))


def throws(request):
    raise ProgramError("Mine", "of a program", Map.of([(Keyword("a"), 1)]))


def breaks(request):
    raise ZeroDivisionError("oops")


def gives_what_python_has(request):
    return {"a": [1, {2}]}


def gives_what_is_no_value(request):
    return object()


def gives_a_function(request):
    return echo


def spins(request):
    while True:
        pass


def sleeps(request):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    time.sleep(1000)


def eats_memory(request):
    eaten = []
    while True:
        eaten.append(bytearray(16 << 20))


def dies(request):
    os.abort()


def exits(request):
    sys.exit(3)


def environment(request):
    return tuple(sorted(os.environ.items()))


def open_files(request):
    return sum(map(_is_open, range(_MOST)))  # /proc cannot be listed where one is sandboxed


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def prints(request):
    print("garbage" * 1000)
    print("garbage" * 1000, file=sys.stderr)
    os.write(1, b"garbage")
    return 1


def _pipe():
    return next(number for number in range(3, _MOST) if _is_open(number))


def writes_to_its_pipe(request):
    os.write(_pipe(), b'{"value": ')
    return 1


def advises(request):
    """End as a child that could not be confined, with words of its own."""
    os.write(_pipe(), b'\x1b[2Jset isolation = "inherit"')
    os._exit(request.args[0])


def floods_its_pipe(request):
    while True:
        os.write(_pipe(), b"x" * 65536)


def threads(request):
    found = []
    thread = threading.Thread(target=found.append, args=(1,))
    thread.start()
    thread.join()
    return tuple(found)


def signals_itself(request):
    signal.signal(signal.SIGUSR1, lambda *_: None)
    os.kill(os.getpid(), signal.SIGUSR1)
    return 1


def reads(request):
    return Path(request.args[0]).read_text(encoding="utf-8", errors="replace")[:100]


def writes(request):
    Path(request.args[0]).write_text("changed", encoding="utf-8")
    return 1


_LIBC = ctypes.CDLL(None, use_errno=True)


def _libc(name, *args):
    if getattr(_LIBC, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)


def _descriptor(request):
    return os.open(request.args[1], os.O_RDONLY)


ATTEMPTS = {
    "fork": lambda _: os.fork(),
    "start a program": lambda _: subprocess.run(["/bin/true"], check=True),
    "become a program": lambda _: os.execv("/bin/true", ["true"]),
    "kill the host": lambda request: os.kill(request.args[2], signal.SIGTERM),
    "kill everybody": lambda _: os.kill(-1, signal.SIGTERM),
    "kill its old group": lambda request: os.kill(-request.args[2], signal.SIGTERM),
    "kill a thread": lambda request: _libc("tgkill", request.args[2], request.args[2], 15),
    "kill by a descriptor": lambda request: os.pidfd_open(request.args[2]),
    "starve the host": lambda request: resource.prlimit(request.args[2], resource.RLIMIT_CPU, (0, 0)),
    "slow the host": lambda request: os.setpriority(os.PRIO_PROCESS, request.args[2], 19),
    "pin the host": lambda request: os.sched_setaffinity(request.args[2], {0}),
    "have signals sent": lambda request: fcntl.fcntl(_descriptor(request), fcntl.F_SETOWN, request.args[2]),
    "trace the host": lambda request: _libc("ptrace", 16, request.args[2], 0, 0),
    "read the host's environment": lambda request: Path(f"/proc/{request.args[2]}/environ").read_bytes(),
    "read the host's memory": lambda request: Path(f"/proc/{request.args[2]}/mem").read_bytes(),
    "change a file": lambda request: Path(request.args[1]).write_text("changed", encoding="utf-8"),
    "add to a file": lambda request: Path(request.args[1]).open("a").close(),
    "cut a file": lambda request: os.truncate(request.args[1], 0),
    "remove a file": lambda request: Path(request.args[1]).unlink(),
    "rename a file": lambda request: Path(request.args[1]).rename(request.args[1] + "x"),
    "link a file": lambda request: Path(request.args[1] + "l").hardlink_to(request.args[1]),
    "point to a file": lambda request: Path(request.args[1] + "l").symlink_to(request.args[1]),
    "make a file": lambda request: Path(request.args[1] + "new").write_text("", encoding="utf-8"),
    "make a folder": lambda request: Path(request.args[1] + "new").mkdir(),
    "make a pipe": lambda request: os.mkfifo(request.args[1] + "new"),
    "lock out others": lambda request: Path(request.args[1]).chmod(0),
    "give it away": lambda request: os.chown(request.args[1], 1, 1),
    "mark it": lambda request: os.setxattr(request.args[1], "user.a", b"b"),
    "date it": lambda request: os.utime(request.args[1], (0, 0)),
    "write to the kernel": lambda _: Path("/proc/sys/kernel/hostname").write_text("x", encoding="utf-8"),
    "mount": lambda _: _libc("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "change the root": lambda _: os.chroot("/tmp"),
    "another namespace": lambda _: _libc("unshare", 0x10000000),
    "raise its limits": lambda _: resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40)),
    "become another": lambda _: os.setuid(12345),
    "talk to a local service": lambda _: socket.socket(socket.AF_UNIX),
    "listen to the wire": lambda _: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "shared memory": lambda _: _libc("shmget", 1234, 4096, 0o1600),
    "an abstract socket": lambda _: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind("\0rtfs"),
    "a program in memory": lambda _: os.execve(os.memfd_create("x"), ["x"], {}),
    "a process without a signal": lambda _: _libc("syscall", 56, 0, 0, 0, 0, 0),
    "a process by a new call": lambda _: _libc("syscall", 435, 0, 0),
    "write the host's memory": lambda request: Path(f"/proc/{request.args[2]}/mem").open("r+b").close(),
    "the host's files": lambda request: os.open(f"/proc/{request.args[2]}/fd/1", os.O_RDONLY),
    "what the host's files are": lambda request: Path(f"/proc/{request.args[2]}/fd/1").readlink(),
    "the host's folder": lambda request: tuple(Path(f"/proc/{request.args[2]}/cwd").iterdir()),
    "the host's root": lambda request: tuple(Path(f"/proc/{request.args[2]}/root").iterdir()),
    "the host's maps": lambda request: Path(f"/proc/{request.args[2]}/maps").read_bytes(),
    "its mercy": lambda request: Path(f"/proc/{request.args[2]}/oom_score_adj").write_text("1000", "ascii"),
    "a core": lambda _: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30)),
    "more files": lambda _: resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536)),
    "more time": lambda _: resource.setrlimit(resource.RLIMIT_CPU, (1 << 20, 1 << 20)),
    "rings of the kernel": lambda _: _libc("syscall", 425, 8, 0),
    "a queue of messages": lambda _: _libc("syscall", 240, b"rtfs", 0o102, 0o600, 0),
    "a program of the kernel": lambda _: _libc("syscall", 321, 0, 0, 0),
    "memory in a file": lambda _: os.memfd_create("x"),
    "memory in a secret file": lambda _: _libc("syscall", 447, 0),
    "faults in its own memory": lambda _: _libc("syscall", 323, 0),
    "faults by their device": lambda _: os.open("/dev/userfaultfd", os.O_RDWR),
    "memory in a folder": lambda _: Path("/dev/shm/rtfs").write_bytes(b"x"),
    "a file of no name": lambda _: os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR),
    "more address space": lambda _: mmap.mmap(-1, 1 << 40),
    "a large pipe": lambda _: fcntl.fcntl(os.pipe()[1], fcntl.F_SETPIPE_SZ, 1 << 20),
    "large buffers to send": lambda _: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22),
    "large buffers to receive": lambda _: socket.socketpair()[0].setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22
    ),
    "keys of the kernel": lambda _: _libc("syscall", 250, 0, 0, 0, 0, 0),
}
ATTEMPTS_AT_THE_NETWORK = {
    "open a socket": lambda _: socket.socket(),
    "connect": lambda request: socket.create_connection(("127.0.0.1", request.args[3]), timeout=2),
    "listen": lambda _: socket.create_server(("127.0.0.1", 0)),
    "open a datagram socket": lambda _: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "read a file": lambda request: Path(request.args[1]).read_bytes(),
    "list a folder": lambda request: tuple(Path(request.args[1]).parent.iterdir()),
    "read passwords": lambda _: Path("/etc/passwd").read_bytes(),
}


def attempts(request):
    """Try what the first argument names, one after the other; tell of each whether it was done."""
    return tuple(_tried(name, request) for name in request.args[0])


def _tried(name, request):
    try:
        {**ATTEMPTS, **ATTEMPTS_AT_THE_NETWORK}[name](request)
    except (OSError, ValueError) as error:
        return f"refused: {type(error).__name__}"
    return "done"


def connects(request):
    with socket.create_connection(("127.0.0.1", request.args[0]), timeout=2) as made:
        return made.recv(10).decode()


def process(_):
    return os.getpid()
