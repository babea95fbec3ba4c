"""What a child takes from itself before it does anything else; none of it can be had back.

In: `Bounds`. Out: nothing, or `CannotIsolateError`, which says what this machine does not have. Linux only: Landlock
(landlock(7)) for files, seccomp for system calls, user and network namespaces (unshare(2)), resource limits.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from typing import Final

import attrs

from rtfs_framework.orchestrator.performing.isolation.syscalls import ARCHITECTURES, program

_NO_NEW_PRIVILEGES, _DEATH_SIGNAL, _SECCOMP, _FILTER, _DROP_BOUNDING = 38, 1, 22, 2, 24
_CAPABILITY_VERSION: Final = 0x20080522
_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_READS: Final = 0b1101
"""Landlock: to execute, to read files, to read folders."""
_WRITES_ALWAYS: Final = 0b1_1111_1111_0010
_REFER, _TRUNCATE, _DEVICE_CONTROL = 1 << 13, 1 << 14, 1 << 15
_OF_FILES: Final = 0b111 | _TRUNCATE
_SCOPES: Final = 0b11
"""No signals to processes outside, and no abstract sockets of theirs."""
_WITH_NET, _WITH_SCOPES = 4, 6
_LARGEST_FILE: Final = 64 * 1024 * 1024
_NULL: Final = "/dev/null"


class CannotIsolateError(Exception):
    """What this machine cannot give."""


@attrs.frozen(slots=True, kw_only=True)
class Bounds:
    """What a child may do."""

    parent: int
    """The host's number: the child ends with it."""
    memory: int
    """Bytes of address space."""
    seconds: int
    """Of processor time."""
    files: int
    """Open at once."""
    sandboxed: bool
    """Whether it has no network, and reads nothing but `read`."""
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


def confine(bounds: Bounds) -> None:
    """Give up everything that the bounds do not leave. This process has one thread.

    Raises:
        CannotIsolateError: That cannot be.
    """
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        raise CannotIsolateError(f"this is {platform.system()} on {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    if bounds.sandboxed:
        _leave_network(libc)
    _limit(bounds)
    _drop_capabilities(libc)
    _call(libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "to end with its parent")
    if os.getppid() != bounds.parent:
        os._exit(0)
    _call(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "to gain no more rights")
    _restrict_files(libc, bounds)
    filter_ = program(platform.machine(), os.getpid(), sockets=not bounds.sandboxed)
    buffer = ctypes.create_string_buffer(filter_, len(filter_))
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(filter_) // 8, ctypes.addressof(buffer)))
    _call(libc.prctl(_SECCOMP, _FILTER, ctypes.byref(whole), 0, 0), "a filter of system calls (seccomp)")


def _call(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise CannotIsolateError(f"the kernel does not give {what}: {os.strerror(number)}")
    return result


def _leave_network(libc: ctypes.CDLL) -> None:
    """Go into a network of nobody's. The user keeps its number there, and has no rights outside."""
    user, group = os.geteuid(), os.getegid()
    _call(libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC), "a network of its own (user namespaces)")
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - few imports
                file.write(text)
    except OSError as error:
        raise CannotIsolateError(f"the kernel does not give a user of its own: {error.strerror}") from error


def _limit(bounds: Bounds) -> None:
    wanted = {
        resource.RLIMIT_AS: bounds.memory,
        resource.RLIMIT_CPU: bounds.seconds,
        resource.RLIMIT_NOFILE: bounds.files,
        resource.RLIMIT_FSIZE: _LARGEST_FILE,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for what, most in wanted.items():
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Take away all that the superuser may do more than others: limits and rights of files count for it, too."""
    number = 0
    while libc.prctl(_DROP_BOUNDING, number, 0, 0, 0) == 0:
        number += 1
    head, none = struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(24)
    _call(libc.capset(head, none), "to give up capabilities")


def _restrict_files(libc: ctypes.CDLL, bounds: Bounds) -> None:
    version = _call(libc.syscall(_CREATE_RULESET, None, 0, 1), "rules for files (Landlock, Linux 5.13)")
    writes = _WRITES_ALWAYS
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _DEVICE_CONTROL)):
        writes |= right if version >= since else 0
    handled = writes | (_READS if bounds.sandboxed else 0)
    rules = struct.pack("=QQQ", handled, 0, _SCOPES)[: 24 if version >= _WITH_SCOPES else 8]
    ruleset = _call(libc.syscall(_CREATE_RULESET, rules, len(rules), 0), "rules for files (Landlock)")
    _allow(libc, ruleset, bounds.write, writes | handled & _READS, needed=True)
    _allow(libc, ruleset, (_NULL,), handled, needed=False)
    if bounds.sandboxed:
        _allow(libc, ruleset, bounds.read, _READS, needed=False)
    _call(libc.syscall(_RESTRICT_SELF, ruleset, 0), "rules for files (Landlock)")
    os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, paths: Iterable[str], rights: int, *, needed: bool) -> None:
    """Allow something of files and of whatever is in folders. What is not there is no place to reach."""
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            if needed:
                raise CannotIsolateError(f"{path} cannot be opened: {error.strerror}") from error
            continue
        try:
            allowed = rights if os.path.isdir(path) else rights & _OF_FILES  # noqa: PTH112 - few imports
            rule = struct.pack("=Qi", allowed, place)
            _call(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"a rule for {path}")
        finally:
            os.close(place)
