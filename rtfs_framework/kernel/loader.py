"""The loader: compiles programs against the library, and macro bodies into functions that run at expansion."""

from __future__ import annotations

from rtfs_framework.kernel import effects  # noqa: F401 - enters `call` and its kin into the host's table
from rtfs_framework.kernel.compiling import watched_compilation
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.macros import compile_macro
from rtfs_framework.kernel.meter import Watch
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Iterable, Literal
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.library import Delegatable, FindModule, no_modules, nothing_delegatable
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.passes.table import ALL, selected
from rtfs_framework.lang.pipeline import Surroundings, compile_program
from rtfs_framework.lang.source import Source
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import families_of

if TYPE_CHECKING:
    from rtfs_framework.lang.check.contracts import Contracts


def compile_source(  # noqa: PLR0913 - options, each by its name
    source: Source | str,
    *,
    delegatable: Delegatable = nothing_delegatable,
    find_module: FindModule = no_modules,
    preloaded: tuple[str, ...] = (),
    prelude: bool = False,
    nesting: int = NESTING,
    metered: bool = True,
    passes: Iterable[str] = ALL,
    verified: bool = False,
    flows: bool = False,
    ways: bool = False,
    contracts: Contracts | None = None,
    watch: Watch | None = None,
) -> Artifact:
    """Compile a program against the standard library.

    `delegatable` tells which top-level functions a route or an engine may claim; hinted ones need no telling.
    `find_module` returns the text of an imported module; `preloaded` modules need no import.
    `nesting` is how many levels of brackets texts may have.
    `prelude` adds the host prelude's names (`log`, `get-env`, ...), each of which asks for a capability.
    Code that is not `metered` is a little faster and runs only under limits that need no steps (`Limits.metered`).
    `watch` is looked at meanwhile, and may end it (`kernel.meter.Watch`).
    `flows` finds out what may be seen at each place that asks the host (`lang.flows`), `ways` also by which way.
    `contracts` says what capabilities take and give: calls of them are then checked by that.
    `passes` names the optimisations that run (`lang.passes.table`); `verified` checks the IR after each.

    Raises:
        LanguageError: the program is refused.
        LimitError, Cancelled: what the watch raises.
    """
    made = Source("<string>", source) if isinstance(source, str) else source
    around = surroundings(
        delegatable=delegatable,
        find_module=find_module,
        preloaded=preloaded,
        prelude=prelude,
        nesting=nesting,
        metered=metered,
    )
    asked: Literal["", "sites", "ways"] = "ways" if ways else "sites" if flows else ""
    around = records.evolve(around, passes=selected(passes), verified=verified, flows=asked, contracts=contracts)
    with watched_compilation(watch):
        artifact = compile_program(made, around)
    used = families_of(_names(artifact), {**BUILTINS, **HOST})
    return records.evolve(with_prelude(artifact) if prelude else artifact, families=used)


def with_prelude(artifact: Artifact) -> Artifact:
    """Return a program that was compiled where the host prelude is: it says whether it has any of its names."""
    return records.evolve(artifact, prelude=not PRELUDE.keys().isdisjoint(_names(artifact)))


def _names(artifact: Artifact) -> list[str]:
    """Return the names that a program takes from the library, or defines."""
    return [*(name for _, name in artifact.builtins), *artifact.globals.values()]


def surroundings(
    *,
    delegatable: Delegatable = nothing_delegatable,
    find_module: FindModule = no_modules,
    preloaded: tuple[str, ...] = (),
    prelude: bool = False,
    nesting: int = NESTING,
    metered: bool = True,
) -> Surroundings:
    """Return what a compilation is told of the world around the program; see `compile_source`."""
    return Surroundings(
        library={**BUILTINS, **HOST, **(PRELUDE if prelude else {})},
        compile_macro=compile_macro,
        delegatable=delegatable,
        find_module=find_module,
        preloaded=preloaded,
        nesting=nesting,
        metered=metered,
    )


def run_pure(source: Source | str, *, limits: Limits | None = None, **options: Any) -> Any:
    """Return the value of a program without effects.

    Raises:
        LanguageError: the program is refused.
        ProgramError: it fails, or asks its host for something.
        LimitError: a limit stops it.
    """
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.purehost import PureHost

    bounds = limits or Limits()
    artifact = compile_source(source, nesting=bounds.nesting, metered=bounds.metered)
    return PureHost().finish(Instance(artifact, limits=bounds, **options).start())
