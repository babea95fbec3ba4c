"""Which system calls a child may make: a filter for Linux's seccomp, as its program for the Berkeley packet filter.

In: whether sockets are wanted, and the child's number. Out: the bytes of a `struct sock_filter[]` (seccomp(2)). It is a
list of what is refused (with "not permitted"): starting processes, acting on other processes or sending them signals,
changing whose a file is and who may use it (Landlock does not see that), memory that outlives the process or that its
limit does not count, sockets other than of the internet, and whatever has been a way around such filters.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

EPERM: Final = 1
_ENOSYS: Final = 38
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_FIRST_ARGUMENT, _PER_ARGUMENT = 16, 8
_X32: Final = 0x40000000
_CLONE_THREAD: Final = 0x00010000
_INTERNET = (2, 10, 16)
"""IPv4, IPv6, and the netlink socket by which names are resolved."""

ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""By what `uname -m` says: the column in the tables below, and the audit number."""

Numbers = tuple[int | None, int | None]

NEVER: Final[dict[str, Numbers]] = {
    # other programs and processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # files, by ways that Landlock does not see
    "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466), "utime": (132, None),
    "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None), "file_setattr": (469, 469),
    "open_by_handle_at": (304, 265),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # what outlives the process, or has been a way around filters
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # memory that is a file: no limit of address space counts it, and the largest file's counts each alone
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
}  # fmt: skip
_SOCKET: Final[Numbers] = (41, 198)
_CLONE: Final[Numbers] = (56, 220)
_CLONE3: Final[Numbers] = (435, 435)
_OWN_ONLY: Final[dict[str, Numbers]] = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261)}
"""Allowed where they name this process."""
_PIPE_SIZE: Final = 1031
_BUFFER_SIZES: Final = (7, 8, 32, 33)
_NOT_WITH: Final = (
    ((72, 25), 1, (8, 15, _PIPE_SIZE)),
    ((16, 29), 1, (0x8901, 0x8902)),
    ((54, 208), 2, _BUFFER_SIZES),
)
"""`fcntl` and `ioctl` that have signals sent to another process, `fcntl` and `setsockopt` that have the kernel hold
more for a pipe or a socket, which no limit of memory counts: the place of the argument, and what it may not be."""


def program(machine: str, pid: int, *, sockets: bool) -> bytes:
    """Return the filter for the process `pid` on a machine of `ARCHITECTURES`."""
    column, audit = ARCHITECTURES[machine]
    made = [_test(_LOAD, _ARCHITECTURE), _test(_EQUAL, audit, 1, 0), _give(_KILL), _test(_LOAD, _NUMBER)]
    if column == 0:
        made += [_test(_AT_LEAST, _X32, 0, 1), _give(_KILL)]
    refused = [*NEVER.values(), *(() if sockets else (_SOCKET,))]
    for number in (numbers[column] for numbers in refused):
        if number is not None:
            made += [_test(_EQUAL, number, 0, 1), _refuse()]
    # The C library makes threads by `clone` where it is told that there is no `clone3`, whose flags cannot be seen.
    made += [_test(_EQUAL, _of(_CLONE3, column), 0, 1), _give(_ERRNO | _ENOSYS)]
    made += _judged(_of(_CLONE, column), 0, [_test(_ANY_BIT, _CLONE_THREAD, 1, 0), _refuse(), _give(_ALLOW)])
    for numbers in _OWN_ONLY.values():
        made += _judged(_of(numbers, column), 0, _among((pid, 0) if numbers == _OWN_ONLY["prlimit64"] else (pid,)))
    if sockets:
        made += _judged(_of(_SOCKET, column), 0, _among(_INTERNET))
    for numbers, argument, values in _NOT_WITH:
        made += _judged(_of(numbers, column), argument, _among(values, found=_refuse(), else_=_give(_ALLOW)))
    return b"".join([*made, _give(_ALLOW)])


def _of(numbers: Numbers, column: int) -> int:
    found = numbers[column]
    assert found is not None  # noqa: S101 - these are on every machine
    return found


def _test(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _give(value: int) -> bytes:
    return _test(_RETURN, value)


def _refuse() -> bytes:
    return _give(_ERRNO | EPERM)


def _judged(number: int, argument: int, verdict: list[bytes]) -> list[bytes]:
    """Return what judges a call by an argument; the verdict always ends the filter."""
    load = _test(_LOAD, _FIRST_ARGUMENT + _PER_ARGUMENT * argument)
    return [_test(_EQUAL, number, 0, len(verdict) + 1), load, *verdict]


def _among(values: Iterable[int], found: bytes | None = None, else_: bytes | None = None) -> list[bytes]:
    made: list[bytes] = []
    for value in values:
        made += [_test(_EQUAL, value, 0, 1), found or _give(_ALLOW)]
    return [*made, else_ or _refuse()]
