"""The host's side of a child: one process for one call, killed with its group when its time is over.

In: a handler's place, a request, limits. Out: what the handler returned or raised. The calling thread waits (it is a
worker's), and the child ends with it.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.capability import CapabilityRequest
from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.api.private import private_folder
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.isolation import ChildSpec
from rtfs_framework.orchestrator.performing.isolation.bounds import Bounds
from rtfs_framework.orchestrator.performing.isolation.child import CANNOT_ISOLATE, OUT_OF_MEMORY
from rtfs_framework.orchestrator.performing.isolation.crossing import (
    CONFINED,
    MOST,
    CannotCrossError,
    GarbledError,
    HandlerRaisedError,
    pack,
    read,
)
from rtfs_framework.orchestrator.performing.isolation.places import Offered, Place
from rtfs_framework.registry.faults import Part, PluginFault

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from rtfs_framework.orchestrator.performing.isolation.child import main; main(int(sys.argv[1]))"
)
_FIXED = {"OPENBLAS_NUM_THREADS": "1", "LC_CTYPE": "C.UTF-8"}
_FRAMEWORK = "rtfs_framework"
_EARLY = 0.1
"""The share of a call's time that is kept for ending its child."""
_MORE_SECONDS = 1
"""Of processor time than a call has: who is late is ended by the clock, and by the kernel if that fails."""
_PIECE = 1 << 16
_WORDS = 500
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/dev/urandom")
_USUAL_SECONDS = 30.0
_SECURITY = "SecurityViolation"


@attrs.frozen(slots=True)
class Isolated:
    """Calls one handler in child processes; may be used by several threads."""

    place: Place
    spec: ChildSpec
    sandboxed: bool
    environ: Mapping[str, str]
    """The host's: what the specification names of it is handed on."""
    part: Part

    def __call__(self, request: CapabilityRequest) -> Any:
        """Return what the handler returns for a request.

        Raises:
            CapabilityError: It raised that; or its child cannot be had, ended without an answer, or took too long.
            ProgramError: It raised that.
            PluginFault: It raised something else.
        """
        allowed = _USUAL_SECONDS if request.deadline is None else request.deadline
        until = monotonic() + allowed * (1 - _EARLY)
        path = [place for place in sys.path if Path(place).is_absolute()]
        bounds = Bounds(
            parent=os.getpid(),
            memory=self.spec.memory,
            seconds=math.ceil(allowed) + _MORE_SECONDS,
            files=self.spec.files,
            sandboxed=self.sandboxed,
            read=(*_readable(path, self.place.module), *_python(), *self.spec.read) if self.sandboxed else (),
            write=(*self.spec.write, *self._kept()),
        )
        try:
            message = pack(self.place, bounds, request)
        except CannotCrossError as error:
            raise _refused(str(error)) from error
        ours, theirs = socket.socketpair()
        with ours:
            try:
                child = self._start(theirs, path)
            finally:
                theirs.close()
            with child:
                try:
                    said = _exchange(ours, message, until)
                    status = child.wait(max(until - monotonic(), 0.0))
                except (TimeoutError, subprocess.TimeoutExpired):
                    raise CapabilityError(f"no answer within {allowed:g} s", "NetworkError") from None
                except GarbledError as error:
                    raise CapabilityError(str(error)) from error
                finally:
                    _kill(child)
        try:
            return _judged(said, status)
        except HandlerRaisedError as error:
            raise PluginFault(self.part, "the handler", str(error)) from None

    def _kept(self) -> tuple[str, ...]:
        """Return the folder where the handler's set keeps files; it is there then."""
        if not isinstance(self.place, Offered) or not self.place.directory:
            return ()
        folder = Path(self.place.directory)
        try:
            private_folder(folder)
        except OSError as error:
            raise _refused(f"its folder {folder} cannot be made: {error.strerror or error}") from error
        return (str(folder),)

    def _start(self, theirs: socket.socket, path: list[str]) -> subprocess.Popen[bytes]:
        named = {name: self.environ[name] for name in self.spec.environment if name in self.environ}
        try:
            return subprocess.Popen(  # noqa: S603 - Python itself, with arguments that are ours
                [sys.executable, "-I", "-c", _BOOT, str(theirs.fileno()), json.dumps(path)],
                env=_FIXED | named,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise _refused(f"no process can be started: {error.strerror}") from error


def _exchange(ours: socket.socket, message: bytes, until: float) -> bytes:
    """Send a call, and return all that comes back; the child may read and write as slowly as it likes.

    Raises:
        TimeoutError: The time is over.
        GarbledError: More came back than any answer has.
    """
    ours.setblocking(False)
    left, said = memoryview(message), bytearray()
    with selectors.DefaultSelector() as ready:  # `select` takes no file whose number is beyond 1,023
        ready.register(ours, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            seconds = until - monotonic()
            if seconds <= 0:
                raise TimeoutError
            events = 0
            for _, found in ready.select(seconds):
                events |= found
            try:
                if events & selectors.EVENT_WRITE:
                    left = left[ours.send(left[:_PIECE]) :]
                    if not left:
                        ours.shutdown(socket.SHUT_WR)
                        ready.modify(ours, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    piece = ours.recv(_PIECE)
                    if not piece:
                        return bytes(said)
                    said += piece
                    if len(said) > MOST:
                        raise GarbledError(f"its child process wrote more than {MOST} bytes")
            except BlockingIOError:
                continue
            except OSError:  # it ended
                return bytes(said)


def _judged(said: bytes, status: int) -> Any:
    """Return the value that a child gave.

    Raises:
        CapabilityError: It gave none.
        ProgramError: The handler raised one.
        HandlerRaisedError: The handler raised something else.
    """
    confined = said.startswith(CONFINED)
    if status == 0:
        try:
            return read(said[len(CONFINED) :] if confined else b"")
        except GarbledError as error:
            raise CapabilityError(str(error)) from error
    if status == CANNOT_ISOLATE and not confined:  # else a handler could give advice in the host's name
        words = visible_line(said.decode(errors="replace")[:_WORDS])
        raise _refused(f"{words}; choose another `isolation` under [security], or another machine")
    if status == OUT_OF_MEMORY:
        raise CapabilityError("it needed more memory than it may take (`memory` under [security.child])")
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    raise CapabilityError(f"its child process ended {how} and gave no answer")


def _refused(why: str) -> CapabilityError:
    return CapabilityError(f"it cannot run isolated: {why}", _SECURITY, failure=FailureKind.FINAL)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a child; it leads its group, and the filter of system calls lets it start nobody."""
    if child.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _readable(path: list[str], module: str) -> list[str]:
    """Return where a child may import from: not the folder where the host happens to be, unless code lies there."""
    here = str(Path.cwd())
    files = (getattr(sys.modules.get(name), "__file__", None) or "" for name in (module, _FRAMEWORK))
    needed = any(file.startswith(here + os.sep) for file in files)
    return [place for place in path if needed or place != here]


def _python() -> tuple[str, ...]:
    """Return what Python itself reads."""
    folders = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    return (sys.prefix, sys.base_prefix, *folders, *_LIBRARIES)
