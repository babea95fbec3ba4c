"""The words of `front.session` and `front.program` for event loops: the same, to be awaited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, overload

import attrs

from rtfs_framework.front.program import ProgramText
from rtfs_framework.front.session import Session as SyncSession
from rtfs_framework.front.session import current
from rtfs_framework.orchestrator.boundary.plain_data import opened
from rtfs_framework.orchestrator.recording.purse import status_of

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self, TypeForm, Unpack

    from rtfs_framework.api.approval import Approver
    from rtfs_framework.api.values import Clock
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.performing.people import Answerer
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.registry.catalog import Catalog

T = TypeVar("T")


class Settings(TypedDict, total=False):
    """What a session is opened with; see `rtfs_framework.Session.open`."""

    config_path: str | Path | None
    program_dir: str | Path | None
    environ: Mapping[str, str] | None
    clock: Clock | None
    catalog: Catalog | None
    journal: bool
    limits: Limits | None
    parallel: int | None
    tenant: str | None
    approver: Approver | None
    answerer: Answerer | None
    plan: str | Path | None
    manifest: str | Path | None


@attrs.frozen(slots=True, eq=False)
class Loaded:
    """A program that is ready to be called, from any task."""

    sync: LoadedProgram
    """The program itself."""

    async def call(self, name: str, args: Sequence[object] = ()) -> RunResult:
        """Call a top-level function and return its result."""
        return await self.sync.call_async(name, tuple(map(opened, args)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.sync.close("complete" if error is None else status_of(error), error)


@attrs.frozen(slots=True, eq=False)
class Session:
    """A host in use by tasks of any event loops, none of which it holds up: `async with Session.open() as session`."""

    sync: SyncSession
    """The session itself, for whatever needs no waiting: `session.sync.explain(text)`."""

    @classmethod
    def open(cls, **settings: Unpack[Settings]) -> Session:
        """Open a session; the settings are those of `rtfs_framework.Session.open`."""
        return cls(SyncSession.open(**settings))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        await self.sync.__aexit__(kind, error, trace)

    @overload
    async def run(
        self, source: Source | str, args: Sequence[object] = (), *, entry: str | None = None
    ) -> RunResult: ...
    @overload
    async def run(
        self, source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: TypeForm[T]
    ) -> T: ...
    async def run(
        self, source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: Any = None
    ) -> object:
        """Run a program; see `rtfs_framework.Session.run`. When this is cancelled the run is, and has ended."""
        return await self.sync.run_async(source, args, entry=entry, returns=returns)

    async def load(self, source: Source | str) -> Loaded:
        """Evaluate a program's top-level forms once and keep it for calls. The session closes it at the latest."""
        return Loaded(await self.sync.load_async(source))

    async def close(self) -> None:
        """End what is still open and release everything; runs under way may end by themselves."""
        await self.sync.aclose()


class Program(ProgramText):
    """A text of RTFS: given, or built function by function; see `rtfs_framework.Program`."""

    @overload
    async def run(
        self, *args: object, entry: str | None = None, session: Session | SyncSession | None = None
    ) -> RunResult: ...
    @overload
    async def run(
        self,
        *args: object,
        entry: str | None = None,
        session: Session | SyncSession | None = None,
        returns: TypeForm[T],
    ) -> T: ...
    async def run(
        self, *args: object, entry: str | None = None, session: Session | SyncSession | None = None,
        returns: Any = None,
    ) -> object:  # fmt: skip
        """Run it, then `entry` (else `main`, where there are arguments) with `args`."""
        within = session.sync if isinstance(session, Session) else session or current()
        return await within.run_async(self.source, args, entry=entry, returns=returns)


@overload
async def run(source: Source | str, args: Sequence[object] = (), *, entry: str | None = None) -> RunResult: ...
@overload
async def run(
    source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: TypeForm[T]
) -> T: ...
async def run(
    source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: Any = None
) -> object:
    """Run a program in the current session (`use`, else the process's own); see `Session.run`."""
    return await current().run_async(source, args, entry=entry, returns=returns)
