"""An instance: one loaded program with its top-level names. It starts runs; many may be alive at once."""

from __future__ import annotations

from types import FunctionType

from rtfs_framework.kernel import meter, support
from rtfs_framework.kernel.depth import Depth
from rtfs_framework.kernel.helpers import HELPERS, INTERNAL, helper
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.limits import OFF, Limits
from rtfs_framework.kernel.python import PYTHON
from rtfs_framework.kernel.run import Run, frames_of
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Callable
from rtfs_framework.lang.codegen.artifact import ENTRY, Artifact
from rtfs_framework.lang.errors import InternalError, undefined_symbol
from rtfs_framework.stdlib.table import loaded

if TYPE_CHECKING:
    from rtfs_framework.kernel.meter import Watch
    from rtfs_framework.kernel.seat import Seat
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.source import Place
    from rtfs_framework.lang.types.model import Type

Claims = Callable[["FunctionSignature"], bool]
HostNames = Callable[[str], "str | None"]
Watches = Callable[[], "Watch | None"]
"""Makes the watch of a run that is about to start."""

_LIBRARY = ("rtfs_framework.stdlib.", "rtfs_framework.kernel.")
"""Modules whose functions programs may hold."""


def no_host_names(_name: str) -> str | None:
    """Declare nothing."""
    return None


def no_watch() -> None:
    """Watch no run."""


def any_claim(_signature: FunctionSignature) -> bool:
    """Accept what the compiler was told: every linked function may be delegated."""
    return True


class Instance:
    """A program that was loaded. `start` runs its top-level forms; `call` runs one of its functions."""

    def __init__(
        self,
        artifact: Artifact,
        *,
        claims: Claims = any_claim,
        host_names: HostNames = no_host_names,
        limits: Limits | None = None,
        watches: Watches = no_watch,
        keeps: bool = False,
    ) -> None:
        self.limits = limits or (Limits() if artifact.metered else OFF)
        if self.limits.metered and not artifact.metered:
            raise InternalError("limits on steps, time or memory need a program that was compiled with them")
        self._watches = watches
        self._claims = claims
        self._host_names = host_names
        self._keeps = keeps
        self._places: dict[int, Place | None] = {}
        self._python: dict[str, str] = {}
        """Top-level names to what Python calls them."""
        self._loaded: list[Artifact] = []
        self._gate: list[None] = [None]
        self._names: dict[str, Any] = {"__builtins__": dict(PYTHON)}
        self.extend(artifact)

    def extend(self, artifact: Artifact) -> None:
        """Load a program, or what was added to it since: names that are bound keep their values."""
        self.artifact = artifact
        self._loaded.insert(0, artifact)
        self._python.update((name, python) for python, name in artifact.globals.items())
        self._names.update(self._namespace())
        exec(artifact.code, self._names)  # noqa: S102 - our own generated code, with no builtins of Python's

    def _namespace(self) -> dict[str, Any]:
        artifact = self.artifact
        own = self._own_helpers()
        names = {name: own[name] if name in own else helper(HELPERS[name]) for name in artifact.helpers}
        library = {**loaded(artifact.families), **HOST}
        if artifact.prelude:
            from rtfs_framework.kernel.prelude import PRELUDE

            library = {**loaded(None), **HOST, **PRELUDE}
        for python, name in artifact.builtins:
            if name in INTERNAL:
                names[python] = helper(INTERNAL[name])
            else:
                names[python] = self._struct if name == "%struct" else library[name].within(self.lookup_type)
        for python, name in artifact.globals.items():
            if name in library:  # a library name that the program defines means the library's until then
                names[python] = library[name].within(self.lookup_type)
        names.update((f"C__{i}", value) for i, value in enumerate(artifact.constants))
        kept = names["C__kept"] = {}  # measured as constants are
        if artifact.checked:
            from rtfs_framework.kernel.checkers import make_checker

            checkers = (make_checker(each, self.lookup_type, kept) for each in artifact.checked)
            names.update((f"K__{i}", check) for i, check in enumerate(checkers))
        return names

    def _own_helpers(self) -> dict[str, Any]:
        own = {"rt_host_name": self._free_name, "rt_names": self._names, **meter.helpers(self._names)}
        if self.artifact.links:
            from rtfs_framework.kernel.link import itself, linker

            kept = self._kept() if self._keeps and self.artifact.memos else itself
            own["rt_link"] = linker(self.artifact, self._claims, kept)
        return own

    def _kept(self) -> Callable[[Any, FunctionSignature], Any]:
        """Return what makes functions whose values the host keeps."""
        from rtfs_framework.kernel.memo import all_bound, kept

        memos, limits, names = self.artifact.memos, self.limits, self._names
        python = {name: each for each, name in self.artifact.globals.items()}

        def made(function: Any, signature: FunctionSignature) -> Any:
            memo = memos.get(signature.name)
            if memo is None:
                return function
            ready = all_bound(names, tuple(python.get(name, name) for name in memo.names))
            return kept(function, signature, memo, limits, ready)

        return made

    def _free_name(self, name: str) -> Any:
        from rtfs_framework.kernel.link import host_name

        return host_name(name, self._host_names(name))

    def _struct(self, name: str, declared: Any) -> Any:
        from rtfs_framework.kernel.checkers import make_struct

        return make_struct(name, declared, self.lookup_type)

    def lookup_type(self, name: str) -> Type | None:
        """Return a type that the program names."""
        return self.artifact.types.get(name)

    def function(self, name: str) -> FunctionSignature | None:
        """Return the signature of a top-level function, or None."""
        if name not in self.artifact.globals.values():
            return None
        return next(
            (each for artifact in self._loaded for each in reversed(artifact.signatures) if each.name == name), None
        )

    def start(self) -> Run:
        """Return the run of the top-level forms."""
        return self._run(self._names[ENTRY], ())

    @property
    def frames(self) -> int:
        """How deep Python's stack may be while a run computes."""
        return frames_of(self.limits, counted=self._counts_depth)

    @property
    def _counts_depth(self) -> bool:
        return self.limits.depth is not None and self.artifact.metered

    def _run(self, function: Any, args: tuple[Any, ...], seat: Seat | None = None) -> Run:
        counts = meter.RunMeter(self.limits, self._names, self._watches())
        if self.limits.depth is not None and self._counts_depth:
            counts.depth = Depth(self.artifact, self.limits.depth)
        return Run(self.artifact, function, args, self.limits, self._places, self._gate, counts, seat)

    def call(self, name: str, args: tuple[Any, ...], seat: Seat | None = None) -> Run:
        """Return a run of a top-level function; the top-level forms have run before. It takes the `seat`, if any.

        Raises:
            ProgramError: UndefinedSymbol, there is no such top-level name (yet).
        """
        function = self._names.get(self._python.get(name, ""))
        if function is None:
            raise undefined_symbol(name)
        return self._run(support.callable_of(function, len(args)), args, seat)

    def owns(self, value: Any) -> bool:
        """Tell whether a value is a function of this program, or one that the library has or makes."""
        if not isinstance(value, FunctionType):
            return False
        names = value.__globals__
        return names is self._names or str(names.get("__name__")).startswith(_LIBRARY)

    def value(self, name: str) -> Any:
        """Return the value of a top-level name.

        Raises:
            ProgramError: UndefinedSymbol.
        """
        try:
            return self._names[self._python[name]]
        except KeyError:
            raise undefined_symbol(name) from None
