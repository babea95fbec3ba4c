"""Conversations: a program that grows input by input, in one namespace. What the REPL is made of.

    talk = Conversation()
    source = Source("<input 1>", "(defn f [x] (inc x)) (f 1)")
    for form in talk.read(source):
        value = PureHost().finish(talk.start(talk.compile(form, source)))

An input that is refused, fails or is interrupted leaves the names that were bound before usable as they were.
"""

from __future__ import annotations

from rtfs_framework.kernel.instance import (
    Claims,
    HostNames,
    Instance,
    Watches,
    any_claim,
    no_host_names,
    no_watch,
)
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import surroundings, with_prelude
from rtfs_framework.kernel.run import Run
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.codegen.names import mangle
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.forms import Form
from rtfs_framework.lang.incremental import Addition, IncrementalProgram
from rtfs_framework.lang.library import Delegatable, FindModule, no_modules, nothing_delegatable
from rtfs_framework.lang.source import Source

_GLOBAL = "G__"
NAME = "<conversation>"


class _GrowingInstance(Instance):
    """An instance in which a name that was free when it was compiled means what has been defined since."""

    def _free_name(self, name: str) -> Any:
        python = mangle(_GLOBAL, name)
        return self._names[python] if python in self._names else super()._free_name(name)

    def _namespace(self) -> dict[str, Any]:
        """Return what a program names; a name of the library that an input before has defined keeps that meaning."""
        own = {python for python in self._names if python.startswith(_GLOBAL)}
        return {python: value for python, value in super()._namespace().items() if python not in own}

    def knows(self, name: str) -> bool:
        """Tell whether a top-level name has a value."""
        return mangle(_GLOBAL, name) in self._names

    def set(self, name: str, value: Any) -> None:
        """Give a top-level name a value."""
        python = self._python[name] = mangle(_GLOBAL, name)
        self._names[python] = value

    def bound(self) -> dict[str, Any]:
        """Return the top-level names that have a value, by their Python names."""
        return {python: value for python, value in self._names.items() if python.startswith(_GLOBAL)}

    def bind(self, values: dict[str, Any]) -> None:
        """Let top-level names, by their Python names, have these values and no others."""
        for python in [python for python in self._names if python.startswith(_GLOBAL) and python not in values]:
            del self._names[python]
        self._names.update(values)


def _as_it_is(artifact: Artifact) -> Artifact:
    return artifact


class Conversation:
    """A program, its namespace, and what was defined so far."""

    def __init__(
        self,
        *,
        delegatable: Delegatable = nothing_delegatable,
        find_module: FindModule = no_modules,
        prelude: bool = False,
        claims: Claims = any_claim,
        host_names: HostNames = no_host_names,
        limits: Limits | None = None,
        watches: Watches = no_watch,
    ) -> None:
        bounds = limits or Limits()
        around = surroundings(
            delegatable=delegatable,
            find_module=find_module,
            prelude=prelude,
            nesting=bounds.nesting,
            metered=bounds.metered,
        )
        self._known = with_prelude if prelude else _as_it_is
        self.program = IncrementalProgram(around, NAME)
        first = self.program.artifact
        self.instance = _GrowingInstance(first, claims=claims, host_names=host_names, limits=limits, watches=watches)
        self._latest: Run | None = None

    def read(self, source: Source) -> tuple[Form, ...]:
        """Return the forms of an input.

        Raises:
            LanguageError: It cannot be read.
        """
        return self.program.read(source)

    def compile(self, forms: tuple[Form, ...], source: Source) -> Addition:
        """Compile forms of an input that was read.

        Raises:
            LanguageError: They are refused.
        """
        return self.program.compile(forms, source)

    def start(self, added: Addition) -> Run:
        """Make what was compiled part of the program; return the run of its forms. Say `settle` when it ended."""
        self.instance.extend(self._known(self.program.keep(added)))
        run = self.instance.start()
        run.symbols = 0 if self._latest is None else self._latest.symbols
        self._latest = run
        return run

    def settle(self) -> None:
        """After a run that did not end well: forget names that it was to define and did not."""
        self.program.forget(self.instance.knows)

    def try_out(self, added: Addition) -> Run:
        """Return the run of something compiled that is not to stay; see `undo`."""
        self.instance.extend(self._known(added.artifact))
        return self.instance.start()

    def bound(self) -> dict[str, Any]:
        """Return what is bound now, for `undo`."""
        return self.instance.bound()

    def undo(self, bound: dict[str, Any]) -> None:
        """Let names be bound as they were before `try_out`."""
        self.instance.bind(bound)
        self.instance.artifact = self.program.artifact

    def define(self, name: str, value: Any) -> None:
        """Bind a top-level name to a value from outside."""
        self.program.define(name)
        self.instance.set(name, value)

    def unresolved(self, added: Addition) -> list[tuple[str, Diagnostic]]:
        """Return the names that what was compiled uses and nobody has defined, with what is to be said of each."""
        found = [(each, each.source, each.span) for each in added.artifact.diagnostics if each.code == "E0203"]
        return [(source.text[span.start : span.end], each) for each, source, span in found if source and span]

    def is_macro(self, name: str) -> bool:
        """Tell whether a name is a macro of the program."""
        return self.program.is_macro(name)

    @property
    def names(self) -> frozenset[str]:
        """The top-level names that are known."""
        return self.program.names
