"""An instance: one loaded program with its top-level names. It starts runs; many may be alive at once."""

from __future__ import annotations

from types import FunctionType

from rtfs_framework.kernel import effects, meter, steps, support
from rtfs_framework.kernel.depth import Depth
from rtfs_framework.kernel.faults import to_error
from rtfs_framework.kernel.limits import OFF, Limits
from rtfs_framework.kernel.link import Linker
from rtfs_framework.kernel.meter import Watch
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.kernel.python import PYTHON
from rtfs_framework.kernel.run import Run, frames_of
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.codegen.artifact import ENTRY, Artifact
from rtfs_framework.lang.codegen.names import mangle
from rtfs_framework.lang.errors import InternalError, undefined_symbol
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Place
from rtfs_framework.lang.types.model import Type
from rtfs_framework.stdlib.table import loaded

Claims = Callable[[FunctionSignature], bool]
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
    ) -> None:
        self.limits = limits or (Limits() if artifact.metered else OFF)
        if self.limits.metered and not artifact.metered:
            raise InternalError("limits on steps, time or memory need a program that was compiled with them")
        self._watches = watches
        self._claims = claims
        self._host_names = host_names
        self._places: dict[int, Place | None] = {}
        self._signatures: dict[str, FunctionSignature] = {}
        self._gate: list[None] = [None]
        self._names: dict[str, Any] = {"__builtins__": dict(PYTHON)}
        self.extend(artifact)

    def extend(self, artifact: Artifact) -> None:
        """Load a program, or what was added to it since: names that are bound keep their values."""
        self.artifact = artifact
        self._signatures.update((signature.name, signature) for signature in artifact.signatures)
        self._linker = Linker(artifact, self._claims, self._host_names)
        self._names.update(self._namespace())
        exec(artifact.code, self._names)  # noqa: S102 - our own generated code, with no builtins of Python's

    def _namespace(self) -> dict[str, Any]:
        artifact = self.artifact
        helpers = self._helpers()
        names = {name: helpers[name] for name in artifact.helpers}
        internal = {**support.INTERNAL, **steps.INTERNAL, "%struct": self._struct}
        library = {**loaded(None), **PRELUDE} if artifact.prelude else loaded(artifact.families)
        for python, name in artifact.builtins:
            names[python] = internal[name] if name in internal else library[name].within(self.lookup_type)
        for python, name in artifact.globals.items():
            if name in library:  # a library name that the program defines means the library's until then
                names[python] = library[name].within(self.lookup_type)
        names.update((f"C__{i}", value) for i, value in enumerate(artifact.constants))
        kept = names["C__kept"] = {}  # measured as constants are
        checkers = (support.make_checker(each, self.lookup_type, kept) for each in artifact.checked)
        names.update((f"K__{i}", check) for i, check in enumerate(checkers))
        return names

    def _helpers(self) -> dict[str, Any]:
        linked = self._linker.helpers()
        return {
            **support.HELPERS,
            **effects.HELPERS,
            **linked,
            "rt_error": to_error,
            "rt_names": self._names,
            **meter.helpers(self._names),
        }

    def _struct(self, name: str, declared: Any) -> Any:
        return support.make_struct(name, declared, self.lookup_type)

    def lookup_type(self, name: str) -> Type | None:
        """Return a type that the program names."""
        return self.artifact.types.get(name)

    def function(self, name: str) -> FunctionSignature | None:
        """Return the signature of a top-level function, or None."""
        return self._signatures.get(name) if mangle("G__", name) in self.artifact.globals else None

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

    def _run(self, function: Any, args: tuple[Any, ...]) -> Run:
        counts = meter.RunMeter(self.limits, self._names, self._watches())
        if self.limits.depth is not None and self._counts_depth:
            counts.depth = Depth(self.artifact, self.limits.depth)
        return Run(self.artifact, function, args, self.limits, self._places, self._gate, counts)

    def call(self, name: str, args: tuple[Any, ...]) -> Run:
        """Return a run of a top-level function; the top-level forms have run before.

        Raises:
            ProgramError: UndefinedSymbol, there is no such top-level name (yet).
        """
        function = self._names.get(mangle("G__", name))
        if function is None:
            raise undefined_symbol(name)
        return self._run(support.callable_of(function, len(args)), args)

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
            return self._names[mangle("G__", name)]
        except KeyError:
            raise undefined_symbol(name) from None
