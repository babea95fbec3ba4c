"""The loader: compiles programs against the library, and macro bodies into functions that run at expansion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from rtfs_framework.kernel import effects  # noqa: F401 - enters `call` and its kin into the library
from rtfs_framework.kernel.macros import compile_macro
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.library import nothing_delegatable
from rtfs_framework.lang.pipeline import compile_program
from rtfs_framework.lang.source import Source
from rtfs_framework.stdlib.library import BUILTINS


def compile_source(
    source: Source | str, *, delegatable: Callable[[str], bool] = nothing_delegatable, prelude: bool = False
) -> Artifact:
    """Compile a program against the standard library.

    `delegatable` tells which top-level functions a route or an engine may claim; hinted ones need no telling.
    `prelude` adds the host prelude's names (`log`, `get-env`, ...), each of which asks for a capability.

    Raises:
        LanguageError: the program is refused.
    """
    made = Source("<string>", source) if isinstance(source, str) else source
    if not prelude:
        return compile_program(made, BUILTINS, compile_macro, delegatable)
    artifact = compile_program(made, {**BUILTINS, **PRELUDE}, compile_macro, delegatable)
    return attrs.evolve(artifact, prelude=True)


def run_pure(source: Source | str, **options: Any) -> Any:
    """Return the value of a program without effects.

    Raises:
        LanguageError: the program is refused.
        ProgramError: it fails, or asks its host for something.
        LimitError: a limit stops it.
    """
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.purehost import PureHost

    return PureHost().finish(Instance(compile_source(source), **options).start())
