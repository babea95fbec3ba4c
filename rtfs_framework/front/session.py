"""The session of the front page: the orchestrator's, whose results may be asked for as data of a Python type.

And the session that a process has anyway, for whoever opens none: made when first needed, closed when Python ends.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from rtfs_framework.orchestrator.boundary.plain_data import opened
from rtfs_framework.orchestrator.session import Session as OrchestratorSession

if TYPE_CHECKING:
    from rtfs_framework.api.caller import DelegationMetadata
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.boundary.shapes import Shape
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.orchestrator.running.linking import Linked

T = TypeVar("T")


class Session(OrchestratorSession):
    """A host in use, by any number of threads and of tasks of any event loops at once. `Session.open()` opens one.

    Close it (or use it with `with` or `async with`): that waits for what runs and writes the journal's last entries.
    """

    __slots__ = ()

    @overload
    def run(
        self, source: Source | Linked | str, args: Sequence[object] = (), *, entry: str | None = None,
        metadata: DelegationMetadata | None = None,
    ) -> RunResult: ...  # fmt: skip
    @overload
    def run(
        self, source: Source | Linked | str, args: Sequence[object] = (), *, entry: str | None = None,
        metadata: DelegationMetadata | None = None, returns: type[T],
    ) -> T: ...  # fmt: skip
    def run(
        self,
        source: Source | Linked | str,
        args: Sequence[object] = (),
        *,
        entry: str | None = None,
        metadata: DelegationMetadata | None = None,
        returns: object = None,
    ) -> object:
        """Run a program: its top-level forms, then `entry` (else `main`, where arguments are given) with `args`.

        Dataclasses and enumerations among the arguments become maps and texts; other data are as `handover` says.
        `returns` is the Python type of what is wanted: then the value is returned, converted. Without it, the whole
        result is: `value` as RTFS has it, the calls that were made, what they cost.

        Raises:
            LanguageError: The program was refused.
            ArgumentError: No program can hold an argument.
            ProgramError: The program did not catch an error.
            LimitError: It went beyond a limit.
            ConversionError: The value is not of the wanted type.
        """
        shape = _shape(returns)
        result = super().run(source, _given(args), entry=entry, metadata=metadata)
        return result if shape is None else shape.out(result.value, "the value")

    @overload
    async def run_async(
        self, source: Source | Linked | str, args: Sequence[object] = (), *, entry: str | None = None,
        metadata: DelegationMetadata | None = None,
    ) -> RunResult: ...  # fmt: skip
    @overload
    async def run_async(
        self, source: Source | Linked | str, args: Sequence[object] = (), *, entry: str | None = None,
        metadata: DelegationMetadata | None = None, returns: type[T],
    ) -> T: ...  # fmt: skip
    async def run_async(
        self,
        source: Source | Linked | str,
        args: Sequence[object] = (),
        *,
        entry: str | None = None,
        metadata: DelegationMetadata | None = None,
        returns: object = None,
    ) -> object:
        """Run a program from an event loop, which it never holds up; the same as `run` otherwise."""
        shape = _shape(returns)
        result = await super().run_async(source, _given(args), entry=entry, metadata=metadata)
        return result if shape is None else shape.out(result.value, "the value")

    def __repr__(self) -> str:
        return f"<session{f' of {self.host.config.tenant}' if self.host.config.tenant else ''}>"


def _shape(returns: object) -> Shape | None:
    from rtfs_framework.orchestrator.boundary.shapes import shape_of

    return None if returns is None else shape_of(returns, "returns")


def _given(args: Sequence[object]) -> Any:
    """Return arguments with their records opened; what is no sequence of arguments is left for the refusal."""
    return tuple(map(opened, args)) if isinstance(args, tuple | list) else args


class _Own:
    """The session of this process, and the one that somebody wants used instead."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted: Session | None = None
        self.opened: Session | None = None

    def current(self) -> Session:
        with self.lock:
            found = self.wanted if self.wanted is not None else self.opened
            if found is None or found.portal.uses.foreign or (found is self.opened and found.portal.uses.closing):
                if self.opened is None:
                    atexit.register(self.close)
                found = self.opened = Session.open()
            return found

    def close(self) -> None:
        with self.lock:
            found, self.opened = self.opened, None
        if found is not None:
            found.close(wait=False)


_OWN = _Own()


def current() -> Session:
    """Return the session that `run` and delegated functions use when they are given none."""
    return _OWN.current()


class InLoop(Protocol):
    """A session of event loops: the words of one to be awaited."""

    @property
    def sync(self) -> Session:
        """The session itself."""
        ...


def use(session: Session | InLoop | None) -> None:
    """Have `run` and delegated functions use a session from now on, in all threads; None: the process's own again."""
    with _OWN.lock:
        _OWN.wanted = None if session is None else itself(session)


def itself(session: Session | InLoop) -> Session:
    """Return a session, of one of event loops that which it stands for."""
    return session if isinstance(session, Session) else session.sync


@overload
def run(source: Source | str, args: Sequence[object] = (), *, entry: str | None = None) -> RunResult: ...
@overload
def run(source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: type[T]) -> T: ...
def run(source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: Any = None) -> object:
    """Run a program in the current session (`use`, else the process's own); see `Session.run`."""
    return current().run(source, args, entry=entry, returns=returns)
