"""The session of the front page: the orchestrator's, whose results may be asked for as data of a Python type.

And the session that a process has anyway, for whoever opens none: made when first needed, closed when Python ends.
Functions beside whose module another `delegation.toml` lies have one of their own, which goes by that.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from rtfs_framework.api.targets import show_target
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.boundary.plain_data import opened
from rtfs_framework.orchestrator.config.find import FILE
from rtfs_framework.orchestrator.running.linking import UNCONFIGURED
from rtfs_framework.orchestrator.session import Session as OrchestratorSession

if TYPE_CHECKING:
    from typing_extensions import TypeForm

    from rtfs_framework.api.caller import DelegationMetadata
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.boundary.shapes import Shape
    from rtfs_framework.orchestrator.recording.records import RunResult
    from rtfs_framework.orchestrator.running.linking import Linked

T = TypeVar("T")
_TELLING = threading.Lock()


class Session(OrchestratorSession):
    """A host in use, by any number of threads and of tasks of any event loops at once. `Session.open()` opens one.

    Close it (or use it with `with` or `async with`): that waits for what runs and writes the journal's last entries.
    """

    __slots__ = ("_near", "_told")

    _near: tuple[str, ...]
    """Folders of functions beside which a configuration was looked for, of a session that the process has anyway."""
    _told: bool
    """Whether somebody was told where calls go without a configuration."""

    @overload
    def run(
        self, source: Source | Linked | str, args: Sequence[object] = (), *, entry: str | None = None,
        metadata: DelegationMetadata | None = None,
    ) -> RunResult: ...  # fmt: skip
    @overload
    def run(
        self, source: Source | Linked | str, args: Sequence[object] = (), *, entry: str | None = None,
        metadata: DelegationMetadata | None = None, returns: TypeForm[T],
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
        metadata: DelegationMetadata | None = None, returns: TypeForm[T],
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

    def _link(self, source: Source | str) -> Linked:
        linked = super()._link(source)
        self._tell(linked)
        return linked

    def _tell(self, linked: Linked) -> None:
        """Log, once for all functions, where calls go that nobody has configured.

        `logging` writes it to stderr unless it is told otherwise.
        """
        found = self.host.config.found
        if found is None or all(each.code != UNCONFIGURED for each in linked.warnings):
            return
        with _TELLING:
            told, self._told = getattr(self, "_told", False), True
        if not told:
            import logging

            folders = dict.fromkeys((*getattr(self, "_near", ()), *self.host.config.searched))
            where = f"{FILE} in {', '.join(map(visible_line, folders))}" if folders else FILE
            target = show_target(found.target)
            message = f"no {where}, and {found.because}: described functions go to {target}{found.besides}"
            logging.getLogger("rtfs_framework").warning("%s; `rtfs config init` writes that down", message)

    def __repr__(self) -> str:
        return f"<session{f' of {self.host.config.tenant}' if self.host.config.tenant else ''}>"


def _shape(returns: object) -> Shape | None:
    from rtfs_framework.orchestrator.boundary.shapes import shape_of

    return None if returns is None else shape_of(returns, "returns")


def _given(args: Sequence[object]) -> Any:
    """Return arguments with their records opened; what is no sequence of arguments is left for the refusal."""
    return tuple(map(opened, args)) if isinstance(args, tuple | list) else args


class _Own:
    """The sessions of this process, by the folder of the configuration; and the one that somebody wants used instead.

    All for which no configuration is found share the one of None.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted: Session | None = None
        self.opened: dict[Path | None, Session] = {}
        self._keys: dict[Path | None, Path | None] = {}

    def current(self, near: Path | None) -> Session:
        with self.lock:
            if self.wanted is not None and not self.wanted.portal.uses.foreign:
                return self.wanted
            if near not in self._keys:
                self._keys[near] = _configured_near(near)
            key = self._keys[near]
            found = self.opened.get(key)
            if found is None or found.portal.uses.foreign or found.portal.uses.closing:
                found = self._open(key)
            if near is not None and str(near) not in found._near:
                found._near = (*found._near, str(near))
            return found

    def _open(self, key: Path | None) -> Session:
        if not self.opened:
            atexit.register(self.close)
        found = self.opened[key] = Session.open(program_dir=key or _main_folder())
        found._near = ()
        return found

    def close(self) -> None:
        with self.lock:
            opened, self.opened = tuple(self.opened.values()), {}
            self._keys.clear()
        for each in opened:
            each.close(wait=False)


def _configured_near(near: Path | None) -> Path | None:
    """Return the first folder with a configuration: of a function's module, of the main program, the current one."""
    places: Iterable[Path | None] = (near, _main_folder(), Path.cwd())
    return next((each for each in places if each is not None and (each / FILE).exists()), None)


def _main_folder() -> Path | None:
    return folder_of(vars(sys.modules.get("__main__", sys)))


def folder_of(module: Mapping[str, object]) -> Path | None:
    """Return the folder of a module's file by its global names; None for one without a file."""
    file = module.get("__file__")
    return Path(file).absolute().parent if isinstance(file, str) else None


_OWN = _Own()


def current(near: Path | None = None) -> Session:
    """Return the session that `run` and delegated functions use when they are given none.

    Where `use` said none, it goes by the first `delegation.toml` in the folder `near` (that of a function's module), in
    that of the main program or in the current one, over the user's own.
    """
    return _OWN.current(near)


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
def run(source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: TypeForm[T]) -> T: ...
def run(source: Source | str, args: Sequence[object] = (), *, entry: str | None = None, returns: Any = None) -> object:
    """Run a program in the current session (`use`, else the process's own); see `Session.run`."""
    return current().run(source, args, entry=entry, returns=returns)
